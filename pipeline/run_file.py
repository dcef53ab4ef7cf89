"""models/run.json: the tracked file that leads from a checkout to its run in any MLflow store."""

import json
import re
from pathlib import Path

from pipeline.errors import TrackingError
from pipeline.files import json_bytes, replace_file
from pipeline.run_content import EXPERIMENT, KEY_TAG, REGISTERED_MODEL
from pipeline.run_record import KEY_DIGITS, RunRecord
from pipeline.store_location import has_store
from pipeline.tracking import open_store


def write_run_file(record: RunRecord, path: Path) -> None:
    """Write the file.

    Args:
        record: The run. The file holds its key and not MLflow's id, which would be another on every machine.
        path: models/run.json.
    """
    content = {
        "experiment": EXPERIMENT,
        "registered_model": REGISTERED_MODEL,
        "run_key": record.key,
        "model_version": record.version,
        "train_sha256": record.train_sha256,
        "test_sha256": record.test_sha256,
    }
    with replace_file(path) as temporary:
        temporary.write_bytes(json_bytes(content))


def read_run_key(path: Path) -> str:
    """Read the key of the run that a checkout belongs to.

    Args:
        path: models/run.json.

    Returns:
        The key.

    Raises:
        TrackingError: The file is missing or damaged.
    """
    try:
        key = json.loads(path.read_text(encoding="utf-8"))["run_key"]
    except (OSError, ValueError, KeyError, TypeError):
        key = None
    if not isinstance(key, str) or not re.fullmatch(rf"[0-9a-f]{{{KEY_DIGITS}}}", key):
        raise TrackingError(f"{path}: missing or damaged; run `dvc repro`.")
    return key


def find_run(run_file: Path = Path("models/run.json"), project: Path = Path()) -> str | None:
    """Find the run that a checkout belongs to.

    Args:
        run_file: The tracked file that holds the run's key.
        project: The project folder.

    Returns:
        Its id in the present store; None if that store has no such run.

    Raises:
        TrackingError: The file is missing or damaged, or the store cannot be reached.
    """
    key = read_run_key(run_file)
    if not has_store(project):
        return None
    with open_store(project, write=False) as store:
        return next(iter(store.runs(KEY_TAG, key)), None)


def describe_run(run_file: Path = Path("models/run.json"), project: Path = Path()) -> str:
    """Say which run of the present store a checkout belongs to.

    Args:
        run_file: The tracked file that holds the run's key.
        project: The project folder.

    Returns:
        A line.

    Raises:
        TrackingError: The store has no such run or cannot be reached, or the file is missing or damaged.
    """
    run_id = find_run(run_file, project)
    if run_id is None:
        raise TrackingError(f"{run_file}: the MLflow store has no such run; `findings register` logs it.")
    return f"This checkout belongs to run {run_id}."
