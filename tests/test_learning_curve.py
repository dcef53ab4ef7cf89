"""The learning_curve stage."""

import pandas as pd
import pytest

from pipeline.errors import DataError
from pipeline.learning_curve import SCORES, documents_share, measure_learning_curve
from pipeline.params import Params


def test_a_larger_share_of_the_documents_holds_the_smaller():
    table = pd.DataFrame({"document": [f"d{n // 3}" for n in range(60)]})
    small, large = (set(documents_share(table, share, 1)["document"]) for share in (0.1, 0.5))
    assert (len(small), len(large)) == (2, 10)
    assert small < large
    assert documents_share(table, 1.0, 1).equals(table)
    assert small != set(documents_share(table, 0.1, 2)["document"])


def test_every_share_is_scored_on_the_same_test_side(params: Params, dataset, tmp_path):
    output = tmp_path / "curve.csv"
    curve = measure_learning_curve(params, dataset, output)
    assert curve.columns.tolist() == ["share", "documents", "sentences", *SCORES]
    assert curve["share"].is_monotonic_increasing
    assert curve["share"].iloc[-1] == 1
    assert curve["sentences"].is_monotonic_increasing
    assert curve["macro_f1"].iloc[-1] > curve["macro_f1"].iloc[0]
    pd.testing.assert_frame_equal(pd.read_csv(output), curve)
    first = output.read_bytes()
    measure_learning_curve(params, dataset, output)
    assert output.read_bytes() == first


def test_without_a_dataset_the_stage_to_run_is_named(params: Params, tmp_path):
    with pytest.raises(DataError, match="dvc repro"):
        measure_learning_curve(params, tmp_path, tmp_path / "curve.csv")
    assert not (tmp_path / "curve.csv").exists()
