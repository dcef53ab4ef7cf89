"""The track stage: the MLflow store brought up to date with the run, and with the drift of the newest findings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.drift import DRIFT_FILE, read_drift
from pipeline.errors import StoreError
from pipeline.files import json_bytes, replace_file
from pipeline.labels import LABELS
from pipeline.params import Params
from pipeline.reference import ALL
from pipeline.registration import register_candidate
from pipeline.run_file import find_run
from pipeline.tracking import open_store

RECEIPT = Path("mlruns/receipt.json")
_DRIFT_TAG = "drift"
_NOTHING = "nothing moved much"
_LONGEST_TAG = 5000


def track_run(params: Params, findings: Path = Path("data/findings"), receipt: Path = RECEIPT) -> list[str]:
    """Log the run if it is not in the store yet, and the drift of the newest findings with it.

    It is the last stage: when the store does not answer, all results are there already, and the next `dvc repro` goes
    on here.

    Args:
        params: All settings.
        findings: Folder of the classify stage.
        receipt: Written when all is in the store. It lies in the store's folder: without a store it is missing, so that
            the stage runs.

    Returns:
        What moved, in words.

    Raises:
        StoreError: The store does not answer, is locked, or refuses.
        TrackingError: The findings have no drift.json, or it is damaged.
    """
    path = findings / DRIFT_FILE
    metrics, warnings = read_drift(path, flat_drift, "dvc repro --force classify")
    run_id = find_run()
    if run_id is None:
        verdict = register_candidate(params)
        if verdict.run_id is None:
            raise StoreError(f"{verdict.not_logged} Everything else is done; `dvc repro` will go on here.")
        run_id = verdict.run_id
    with open_store() as store:
        store.add(run_id, metrics, {_DRIFT_TAG: " ".join(warnings)[:_LONGEST_TAG] or _NOTHING}, [path])
    with replace_file(receipt) as temporary:
        temporary.write_bytes(json_bytes({"drift": metrics}))
    return warnings


def flat_drift(drift: Mapping[str, Any]) -> dict[str, float]:
    """Name what was measured as metrics of a run.

    Args:
        drift: Content of drift.json.

    Returns:
        Values by name.
    """
    metrics = {"drift/unknown_words": float(drift["unknown_words"]["now"])}
    for label in LABELS:
        metrics[f"drift/share_{label}"] = float(drift["label_shares"]["now"][ALL][label])
        metrics[f"drift/close_calls_{label}"] = float(drift["near_threshold"]["now"][label])
        metrics[f"drift/psi_{label}"] = float(drift["population_stability"][label])
    return {**metrics, "drift/sentences": float(drift["sentences"][ALL])}
