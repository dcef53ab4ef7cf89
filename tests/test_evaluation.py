import json

import numpy as np
import pandas as pd
import pytest

from pipeline.dataset import load_side
from pipeline.errors import DataError
from pipeline.evaluation import evaluate_candidate, evaluate_file, render_scores
from pipeline.labels import LABELS, format_labels
from pipeline.model_folder import load_model


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, params, model, dataset):
    root = tmp_path_factory.mktemp("evaluation")
    result = evaluate_candidate(params, model, dataset, root / "metrics.json", root / "evaluation", root / "plots")
    return root, result


def test_scores_stand_for_all_and_for_each_type(evaluated, dataset):
    root, result = evaluated
    test = load_side(dataset, "test")
    assert json.loads((root / "evaluation" / "scores.json").read_text(encoding="utf-8")) == result
    assert result["sentences"] == len(test)
    assert {name: part["sentences"] for name, part in result["by_doc_type"].items()} == dict(
        test["doc_type"].value_counts()
    )
    assert result["scores"]["macro_f1"]["value"] == pytest.approx(
        np.mean([result["scores"][f"{label}_f1"]["value"] for label in LABELS]), abs=1e-4
    )


def test_headlines_are_few_and_agree(evaluated):
    root, result = evaluated
    metrics = json.loads((root / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["macro_f1"] == result["scores"]["macro_f1"]["value"]
    for label in LABELS:
        assert metrics[label]["f1"] == result["scores"][f"{label}_f1"]["value"]


def test_worst_errors_are_errors_in_order(evaluated):
    root, _ = evaluated
    errors = pd.read_csv(root / "evaluation" / "errors.csv", keep_default_na=False)
    assert len(errors)
    assert (errors["truth"] != errors["answer"]).all()
    assert errors["loss"].is_monotonic_decreasing


def test_plot_tables(evaluated, dataset):
    root, _ = evaluated
    curve = pd.read_csv(root / "plots" / "precision_recall.csv")
    assert set(curve["label"]) == set(LABELS)
    assert curve["precision"].between(0, 1).all()
    calibration = pd.read_csv(root / "plots" / "calibration.csv")
    tested = len(load_side(dataset, "test"))
    assert calibration.groupby("label")["sentences"].sum().tolist() == [tested] * len(LABELS)
    assert len(pd.read_csv(root / "plots" / "confusion.csv")) == tested


def test_equal_input_gives_equal_bytes(evaluated, params, model, dataset, tmp_path):
    root, _ = evaluated
    evaluate_candidate(params, model, dataset, tmp_path / "metrics.json", tmp_path / "evaluation", tmp_path / "plots")
    files = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
    assert len(files) == 7
    for name in files:
        assert (tmp_path / name).read_bytes() == (root / name).read_bytes()


def _in_letters(mask):
    return "".join(label[0].upper() for label, on in zip(LABELS, mask, strict=True) if on) or "N"


@pytest.mark.parametrize("spell", [format_labels, _in_letters])
def test_a_file_of_labelled_sentences(tmp_path, params, model, spell):
    texts = [
        "Social workers visit children regularly and know them well.",
        "Inspection dates: 3 to 14 June 2019.",
        "Too many children wait too long for an assessment.",
    ]
    # The small model's own answers: how right it is has nothing to do with reading a file.
    answers = load_model(model).label(texts).chosen
    assert answers.any()

    def evaluated_with(masks):
        data = tmp_path / "labelled.csv"
        columns = {"id": [1, 2, 3], "text": texts, "labels": list(map(spell, masks)), "report": ["a", "b", "b"]}
        pd.DataFrame(columns).to_csv(data, index=False)
        return evaluate_file(params.evaluate, model, data)

    result = evaluated_with(answers)
    assert (result["sentences"], result["documents"]) == (3, 2)
    assert result["scores"]["exact_match"]["value"] == 1
    text = render_scores(result)
    assert "3 sentences of 2 documents" in text
    assert "strength" in text
    assert evaluated_with(~answers)["scores"]["exact_match"]["value"] == 0


def test_rows_without_document_count_alone(tmp_path, params, model):
    data = tmp_path / "labelled.jsonl"
    rows = [{"text": f"Plans number {n} are clear.", "labels": "S"} for n in range(4)]
    data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert evaluate_file(params.evaluate, model, data)["documents"] == 4


def test_files_without_sentences(tmp_path, params, model):
    data = tmp_path / "labelled.csv"
    data.write_text("text,labels\n", encoding="utf-8")
    with pytest.raises(DataError, match="no row with a text"):
        evaluate_file(params.evaluate, model, data)


@pytest.mark.shared
def test_the_shipped_champion_on_real_text(shared, params):
    from pipeline.model_folder import DEFAULT_MODEL
    from tests.conftest import PROJECT

    result = evaluate_file(params.evaluate, PROJECT / DEFAULT_MODEL, shared / "gold" / "dev.csv")
    assert result["sentences"] == 780
    # The README's figure, less what another release of a library may move.
    assert result["scores"]["macro_f1"]["value"] >= 0.79
