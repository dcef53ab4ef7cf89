import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.labels import LABELS, format_labels
from pipeline.model_folder import load_model
from pipeline.params import ReviewParams
from pipeline.review.findings import load_findings
from pipeline.review.queue import Distinct, choose, word_pairs
from pipeline.sentences import LAYOUT_KINDS

THRESHOLDS = dict.fromkeys(LABELS, 0.5)
WORDS = st.lists(st.sampled_from("plans are clear and visits stay late today".split()), max_size=8).map(" ".join)


def jaccard(one, other):
    first, second = word_pairs(one), word_pairs(other)
    return len(first & second) / len(first | second) if first | second else 0.0


def table(rows):
    """Findings of (document, text, probabilities)."""
    records = []
    for document, text, chances in rows:
        mask = [chance >= 0.5 for chance in chances]
        records.append(
            {
                "document": document,
                "key": text,
                "text": text,
                "kind": "paragraph",
                **dict(zip(LABELS, mask, strict=True)),
                "labels": format_labels(mask),
                **dict(zip((f"p_{label}" for label in LABELS), chances, strict=True)),
            }
        )
    return pd.DataFrame(records)


@given(st.lists(WORDS, max_size=8), WORDS)
def test_the_index_gives_the_exact_similarity(texts, text):
    distinct = Distinct(0.5)
    for one in texts:
        distinct.add(one)
    assert distinct.nearest(text) == pytest.approx(max((jaccard(text, one) for one in texts), default=0.0))


def test_near_duplicates_are_kept_out():
    distinct = Distinct(0.6)
    assert distinct.offer("Too many children in Thornhaven wait too long for a visit.")
    assert not distinct.offer("Too many children in Thornhaven wait too long for a visit!")
    assert not distinct.offer("Too many children in Silverholt wait too long for a visit, still.")
    assert distinct.offer("Too many plans are late.")


def test_every_reason_has_its_share(findings, model):
    rows = load_findings(findings)
    none = np.zeros(len(rows), dtype=bool)
    params = ReviewParams(size=60, similarity=0.9)
    candidate = load_model()
    chosen = choose(rows, none, load_model(model).config.thresholds, candidate, params)
    assert len(chosen) == 60
    counts = chosen["pool"].value_counts()
    assert counts["natural"] == 15
    assert counts["disagreement"] == 15
    assert counts["rare"] <= 9
    assert not chosen["kind"].isin(LAYOUT_KINDS).any()
    assert not chosen.duplicated(["document", "key"]).any()
    assert chosen.index.is_monotonic_increasing
    told = dict(zip(chosen["pool"], chosen["why"].str.split(":").str[0], strict=True))
    assert told == {
        "natural": "drawn at random",
        "disagreement": "models differ",
        "rare": "rare labels",
        "uncertain": "unsure",
    }


def test_of_equal_words_the_least_sure_come_first():
    rows = table([("d", f"Sentence of kind {n} here.", (0.5 + n / 100, 0.0, 0.0)) for n in range(9, 0, -1)])
    params = ReviewParams(size=2, random_share=0.0, rare_share=0.0, similarity=0.99)
    chosen = choose(rows, np.zeros(9, dtype=bool), THRESHOLDS, None, params)
    assert chosen["text"].tolist() == ["Sentence of kind 2 here.", "Sentence of kind 1 here."]
    assert chosen["why"].iloc[1] == "unsure: strength 0.51, threshold 0.50"


def test_words_that_labels_lack_come_first():
    texts = [f"Plans for town {n} are clear." for n in range(6)] + [
        f"Kinship carers meet in town {n}." for n in range(6)
    ]
    rows = table([("d", text, (0.5, 0.0, 0.0)) for text in texts])
    labelled = np.arange(12) < 4
    params = ReviewParams(size=2, random_share=0.0, rare_share=0.0, similarity=0.99)
    chosen = choose(rows, labelled, THRESHOLDS, None, params)
    assert chosen["text"].str.startswith("Kinship").all()


def test_a_sentence_of_several_documents_comes_once():
    rows = table([(f"d{n % 4}", f"Sentence {n // 4} stands here.", (0.5, 0.0, 0.0)) for n in range(40)])
    chosen = choose(rows, np.zeros(40, dtype=bool), THRESHOLDS, None, ReviewParams(size=40, similarity=0.99))
    assert sorted(chosen["text"]) == sorted(set(rows["text"]))


def test_rare_sets_of_labels_come_in_turn():
    common = [("d", f"Common {n}.", (0.9, 0.1, 0.1)) for n in range(95)]
    rare = [("d", f"Plan number {n}.", (0.1, 0.1, 0.9)) for n in range(3)]
    rarest = [("d", f"Both at once {n}.", (0.1, 0.9, 0.9)) for n in range(2)]
    rows = table([*common, *rare, *rarest])
    params = ReviewParams(size=4, random_share=0.0, disagreement_share=0.0, rare_share=1.0, similarity=0.99)
    chosen = choose(rows, np.zeros(100, dtype=bool), THRESHOLDS, None, params)
    assert sorted(chosen["labels"]) == ["commitment", "commitment", "weakness; commitment", "weakness; commitment"]
    assert "rare labels: commitment (3.0% of sentences)" in set(chosen["why"])


def test_the_random_share_is_one_draw_over_many_queues():
    rows = table([(f"d{n % 7}", f"Sentence {n} stands here.", (0.5, 0.0, 0.0)) for n in range(200)])
    params = ReviewParams(size=20, random_share=1.0, disagreement_share=0.0, rare_share=0.0)
    labelled = np.zeros(200, dtype=bool)
    both = choose(rows, labelled, THRESHOLDS, None, ReviewParams(**{**vars(params), "size": 40}))
    first = choose(rows, labelled, THRESHOLDS, None, params)
    labelled[first.index] = True
    second = choose(rows, labelled, THRESHOLDS, None, params)
    assert set(first.index) | set(second.index) == set(both.index)
    other = choose(rows, np.zeros(200, dtype=bool), THRESHOLDS, None, ReviewParams(**{**vars(params), "seed": 1}))
    assert set(other.index) != set(first.index)
    # Random means random: near-duplicates of what was chosen or labelled may be drawn.
    assert set(first["pool"]) == {"natural"}


def test_nothing_labelled_is_chosen_and_an_empty_table_gives_an_empty_queue():
    rows = table([("d", f"Sentence {n} stands here.", (0.5, 0.0, 0.0)) for n in range(5)])
    assert choose(rows, np.ones(5, dtype=bool), THRESHOLDS, None, ReviewParams()).empty
