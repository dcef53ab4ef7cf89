import pytest

from pipeline.review.items import POOLS, Item, columns_of, item_id, one_line, parse_answer


def test_a_blind_row_lacks_the_view_of_the_model():
    item = Item("s1", "Text.", "", "", "r.pdf", None, "", "why", "none", (0.1, 0.2, 0.3), "v")
    assert set(item.row(blind=False)) - set(item.row(blind=True)) == {
        "why",
        "model_labels",
        "p_strength",
        "p_weakness",
        "p_commitment",
        "model_version",
    }
    assert list(item.row(blind=True)) == list(columns_of(blind=True))


def test_identifiers_are_no_numbers_and_differ_by_document_key_and_pool():
    made = {item_id(document, key, pool) for document in "ab" for key in "cd" for pool in POOLS}
    assert len(made) == 4 * len(POOLS)
    assert all(one[0] == "s" and len(one) == 16 for one in made)


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (("yes", "no", "no"), (True, False, False)),
        (("YES ", "", None), (True, False, False)),
        ((True, False, False), (True, False, False)),
        (("no", "n", "False"), (False, False, False)),
        (("", None, " "), None),
    ],
)
def test_one_answer_settles_all_labels_and_empty_cells_settle_nothing(cells, labels):
    assert parse_answer(cells) == labels


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (("maybe", "no", "no"), "strength: found 'maybe'; accepted: yes, no, or an empty cell"),
        (("no", "", ""), 'weakness, commitment empty beside "no"'),
        (("strength", "", ""), "strength: found 'strength'"),
    ],
)
def test_wrong_and_half_answers(cells, message):
    with pytest.raises(ValueError) as caught:
        parse_answer(cells)
    assert message in str(caught.value)


def test_remarks_are_one_line():
    assert (one_line(None), one_line(" a\r\n b "), one_line(3)) == ("", "a b", "3")
