"""What a run shows in MLflow."""

from pipeline.run_content import describe_champion, flat_metrics, label_sources

SCORE = {"value": 0.8, "low": 0.7, "high": 0.9}
UNDEFINED = {"value": None, "low": None, "high": None}
NAMES = ("macro_f1", "micro_f1", "exact_match", "brier", "ece")
LABEL_NAMES = ("f1", "precision", "recall", "average_precision", "ece")
TEST = {
    "sentences": 1155,
    "documents": 37,
    "scores": {
        **dict.fromkeys(NAMES, SCORE),
        **{f"{label}_{name}": SCORE for label in ("strength", "weakness") for name in LABEL_NAMES},
        **{f"commitment_{name}": UNDEFINED for name in LABEL_NAMES},
    },
    "by_mode": {"fast": {"macro_f1": 0.75, "exact_match": 0.6, "encoder_share": 0.0}},
}


def test_headlines_come_first_and_what_is_not_defined_is_left_out():
    metrics = flat_metrics(TEST)
    assert list(metrics)[:3] == ["macro_f1", "strength_f1", "weakness_f1"]
    assert metrics["mode/fast_macro_f1"] == 0.75
    assert (metrics["macro_f1_low"], metrics["test_documents"]) == (0.7, 37.0)
    assert not [name for name in metrics if "commitment" in name]


def test_a_document_type_of_any_name_is_a_name_that_mlflow_takes():
    by_doc_type = {"visit: joint (2)": {"sentences": 5, "scores": {"macro_f1": UNDEFINED, "exact_match": SCORE}}}
    metrics = flat_metrics({**TEST, "by_doc_type": by_doc_type})
    assert metrics["type/visit_ joint _2__exact_match"] == 0.8
    assert metrics["type/visit_ joint _2__sentences"] == 5.0
    assert "type/visit_ joint _2__macro_f1" not in metrics


def test_labels_are_counted_by_source():
    files = {
        "data/labels/authored-a.jsonl": 30,
        "data/labels/authored-b.jsonl": 12,
        "data/labels/public-train.jsonl": 8415,
        "data/labels/reviewed/ann-2026-11-01.jsonl": 60,
        "data/labels/letters.csv": 7,
    }
    assert label_sources(files) == "public 8,415, reviewed 60, authored 42, letters 7"


def test_a_champion_from_elsewhere_shows_the_scores_that_it_brings():
    text = describe_champion("0123456789ab", TEST)
    assert text.startswith("Champion 0123456789ab.")
    assert "Macro F1 **0.800 (0.700 to 0.900)**" in text
    assert "1,155 sentences of 37 documents" in text
    assert "- weakness: F1 **0.800 (0.700 to 0.900)**, precision 0.800, recall 0.800" in text
    assert "- commitment: F1 **not defined**" in text
    assert "F1" not in describe_champion("0123456789ab", None)
