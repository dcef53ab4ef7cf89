"""The accuracy benchmark: its pure helpers, and what it does where something is missing."""

import re
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import accuracy
from benchmarks.competitors import fit_tfidf, fit_transformer, from_polarity, plain_words, tuned_thresholds
from benchmarks.crossed import crossed_answers
from benchmarks.grades import overall_grade
from benchmarks.learning import draw
from benchmarks.material import era, markdown, number
from pipeline.cascade_tuning import Answers
from pipeline.fitting import Fit
from tests.bases import make_base
from tests.conftest import PROJECT


def test_without_a_dataset_nothing_is_measured_and_nothing_changes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(accuracy, "REPORT", tmp_path / "accuracy.md")
    assert accuracy.main(["--data", str(tmp_path)]) == 0
    assert "Nothing measured." in capsys.readouterr().out
    assert not accuracy.REPORT.exists()


def test_parts_stand_in_their_order_and_are_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(accuracy, "REPORT", tmp_path / "accuracy.md")
    accuracy.write("grades", "About grades.", ["first"])
    accuracy.write("comparison", "About the comparison.", ["second"])
    accuracy.write("grades", "About grades.", ["third"])
    text = accuracy.REPORT.read_text(encoding="utf-8")
    assert "first" not in text
    assert text.index("second") < text.index("third")
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == [
        accuracy.PARTS["comparison"],
        accuracy.PARTS["grades"],
    ]


def test_every_part_has_its_module():
    for name in accuracy.PARTS:
        assert (PROJECT / "benchmarks" / f"{name}.py").is_file()


def test_polarity_gives_strength_or_weakness_and_never_commitment():
    assert from_polarity([0.05, 0.04, -0.04, -0.05]).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_words_are_parted_from_punctuation():
    assert plain_words("Leaders’ plans, since 2019,\nhelp.") == "leaders ’ plans , since 2019 , help ."


def test_thresholds_come_from_groups_held_out():
    texts = ["good work", "poor work", "we will act"] * 20
    labels = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]] * 20, dtype=bool)
    groups = np.repeat([f"place {n}" for n in range(10)], 6).astype(object)
    thresholds = tuned_thresholds(fit_tfidf, texts, labels, groups, 5)
    assert ((thresholds > 0) & (thresholds < 1)).all()
    chosen = fit_tfidf(texts, labels)(texts[:3]) >= thresholds
    assert (chosen == labels[:3]).all()


def test_a_transformer_is_fine_tuned_plainly(params, tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'inspection-findings[encoder]'")
    pytest.importorskip("transformers")
    from pipeline.encoder_base import open_base

    texts = ["children plans good", "leaders plans weak"] * 40
    labels = np.array([[1, 0, 0], [0, 1, 0]] * 40, dtype=bool)
    settings = replace(params.encoder, epochs=6, batch=8, learning_rate=0.01)
    answers = fit_transformer(open_base(str(make_base(tmp_path))), settings, texts, labels)(texts[:2])
    assert ((answers > 0.5) == labels[:2]).all()


def test_the_curve_is_drawn(tmp_path):
    draw([(0.5, 10, 0.6), (1.0, 20, 0.7)], {"a level": 0.8}, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_grades_are_those_for_overall_effectiveness():
    assert overall_grade([["Adoption performance", "good"], ["Overall effectiveness", "inadequate"]]) == 4
    assert overall_grade([["Adoption performance", "good"]]) is None
    assert overall_grade([["Overall effectiveness", "not judged"]]) is None


def test_generations_of_reports():
    details = {"framework": "ILACS", "inspection_start": "2023-02-06", "published": None}
    assert era(details) == "ILACS since 2023"
    assert era({**details, "inspection_start": None, "published": "2019-01-02"}) == "ILACS before 2023"
    assert era({**details, "inspection_start": None}) == "ILACS, undated"
    assert era({**details, "framework": None}) == ""


def test_numbers_and_tables():
    assert [number(value) for value in (0.9304, -0.5, 1.0, None, float("nan"))] == [".930", "-.500", "1.000", "-", "-"]
    assert markdown(("a", "b"), [["x", "1"]]) == ["| a | b |", "| --- | ---: |", "| x | 1 |"]


def test_crossed_answers_are_right_where_the_encoder_is_sure():
    generator = np.random.default_rng(3)
    labels = generator.random((400, 3)) < 0.4
    encoder = np.where(labels, 4.0, -4.0) + generator.normal(0, 1, labels.shape)
    linear = np.where(labels, 0.5, -0.5) + generator.normal(0, 1, labels.shape)
    groups = np.arange(400) % 20
    fitted = Fit(None, None, {}, np.full(3, 0.5), {}, linear, np.zeros(len(linear), dtype=int), np.empty((0, 3)))
    scored = crossed_answers(Answers(linear, encoder, labels, groups), fitted, 0.3)
    right = {mode: (part.chosen == labels).mean() for mode, part in scored.items()}
    assert right["fast"] < right["balanced"] < right["accurate"]
    assert right["accurate"] > 0.99
