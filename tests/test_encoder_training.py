"""Fine-tuning is tried on a base of two narrow layers with made-up weights; nothing is downloaded."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'inspection-findings[encoder]'")
pytest.importorskip("transformers")
pytest.importorskip("onnx")

from pipeline.encoder import load_encoder, load_held_out
from pipeline.encoder_training import train_encoder
from pipeline.errors import UsageError
from pipeline.labels import LABELS


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("base")
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
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def settings(params):
    small = replace(params.encoder, epochs=1, batch=16, vocabulary=1000, max_length=64, folds=2)
    return replace(params, encoder=small)


@pytest.fixture(scope="module")
def trained(settings, dataset, store, base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder") / "encoder"
    train_encoder(settings, dataset, store, str(base), folder)
    return folder


def test_what_is_written_can_be_loaded_and_answers(trained, dataset):
    from pipeline.dataset import load_side

    encoder, table = load_encoder(trained), load_side(dataset, "train")
    assert encoder.logits(["Plans are weak.", "They will improve."]).shape == (2, len(LABELS))
    assert set(encoder.config.data["documents"]) == set(table["document"])
    keys, logits = load_held_out(trained)
    assert set(keys.tolist()) == set(table["key"])
    assert np.isfinite(logits).all()


def test_an_answer_does_not_depend_on_the_company(trained):
    encoder = load_encoder(trained)
    texts = ["Plans are weak.", "Leaders will improve the plans of children and the plans of leaders.", "good"]
    together = encoder.logits(texts)
    np.testing.assert_array_equal(together, [encoder.logits([text])[0] for text in texts])


def test_the_same_again_gives_the_same(trained, settings, dataset, store, base, tmp_path):
    again = train_encoder(settings, dataset, store, str(base), tmp_path / "encoder")
    texts = ["Plans are weak.", "Leaders will improve."]
    np.testing.assert_allclose(again.logits(texts), load_encoder(trained).logits(texts), atol=0.1)


def test_no_base_weights(settings, dataset, store, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no base weights there"):
        train_encoder(settings, dataset, store, str(tmp_path / "empty"), tmp_path / "encoder")
