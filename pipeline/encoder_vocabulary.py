"""The encoder's tokenizer: the base's vocabulary, cut down to what the domain and general English need."""

from collections import Counter
from collections.abc import Iterable

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from pipeline.errors import UsageError

_UNKNOWN = "[UNK]"
_SPECIAL = ("[PAD]", _UNKNOWN, "[CLS]", "[SEP]")
_SEEN = 2  # a token of the domain is kept from this number of occurrences on
_CONTINUES = "##"
_LETTERS_END = "℀"  # single characters up to here are kept, so that any word can be spelt


def prune_tokenizer(base: Tokenizer, texts: Iterable[str], size: int, max_length: int) -> tuple[Tokenizer, list[int]]:
    """Cut a WordPiece tokenizer down.

    Kept are special tokens, single characters, what the texts use, and then the base's whole words in their order,
    which is that of their frequency in general English.

    Args:
        base: Tokenizer of the base weights (WordPiece, lower case).
        texts: Sentences of the domain.
        size: Tokens to keep.
        max_length: Tokens to read of a sentence.

    Returns:
        The new tokenizer, and the rows of the base's embedding table that belong to its tokens.

    Raises:
        UsageError: The base has another kind of tokenizer, or the size is too small for the domain.
    """
    known = base.get_vocab()
    if any(token not in known for token in _SPECIAL):
        raise UsageError("encoder: the base's tokenizer is not WordPiece as BERT has it; name another with --base.")
    tokens = sorted(known, key=known.__getitem__)
    base.no_truncation()
    base.no_padding()
    seen: Counter[str] = Counter()
    for encoding in base.encode_batch(list(texts)):
        seen.update(encoding.tokens)
    kept = dict.fromkeys(_SPECIAL)
    kept |= dict.fromkeys(token for token in tokens if _is_character(token))
    kept |= dict.fromkeys(token for token, count in seen.most_common() if count >= _SEEN and token in known)
    if len(kept) > size:
        raise UsageError(f"encoder.vocabulary: found {size}, but the domain alone needs {len(kept)}; raise it.")
    for token in tokens:
        if len(kept) == size:
            break
        if token.isascii() and token.isalpha():
            kept[token] = None
    rows = sorted(known[token] for token in kept)
    vocabulary = {tokens[row]: place for place, row in enumerate(rows)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=_UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")]
    )
    tokenizer.enable_truncation(max_length)
    return tokenizer, rows


def _is_character(token: str) -> bool:
    single = token.removeprefix(_CONTINUES)
    return len(single) == 1 and single < _LETTERS_END
