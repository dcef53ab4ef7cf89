"""A run as the stages before `register` left it in files."""

import json
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipeline.classifier import SentenceClassifier
from pipeline.dataset import load_summary
from pipeline.errors import TrackingError
from pipeline.evaluation import SCORES_FILE
from pipeline.model_folder import load_model
from pipeline.params import Params

KEY_DIGITS = 16
# The sections of params.yaml that decide what a run shows.
_SECTIONS = ("dataset", "features", "copies", "train", "cascade", "evaluate", "register")
_RERUN = "run `dvc repro`"


@dataclass(frozen=True)
class RunRecord:
    """A candidate with all that is known of it.

    Attributes:
        classifier: The candidate; its configuration holds the test scores.
        params: All settings.
        summary: Counts and hashes of the dataset.
        scores: Content of scores.json.
        key: Hash of all that decides the outcome: equal for equal runs on every machine.
    """

    classifier: SentenceClassifier
    params: Params
    summary: dict[str, Any]
    scores: dict[str, Any]
    key: str

    @property
    def version(self) -> str:
        """Version of the candidate."""
        return self.classifier.version

    @property
    def macro_f1(self) -> float | None:
        """Macro F1 of the candidate on the test side; None where it is not defined."""
        value: float | None = self.scores["scores"]["macro_f1"]["value"]
        return value

    @property
    def test_sha256(self) -> str:
        """Hash of the test side."""
        return str(self.summary["test"]["sha256"])

    @property
    def train_sha256(self) -> str:
        """Hash of the training side."""
        return str(self.summary["train"]["sha256"])


def read_record(params: Params, candidate: Path, dataset: Path, evaluation: Path) -> RunRecord:
    """Read what the stages before `register` wrote.

    Args:
        params: All settings.
        candidate: Model folder of the candidate.
        dataset: Folder of the dataset stage.
        evaluation: Folder of the evaluate stage.

    Returns:
        The record.

    Raises:
        TrackingError: The scores are missing, or belong to another model or test side.
        ModelError: The candidate cannot be loaded.
        DataError: The dataset is missing.
    """
    classifier = load_model(candidate)
    summary = load_summary(dataset)
    path = evaluation / SCORES_FILE
    try:
        content = path.read_bytes()
        scores: dict[str, Any] = json.loads(content)
        found = (scores["model_version"], scores["test_sha256"])
        test = {name: scores[name] for name in ("sentences", "documents", "scores", "by_mode")}
    except (OSError, ValueError, KeyError, TypeError):
        raise TrackingError(f"{path}: missing or damaged; {_RERUN}.") from None
    expected = (classifier.version, summary["test"]["sha256"])
    if found != expected:
        raise TrackingError(
            f"{path}: scores of model {found[0]} on test side {found[1][:12]}, but {candidate} holds {expected[0]} and "
            f"{dataset} holds {expected[1][:12]}; {_RERUN}."
        )
    config = classifier.config
    scored = replace(config, scores={**config.scores, "test": {**test, "sha256": expected[1]}})
    settings = [asdict(params)[section] for section in _SECTIONS]
    key = sha256(json.dumps([*expected, settings], sort_keys=True).encode() + content).hexdigest()[:KEY_DIGITS]
    described = SentenceClassifier(classifier.scorer, scored, classifier.encoder, classifier.mode)
    return RunRecord(described, params, summary, scores, key)
