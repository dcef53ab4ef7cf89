"""The MLflow UI."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from pipeline.errors import TrackingError
from pipeline.mlflow_server import HOST, free_port, serve_ui
from pipeline.run_file import find_run
from tests.conftest import PROJECT


def test_without_runs_the_ui_says_what_to_do(tmp_path: Path):
    with pytest.raises(TrackingError, match="no runs yet: run `dvc repro`"):
        serve_ui(project=tmp_path)
    assert not (tmp_path / "mlruns").exists()


def test_a_taken_port_leads_to_the_next():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port


def test_the_ui_serves_the_store_and_stops_on_interrupt(registered: Path):
    code = (
        "import sys; from pathlib import Path; from pipeline.mlflow_server import serve_ui\n"
        "serve_ui(int(sys.argv[1]), lambda line: print(line, flush=True), Path(sys.argv[2]))\n"
        "print('stopped', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(free_port(25100)), str(registered)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("MLflow UI with 1 run: http://127.0.0.1:"), process.communicate()
        address = line.split()[-1].partition("/#/")[0]
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(
            f"{address}/ajax-api/2.0/mlflow/runs/search",
            data=json.dumps({"experiment_ids": ["1"]}).encode(),
            headers={"Content-Type": "application/json", "Origin": address},
        )
        with opener.open(request, timeout=30) as answer:
            (run,) = json.load(answer)["runs"]
        assert run["info"]["run_id"] == find_run()
        with opener.open(f"{address}/get-artifact?path=scores.json&run_id={find_run()}", timeout=30) as answer:
            assert "by_doc_type" in json.load(answer)
    finally:
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert output.endswith("stopped\n")
    with pytest.raises(OSError, match="refused"):
        opener.open(address, timeout=5)
