"""What MLflow's pyfunc interface calls."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from pipeline.classifier import PREDICTION_COLUMNS
from pipeline.errors import DataError, ModelError
from pipeline.model_folder import load_model
from pipeline.serving import PyfuncClassifier, _load_pyfunc

TEXTS = ["Leaders know their children well.", "By May, the council will recruit social workers.", ""]


@pytest.fixture(scope="module")
def served(model: Path) -> PyfuncClassifier:
    return _load_pyfunc(str(model))


def test_frames_series_and_lists_give_what_the_classifier_gives(served: PyfuncClassifier, model: Path):
    expected = load_model(model).predict(TEXTS)
    for given in (pd.DataFrame({"other": 1, "text": TEXTS}), pd.Series(TEXTS), TEXTS, tuple(TEXTS)):
        pd.testing.assert_frame_equal(served.predict(given), expected)
    assert tuple(expected.columns) == PREDICTION_COLUMNS


def test_rows_keep_their_index(served: PyfuncClassifier):
    assert served.predict(pd.DataFrame({"text": TEXTS}, index=[7, 3, 5])).index.tolist() == [7, 3, 5]


def test_no_sentence_gives_no_row(served: PyfuncClassifier):
    assert len(served.predict(pd.DataFrame({"text": []}))) == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (pd.DataFrame({"sentence": ["x"]}), "the input has no column 'text'; found: sentence."),
        ("one sentence", "found str; expected a DataFrame"),
        (None, "found NoneType"),
        (pd.DataFrame({"text": ["x", None]}), "row 1: found nan"),
        ([1.5], "row 0: found 1.5"),
    ],
)
def test_anything_else_is_refused_in_words(served: PyfuncClassifier, given: object, message: str):
    with pytest.raises(DataError) as caught:
        served.predict(given)
    assert message in str(caught.value)


def test_a_tampered_model_is_refused(model: Path, tmp_path: Path):
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    content = bytearray((folder / "model.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.npz").write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        _load_pyfunc(str(folder))
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    config["thresholds"]["strength"] = 2
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="thresholds"):
        _load_pyfunc(str(folder))
