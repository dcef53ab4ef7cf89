"""A base of two narrow layers with made-up weights; nothing is downloaded."""

from pathlib import Path


def make_base(folder: Path) -> Path:
    """Write base weights with their tokenizer and card."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertModel

    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{one}" for one in letters)]
    tokens += "0123456789 . , ' - ; : ( ) children leaders plans not good weak will improve the of and to".split()
    tokenizer = Tokenizer(models.WordPiece({token: rank for rank, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    torch.manual_seed(20)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\n# Made up\n", encoding="utf-8")
    return folder
