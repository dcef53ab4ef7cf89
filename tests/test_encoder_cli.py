import importlib.util

import pytest

from pipeline.cli import main


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
def test_without_pytorch(capsys):
    assert main(["encoder", "train"]) == 2
    message = capsys.readouterr().err
    assert "not installed" in message
    assert "inspection-findings[encoder]" in message
