import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.vocabulary import Vocabulary
from pipeline.words import clean_text, words

# Letters that change under NFKC or lower case, accents of their own, signs that join words, and ends of lines.
ODD = "aAbB'-%£_ \n\r\t\x00\x01\x1f’‘‑–—“•…\xa0ÀéÉe\u0301\u0308İıſKΣσςϹ𝚺ﬁ％﹪½ﾞゞ가\u1100\u1161\u11a8٣\ud800\u0345ẞ.,"
TEXTS = st.lists(st.text(st.one_of(st.sampled_from(ODD), st.characters()), max_size=30), min_size=1, max_size=6)


def reference(texts):
    return [words(clean_text(text)) for text in texts]


@given(TEXTS)
@settings(deadline=None, max_examples=400)
def test_the_words_are_those_of_each_sentence_alone(texts):
    expected = reference(texts)
    known = sorted({word for found in expected for word in found})
    vocabulary = Vocabulary(known)
    numbers = {word: number for number, word in enumerate(known)}
    wanted = [number for found in expected for number in (*(numbers[word] for word in found), vocabulary.end)]
    assert vocabulary.encode(texts).tolist() == wanted


def test_words_that_are_not_known_have_their_place():
    vocabulary = Vocabulary(["plans", "late"])
    assert vocabulary.encode(["Plans - are 'late'", "", "--'"]).tolist() == [0, 2, 1, 3, 3, 3]
    assert vocabulary.unknown == 2


def test_foreign_text_does_not_fill_the_memory():
    vocabulary = Vocabulary([])
    texts = [chr(code) for code in range(0x4E00, 0x4E00 + 20_900)]
    assert np.count_nonzero(vocabulary.encode(texts) == vocabulary.end) == len(texts)
    assert len(vocabulary._folded) == 20_000
