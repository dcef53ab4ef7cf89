"""Where the MLflow store lies."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from pipeline import store_location
from pipeline.errors import TrackingError
from pipeline.store_location import check_database, tracking_uri, without_password


def test_another_store_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert tracking_uri(tmp_path) == "http://127.0.0.1:9"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", " ")
    assert tracking_uri(tmp_path).startswith("sqlite:///")


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("postgresql://ada:secret@host/runs", "postgresql://host/runs"),
        ("http://ada:s@cret@host:5000/a@b?token=x", "http://host:5000/a@b"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("sqlite:////home/a@b/mlflow.db", "sqlite:////home/a@b/mlflow.db"),
    ],
)
def test_a_password_is_not_shown(uri: str, shown: str):
    assert without_password(uri) == shown


@pytest.fixture
def locked(tmp_path: Path):
    """A store on which another connection holds the write lock."""
    (tmp_path / "mlruns").mkdir()
    path = tmp_path / "mlruns" / "mlflow.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE x (y)")
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_a_database_that_stays_locked(locked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store_location, "_LOCK_SECONDS", 0.1)
    check_database(tmp_path, write=False)
    with pytest.raises(TrackingError, match="another program has kept it locked"):
        check_database(tmp_path)
    locked.execute("ROLLBACK")
    check_database(tmp_path)


def test_a_lock_is_waited_for(locked, tmp_path: Path):
    timer = threading.Timer(0.5, lambda: locked.execute("ROLLBACK"))
    timer.start()
    check_database(tmp_path)
    timer.join()
