import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.batch import classify
from pipeline.cli import main
from pipeline.dataset import load_side
from pipeline.drift import FEW, SEVERAL_REPORTS, DriftMeter, population_stability, prose_rows
from pipeline.labels import LABELS
from pipeline.model_folder import load_model, load_reference

SPANISH = "Los niños esperan demasiado tiempo para una visita número {}."
SHARES = st.lists(st.integers(1, 1000), min_size=10, max_size=10).map(lambda n: (np.array(n) / sum(n)).tolist())


@pytest.fixture(scope="module")
def classifier(model):
    return load_model(model)


def measured(texts, classifier, model, doc_type="inspection_report", pieces=1):
    answers = classifier.label(texts)
    table = answers.to_arrow().append_column("doc_type", pa.array([doc_type] * len(texts), pa.string()))
    meter = DriftMeter(classifier, load_reference(model))
    for rows in np.array_split(np.arange(len(texts)), pieces):
        meter.add(table.take(pa.array(rows)), *answers.words[rows].sum(axis=0).tolist())
    return meter.measure()


def test_the_index_by_hand():
    # (.6 - .5) ln(.6 / .5) + (.4 - .5) ln(.4 / .5)
    assert population_stability([0.5, 0.5], [0.6, 0.4]) == pytest.approx(0.1 * np.log(1.2) - 0.1 * np.log(0.8))


@given(SHARES, SHARES)
def test_the_index_is_symmetric_and_never_negative(first, second):
    assert population_stability(first, second) == pytest.approx(population_stability(second, first))
    assert population_stability(first, second) >= 0
    assert population_stability(first, first) == 0


def test_more_of_the_same_is_no_drift(dataset, classifier, model):
    test = load_side(dataset, "test")
    test = test[test["kind"] == "paragraph"]
    found = measured(test["text"].tolist() * 3, classifier, model)
    assert found["sentences"]["all"] >= FEW
    assert found["warnings"] == []
    assert found["unknown_words"]["now"] == pytest.approx(found["unknown_words"]["training"], abs=0.05)


def test_another_language_is_noticed(classifier, model):
    texts = [SPANISH.format(number) for number in range(FEW)]
    found = measured(texts, classifier, model, "unheard_of")
    told = " ".join(found["warnings"])
    assert "of words unseen in training" in told
    assert "a new framework" in told
    assert f"no training document is of the type unheard_of ({FEW} sentences): label some" in told


def test_few_sentences_tell_nothing_and_none_is_no_error(classifier, model):
    assert measured([SPANISH] * (FEW - 1), classifier, model)["warnings"] == []
    found = measured([], classifier, model)
    assert found["sentences"] == {"all": 0}
    assert set(found["population_stability"].values()) == {0.0}


def test_one_report_may_blame_and_many_tell_a_shift(classifier, model):
    told = measured(["Children wait too long for help."] * (SEVERAL_REPORTS - 1), classifier, model)["warnings"]
    assert not any("are spread otherwise" in line for line in told)
    told = measured(["Children wait too long for help."] * SEVERAL_REPORTS, classifier, model)["warnings"]
    assert any("probabilities of weakness are spread otherwise than in training" in line for line in told)
    assert any(line.startswith("inspection_report: 100% of sentences are weakness, in training") for line in told)


def test_pieces_add_up(dataset, classifier, model):
    texts = load_side(dataset, "test")["text"].tolist()
    assert measured(texts, classifier, model, pieces=7) == measured(texts, classifier, model)


def test_headings_do_not_count(classifier, model):
    texts = ["Overview", "Visits are often late."]
    table = classifier.label(texts).to_arrow().append_column("kind", pa.array(["heading", "paragraph"]))
    assert prose_rows(table) == [1]
    meter = DriftMeter(classifier, load_reference(model))
    meter.add(table, 4, 0)
    assert meter.measure()["sentences"] == {"all": 1}


def test_unknown_words_are_counted(classifier):
    known, strange = "Visits are often late.", "Zyxwv visits are qponm late."
    counted = classifier.label([known, "", strange]).words
    assert counted.tolist() == [[4, 0], [0, 0], [5, 2]]


def test_a_batch_says_so_in_a_file_on_the_page_and_in_words(model, tmp_path, capsys):
    table = tmp_path / "sentences.csv"
    table.write_text("text\n" + "".join(f"{SPANISH.format(n)}\n" for n in range(300)), encoding="utf-8")
    out = tmp_path / "out"
    assert main(["classify", str(table), "--output", str(out), "--model", str(model)]) == 0
    told = capsys.readouterr().err
    assert "Unlike the training data: " in told
    content = json.loads((out / "drift.json").read_text(encoding="utf-8"))
    assert content["sentences"] == {"all": 300}
    assert set(content["population_stability"]) == set(LABELS)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "Unlike the training data" in page
    for line in content["warnings"]:
        assert line in told
        assert line in page


def test_a_short_document_is_measured_and_not_warned_of(model, tmp_path):
    path = tmp_path / "carta.txt"
    path.write_text("\n\n".join(SPANISH.format(n) for n in range(9)), encoding="utf-8")
    result = classify([path], tmp_path / "out", model=model)
    assert result.moved == ()
    assert json.loads((tmp_path / "out" / "drift.json").read_text(encoding="utf-8"))["sentences"]["all"] == 9
    assert "Unlike the training data" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
