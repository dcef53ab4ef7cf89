"""The MLflow UI on the project's store, as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from pipeline.errors import TrackingError
from pipeline.store_location import (
    STORE_FOLDER,
    artifact_root,
    has_store,
    is_server,
    remove_stray,
    tracking_uri,
    without_password,
)
from pipeline.tracking import open_store

HOST = "127.0.0.1"
_PORTS_TRIED = 20
_START_SECONDS = 90.0
_STOP_SECONDS = 10.0
_LOG_LINES = 15


def serve_ui(port: int = 5000, announce: Callable[[str], None] = lambda line: None, project: Path = Path()) -> None:
    """Open the MLflow UI on the project's store, until Ctrl-C.

    Args:
        port: Port on 127.0.0.1; if it is taken, the next free one.
        announce: Called with each line for the person: the address, the number of runs, how to stop.
        project: The project folder.

    Raises:
        TrackingError: There is no run to show, no port is free, or the server does not start.
    """
    count, experiment = 0, ""
    if has_store(project):
        with open_store(project, write=False) as store:
            count = len(store.runs())
            experiment = store.page()
    if not count:
        raise TrackingError("no runs yet: run `dvc repro`.")
    uri = tracking_uri(project)
    runs = f"{count} run" if count == 1 else f"{count} runs"
    if is_server(uri):
        announce(f"{runs} on the MLflow server: {without_password(uri)}{experiment}")
        return
    port = free_port(port)

    def ready() -> None:
        announce(f"MLflow UI with {runs}: http://{HOST}:{port}{experiment}")
        announce(f"Store: {without_password(uri)}. Stop with Ctrl-C.")

    try:
        run_server(uri, artifact_root(project), port, project / STORE_FOLDER / "ui.log", ready)
    finally:
        remove_stray(uri)


def free_port(first: int) -> int:
    """Find a port that nothing listens on.

    Args:
        first: The port to begin with.

    Returns:
        That port, or the next free one.

    Raises:
        TrackingError: None of the next twenty is free.
    """
    last = min(first + _PORTS_TRIED - 1, 65535)
    for port in range(first, last + 1):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if os.name != "nt":
                # As the server does it: a port that has only just been left counts as free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((HOST, port))
                return port
    raise TrackingError(f"ports {first} to {last} are all taken; name another one with --port.")


def run_server(store: str, artifacts: str, port: int, log: Path, ready: Callable[[], None]) -> None:
    """Run the MLflow UI until it is interrupted (Ctrl-C, or a request to end).

    Args:
        store: Database address of the store.
        artifacts: Address of the folder for artifacts.
        port: Free port on 127.0.0.1.
        log: File for what the server has to say.
        ready: Called once it answers.

    Raises:
        TrackingError: It does not start; the message holds the end of its log.
    """
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", store, "--default-artifact-root", artifacts]
    # No job runners: the UI shows runs and models, and needs nothing else.
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output, _termination_interrupts():
        # In a session of its own, Ctrl-C reaches this process alone, which then ends the server in order.
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
        try:
            _wait_until_ready(server, port, log)
            ready()
            server.wait()
        except KeyboardInterrupt:
            return
        finally:
            _stop(server)
    raise TrackingError(f"the MLflow UI ended by itself:\n{_tail(log)}")


def _wait_until_ready(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Poll the health page."""
    # A proxy of the environment must not stand between this machine and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(urllib.error.URLError, OSError), opener.open(f"http://{HOST}:{port}/health", timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise TrackingError(f"the MLflow UI did not start:\n{_tail(log)}")


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """End the server and what it started."""
    if server.poll() is None:
        server.terminate()  # MLflow passes this on to its worker
        with suppress(subprocess.TimeoutExpired):
            server.wait(_STOP_SECONDS)
    if os.name != "nt":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(server.pid, signal.SIGKILL)
    elif server.poll() is None:
        server.kill()
    server.wait()


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """Treat a request to end (SIGTERM) like Ctrl-C, so that the server does not outlive this process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_LOG_LINES:]) or "(it said nothing)"
