"""The verdict on a candidate."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import TrackingError
from pipeline.gate import Change
from pipeline.params import Params
from pipeline.promotion import (
    Rival,
    ScoredOn,
    Verdict,
    comparison_in,
    decide,
    describe_new_test_side,
    is_recorded,
    make_entry,
)
from pipeline.promotion_log import NEW_TEST_SIDE, Entry, append_entry, read_log
from pipeline.provenance import Provenance

OLD, NEW = Rival("aaaaaaaaaaaa", 0.7, 1000), Rival("bbbbbbbbbbbb", 0.712, 900)
GAIN = {"macro_f1": Change(0.712, 0.7, 0.012, 0.003, 0.02)}
ADA = Provenance("c", True, "l", "Ada")
SIDE = ScoredOn("t1", 1000, 20)


def entry(action: str, candidate: str, before: str | None, after: str | None, test: str = "t1") -> Entry:
    return Entry(
        "2026-01-02T03:04:05Z", action, candidate, before, after, 0.7, 0.7, 0.0, 0.005, test, "d", "c", "why", "Ada"
    )


def test_the_first_model_is_promoted(params: Params):
    assert decide(NEW, None, {}, params.register, []) == ("promoted", "first model")


def test_one_that_passes_the_gate_is_promoted_and_one_that_does_not_is_rejected(params: Params):
    action, reason = decide(NEW, OLD, GAIN, params.register, [])
    assert action == "promoted"
    assert reason.startswith("macro F1 0.7120 is 0.0120 above the champion's 0.7000 (98% interval")
    settings = replace(params.register, margin=0.05)
    action, reason = decide(NEW, OLD, GAIN, settings, [])
    assert action == "rejected"
    assert "it must be at least 0.05 above" in reason


def test_one_trained_on_clearly_less_data_is_rejected_whatever_it_gains(params: Params):
    less = replace(NEW, sentences=799)
    assert decide(less, OLD, GAIN, params.register, []) == (
        "rejected",
        "it was trained on 799 labelled sentences, less than 0.8 of the champion's 1,000; bring the labels and reports "
        "that are missing, or promote it by hand with `findings registry promote`",
    )
    assert decide(replace(NEW, sentences=800), OLD, GAIN, params.register, [])[0] == "promoted"
    assert decide(less, replace(OLD, sentences=None), GAIN, params.register, [])[0] == "promoted"
    assert decide(less, OLD, GAIN, replace(params.register, data_share=0.0), [])[0] == "promoted"


def test_the_same_model_is_unchanged_and_never_recorded(params: Params):
    assert decide(OLD, OLD, {}, params.register, [])[0] == "unchanged"
    verdict = Verdict("unchanged", "", OLD.version, OLD.version, OLD.version)
    assert is_recorded([], verdict, "t1")


def test_a_champion_that_cannot_be_used_any_more_is_replaced(params: Params):
    stale = Rival("aaaaaaaaaaaa", None, obstacle="it was saved in an earlier format")
    action, reason = decide(NEW, stale, {}, params.register, [])
    assert action == "promoted"
    assert "saved in an earlier format" in reason


def test_a_test_side_without_any_label_is_an_error(params: Params):
    with pytest.raises(TrackingError, match=r"macro F1 is not defined.*test_share"):
        decide(replace(NEW, macro_f1=None), OLD, {}, params.register, [])


def test_a_candidate_that_was_rolled_back_stays_out(params: Params):
    log = [entry("promoted", "b", "a", "b"), entry("rollback", "a", "b", "a")]
    assert decide(Rival("b", 0.9), Rival("a", 0.1), GAIN, params.register, log) == (
        "rejected",
        "it was rolled back on 2026-01-02 by Ada, and stays out until it changes",
    )
    assert decide(Rival("c", 0.9), Rival("a", 0.1), GAIN, params.register, log)[0] == "promoted"


def test_a_rejection_is_recorded_once_for_the_same_models_test_side_and_reason():
    log = [entry("promoted", "a", None, "a"), entry("rejected", "b", "a", "a")]
    rejected = Verdict("rejected", "why", "b", "a", "a")
    assert is_recorded(log, rejected, "t1")
    assert not is_recorded(log, rejected, "t2")
    assert not is_recorded(log, replace(rejected, candidate="c"), "t1")
    assert not is_recorded(log, replace(rejected, reason="another"), "t1")
    assert not is_recorded(log, replace(rejected, action="promoted"), "t1")


def test_a_new_test_side_is_described_once():
    champion = Rival("a", 0.75)
    assert describe_new_test_side([], SIDE, champion) == ""
    known = replace(entry("promoted", "a", None, "a"), test_sentences=1000, test_documents=20)
    assert describe_new_test_side([known], SIDE, champion) == ""
    grown = ScoredOn("t2", 1200, 25)
    told = describe_new_test_side([known], grown, champion)
    assert told == (
        "the test side grew from 1,000 sentences of 20 documents to 1,200 sentences of 25 documents; the champion a "
        "has macro F1 0.7500 on it, and had 0.7000 on the one before"
    )
    line = make_entry(Verdict(NEW_TEST_SIDE, told, "a", "a", "a", 0.75), test=grown, train_sha256=None, provenance=ADA)
    assert describe_new_test_side([known, line], grown, champion) == ""
    assert "shrank from 1,200 sentences" in describe_new_test_side([line], SIDE, champion)
    assert "changed from" in describe_new_test_side([line], replace(grown, sha256="t3"), champion)


def test_a_test_side_whose_size_was_not_recorded_goes_by_its_hash():
    told = describe_new_test_side([entry("promoted", "a", None, "a")], ScoredOn("t2", 9, 2), Rival("b", None))
    assert told == (
        "the test side changed from the one with hash t1 to 9 sentences of 2 documents; the champion b cannot be "
        "scored on it"
    )


def test_an_entry_tells_when_who_how_much_and_by_which_rule(tmp_path: Path, params: Params):
    verdict = Verdict("promoted", "why", "b", "a", "b", 0.71239, 0.7, GAIN)
    made = make_entry(verdict, test=SIDE, train_sha256="d", provenance=ADA, settings=params.register)
    assert made.difference == 0.0124
    assert (made.by, made.git_commit, made.git_dirty, made.lock_sha256) == ("Ada", "c", True, "l")
    assert (made.test_sha256, made.test_sentences, made.test_documents) == ("t1", 1000, 20)
    assert made.margin == params.register.margin
    assert made.at.endswith("Z")
    assert len(made.at) == 20
    append_entry(tmp_path / "log.jsonl", made)
    assert read_log(tmp_path / "log.jsonl") == [made]
    assert comparison_in(made) == GAIN
    by_hand = make_entry(verdict, test=SIDE, train_sha256="d", provenance=ADA)
    assert (by_hand.margin, by_hand.settings) == (None, None)


def test_summaries_name_the_model_and_the_reason():
    verdict = Verdict("rejected", "it is worse", "b", "a", "a", run_id="r1", number=4)
    assert verdict.summary() == (
        "Model b does not become champion: it is worse.\n"
        "Champion a stays. The candidate is version 4 in the MLflow registry, run r1."
    )
    assert Verdict("rollback", "why", "a", "b", "a", run_id="r1", number=4).summary() == (
        "Model a is the champion again: why.\nVersion 4 in the MLflow registry, run r1."
    )
    assert Verdict("promoted", "first model", "b", None, "b").summary() == ("Model b is the new champion: first model.")
    changed = Verdict("unchanged", "same", "b", "b", "b", test_change="the test side grew")
    assert changed.summary() == "The test side grew.\nModel b stays champion: same."
