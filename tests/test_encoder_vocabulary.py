import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from pipeline.encoder_vocabulary import prune_tokenizer
from pipeline.errors import UsageError

LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
WORDS = ["children", "leaders", "plans", "zebra", "##s", "##ren", "the", "of", "quartz", "good"]
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *(f"##{one}" for one in LETTERS if one != "s"), *WORDS]
TEXTS = ["Leaders plans", "leaders plans", "plans of leaders"]


def base():
    tokenizer = Tokenizer(models.WordPiece({token: rank for rank, token in enumerate(TOKENS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def test_the_domain_first_then_general_words_in_their_order():
    size = 4 + len(LETTERS) * 2 + 4
    tokenizer, rows = prune_tokenizer(base(), TEXTS, size, 16)
    kept = set(tokenizer.get_vocab())
    assert {"leaders", "plans", "children", "zebra"} <= kept
    assert not kept & {"quartz", "good", "##ren"}
    assert [TOKENS[row] for row in rows] == sorted(kept, key=tokenizer.token_to_id)


@given(st.text(alphabet=st.sampled_from([*LETTERS, " ", "Z", "é"]), max_size=40))
def test_every_word_can_still_be_spelt(text):
    tokenizer, _ = prune_tokenizer(base(), TEXTS, 4 + len(LETTERS) * 2 + 2, 64)
    encoding = tokenizer.encode(text)
    assert "[UNK]" not in encoding.tokens
    assert (encoding.tokens[0], encoding.tokens[-1]) == ("[CLS]", "[SEP]")
    assert len(encoding.ids) <= 64


def test_too_small_for_the_domain():
    with pytest.raises(UsageError, match="the domain alone needs 58"):
        prune_tokenizer(base(), TEXTS, 57, 16)


def test_another_kind_of_tokenizer():
    with pytest.raises(UsageError, match="not WordPiece"):
        prune_tokenizer(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")), TEXTS, 100, 16)
