import json

import pytest

from pipeline.config_file import read_config
from pipeline.errors import ModelError


def read(path):
    return read_config(path, kind="model", accepted=2, needed=("labels", "data"), remedy="retrain")


def test_needed_keys_are_returned(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"format": 2, "labels": ["a"], "data": None, "other": 1}))
    assert read(path) == {"labels": ["a"], "data": None}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "found model format 'list', accepted: 2; retrain"),
        ('{"format": 1}', "found model format 1, accepted: 2; retrain"),
        ('{"format": 2, "labels": []}', "damaged, data missing; retrain"),
    ],
)
def test_a_configuration_that_cannot_be_used(tmp_path, content, message):
    path = tmp_path / "config.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelError, match=message):
        read(path)
