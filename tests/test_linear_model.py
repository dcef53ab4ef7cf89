from pipeline.linear_model import PARTS, Kind
from tests.test_model_file import COUNT, MODEL, WORDS


def test_terms_in_words():
    assert [MODEL.term(rank) for rank in range(len(WORDS), COUNT)] == [
        "plans late",
        "late",
        "late",
        "plans",
        "plans late",
        "late plans",
        "late plans",
    ]


def test_terms_that_share_words_have_other_keys():
    several = MODEL.before >= 0
    assert len(set(MODEL.keys[several].tolist())) == several.sum()
    assert (MODEL.keys[several] >= 0).all()
    assert (MODEL.keys[~several] < 0).all()


def test_every_kind_has_a_part():
    assert [PARTS[kind.part] for kind in Kind] == ["runs", "contrast", "contrast", "contrast", "gaps", "signals"]
