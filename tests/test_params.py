import re
from pathlib import Path

import pytest
import yaml

from pipeline.errors import ParamsError
from pipeline.labels import LABELS
from pipeline.params import Params, ToleranceParams, load_params

SHIPPED = Path(__file__).parent.parent / "params.yaml"


@pytest.fixture
def written(tmp_path):
    """Write the shipped settings after one change; return the file."""

    def write(change):
        settings = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
        change(settings)
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return path

    return write


def test_shipped_file_is_valid_and_explained():
    assert isinstance(load_params(SHIPPED), Params)
    docs = (SHIPPED.parent / "docs" / "retraining.md").read_text(encoding="utf-8")
    for section, keys in yaml.safe_load(SHIPPED.read_text(encoding="utf-8")).items():
        for key, value in keys.items():
            names = [f"{section}.{key}"]
            if isinstance(value, dict) and f"`{names[0]}`" not in docs:
                names = [f"{section}.{key}.{part}" for part in value]
            assert all(f"`{name}`" in docs for name in names), key


def test_a_stage_starts_again_when_one_of_its_settings_changes():
    # `encoder` and `review` are read by commands that no stage calls.
    settings = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    stages = yaml.safe_load((SHIPPED.parent / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    read = {name: set(stage.get("params", [])) for name, stage in stages.items()}
    assert set().union(*read.values()) == {
        f"{section}.{key}" for section in settings.keys() - {"encoder", "review"} for key in settings[section]
    }
    for section in ("features", "copies", "train", "cascade"):
        assert {f"{section}.{key}" for key in settings[section]} <= read["train"]
    assert read["soft_labels"] == {f"copies.{key}" for key in settings["copies"]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s["train"].update(fold=3), "unknown key train.fold (did you mean folds?)"),
        (lambda s: s.update(trian={}), "unknown key trian (did you mean train?)"),
        (lambda s: s["train"].update(xyz=3), "unknown key train.xyz (accepted: C, class_weight, folds"),
        (lambda s: s["train"].pop("folds"), "train.folds is missing"),
        (lambda s: s.pop("dataset"), "dataset is missing"),
        (lambda s: s["dataset"].update(test_share=1.5), "dataset.test_share: found 1.5"),
        (lambda s: s["dataset"].update(test_share="0.2"), "dataset.test_share: found '0.2'"),
        (lambda s: s["train"].update(C=float("nan")), "train.C: found nan"),
        (lambda s: s["train"].update(folds=True), "train.folds: found True"),
        (lambda s: s["train"].update(class_weight="x"), "train.class_weight: found 'x'"),
        (lambda s: s.update(train=3), "train: found 3"),
        (lambda s: s["review"].update(similarity=1.0), "review.similarity: found 1.0"),
        (lambda s: s["review"].update(random_share=0.8), "must not add up to more than 1"),
        (lambda s: s["register"].update(data_share=1.5), "register.data_share: found 1.5"),
        (
            lambda s: s["register"]["tolerance"].update(weaknes=0.1),
            "key register.tolerance.weaknes (did you mean weakness?",
        ),
        (lambda s: s["register"]["tolerance"].pop("strength"), "register.tolerance.strength is missing"),
    ],
)
def test_wrong_settings_are_named(written, change, message):
    path = written(change)
    with pytest.raises(ParamsError, match=re.escape(message)) as caught:
        load_params(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_every_label_has_a_tolerance():
    assert tuple(ToleranceParams.__dataclass_fields__) == LABELS


def test_every_wrong_place_is_listed(written):
    path = written(lambda s: s["train"].update(folds=1, C=-1.0))
    with pytest.raises(ParamsError) as caught:
        load_params(path)
    assert "train.C" in str(caught.value)
    assert "train.folds" in str(caught.value)


def test_files_that_are_no_settings(tmp_path):
    path = tmp_path / "params.yaml"
    with pytest.raises(ParamsError, match="cannot be read"):
        load_params(path)
    path.write_text("a: [", encoding="utf-8")
    with pytest.raises(ParamsError, match="not valid YAML"):
        load_params(path)
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ParamsError, match="not valid YAML"):
        load_params(path)
    path.write_text("- a", encoding="utf-8")
    with pytest.raises(ParamsError, match="found list, expected sections extract, dataset"):
        load_params(path)
