"""Errors of an MLflow store, in words: against a real server that refuses, and one that is not there."""

import http.server
import threading

import pytest

from pipeline.errors import TrackingError
from pipeline.registry import list_versions
from pipeline.store_errors import explain, first_line


@pytest.fixture
def server(monkeypatch):
    """A server that answers every request with the status that it is told."""

    class Answer(http.server.BaseHTTPRequestHandler):
        status = 401

        def do_GET(self):
            self.send_response(self.status)
            self.end_headers()
            self.wfile.write(b"no")

        do_POST = do_GET  # noqa: N815

        def log_message(self, *arguments):
            pass

    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    yield Answer, service.server_address[1]
    service.shutdown()
    service.server_close()


@pytest.mark.parametrize(
    ("status", "said"), [(401, "refuses this user and password"), (403, "ada may not do this"), (503, "is not at work")]
)
def test_a_server_that_refuses(server, status, said, tmp_path, monkeypatch):
    answer, port = server
    answer.status = status
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ada:top-secret@127.0.0.1:{port}")
    with pytest.raises(TrackingError, match=said) as caught:
        list_versions(tmp_path)
    assert f"MLflow store http://127.0.0.1:{port}: " in str(caught.value)
    assert "top-secret" not in str(caught.value)


def test_a_server_that_is_down(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ada:top-secret@127.0.0.1:9")
    with pytest.raises(TrackingError, match="does not answer") as caught:
        list_versions(tmp_path)
    assert "top-secret" not in str(caught.value)


def test_other_errors_are_quoted_without_the_password():
    uri = "postgresql://ada:s@cret@host/runs?password=x"
    error = ValueError(f"cannot use {uri}\nmore")
    assert first_line(error, uri) == "cannot use postgresql://host/runs?password=x"
    assert explain(error, uri).startswith("MLflow store postgresql://host/runs: cannot use postgresql://host/runs")
