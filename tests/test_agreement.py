import pytest

from pipeline.review.agreement import measure_agreement, render_agreement
from tests.reviews import event

# anna and ben on ten sentences; by hand: strength agrees on 8 of 10, by chance .5*.5+.5*.5 = .5, so kappa is .6.
ANNA = ["strength"] * 5 + ["none"] * 5
BEN = ["strength"] * 4 + ["none"] + ["strength"] + ["none"] * 4


@pytest.fixture
def events():
    answers = [("anna", ANNA), ("ben", BEN)]
    return [event(f"Text {n}.", labels, name) for name, given in answers for n, labels in enumerate(given)]


def test_kappa_by_hand(events):
    (pair,) = measure_agreement(events).pairs
    assert (pair.reviewers, pair.sentences, pair.exact) == (("anna", "ben"), 10, 0.8)
    assert pair.kappa["strength"] == pytest.approx(0.6)
    assert pair.kappa["weakness"] is None  # nobody ever said so


def test_conflicts_are_open_until_an_adjudicator_answers(events):
    assert len(measure_agreement(events).conflicts) == 2
    judged = [*events, event("Text 4.", "strength", "judy", settles=True)]
    agreement = measure_agreement(judged)
    assert (len(agreement.conflicts), agreement.settled) == (1, 1)
    # An adjudicator has seen the answers of the others, and says nothing of agreement.
    assert [pair.reviewers for pair in agreement.pairs] == [("anna", "ben")]


def test_what_is_shown(events):
    text = render_agreement(measure_agreement(events))
    assert "anna / ben         10          80%      0.60         -           -" in text
    assert "2 in disagreement, 0 settled" in text
    assert "- Text 4. (plan.pdf)\n    anna: strength | ben: none" in text
    assert "No two reviewers" in render_agreement(measure_agreement(events[:10]))
