import os

import pytest

from pipeline.environment import added_environment


def test_variables_hold_in_the_block_alone_and_what_the_user_set_stands(monkeypatch):
    monkeypatch.delenv("FINDINGS_ADDED", raising=False)
    monkeypatch.setenv("FINDINGS_OWN", "user")
    with added_environment({"FINDINGS_ADDED": "1", "FINDINGS_OWN": "2"}):
        assert os.environ["FINDINGS_ADDED"] == "1"
        assert os.environ["FINDINGS_OWN"] == "user"
    assert "FINDINGS_ADDED" not in os.environ
    assert os.environ["FINDINGS_OWN"] == "user"


def test_variables_are_gone_after_an_error(monkeypatch):
    monkeypatch.delenv("FINDINGS_ADDED", raising=False)
    with pytest.raises(RuntimeError), added_environment({"FINDINGS_ADDED": "1"}):
        raise RuntimeError
    assert "FINDINGS_ADDED" not in os.environ
