"""A model on disk: a folder of four files, checked before anything in it is used."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipeline.cascade import Cascade, read_cascade
from pipeline.classifier import ModelConfig, SentenceClassifier, default_mode
from pipeline.config_file import read_config
from pipeline.encoder import DEFAULT_ENCODER, ENCODER_CONFIG, Encoder, load_encoder
from pipeline.errors import ModelError, UsageError
from pipeline.files import json_bytes, replace_folder
from pipeline.label_sets import SetWeights, read_set_weights
from pipeline.labels import LABELS
from pipeline.model_card import render_card
from pipeline.model_file import pack_model, unpack_model
from pipeline.modes import Mode
from pipeline.reference import Reference, pack_reference, parse_reference
from pipeline.scorer import LinearScorer

DEFAULT_MODEL = Path("models/champion")
MODEL_FILE = "model.npz"
CONFIG_FILE = "config.json"
CARD_FILE = "README.md"
REFERENCE_FILE = "reference.json"
ENCODER_FOLDER = "encoder"
MODEL_FILES = (MODEL_FILE, CONFIG_FILE, CARD_FILE, REFERENCE_FILE)
FORMAT = 2
_REFERENCE_KEY = "reference_sha256"
_SETS = "sets"  # the one key that models saved at first do not have
_RETRAIN = "retrain with `dvc repro`"
_LIBRARIES = ("scikit-learn", "numpy", "scipy")


def make_config(
    scorer: LinearScorer,
    *,
    thresholds: Mapping[str, float],
    sets: SetWeights | None = None,
    cascade: Cascade | None = None,
    review_margin: float,
    params: dict[str, dict[str, Any]],
    data: dict[str, Any],
    scores: dict[str, Any],
    reference: Reference,
) -> ModelConfig:
    """Describe a trained model.

    Args:
        scorer: The trained model.
        thresholds: Threshold of each label in the mode fast.
        sets: How sets of labels are weighed in that mode; None where each label is read by itself.
        cascade: How the encoder takes part; None for a model that answers in the mode fast only.
        review_margin: Distance from a threshold below which a sentence counts as uncertain.
        params: Settings of the training.
        data: Hash and counts of the training data.
        scores: Scores by set.
        reference: What the training side looked like to the model.

    Returns:
        The configuration, with library versions and the hashes of both files.
    """
    # Only what makes a model asks for it, and it loads a library for mail.
    from importlib.metadata import version as library_version

    return ModelConfig(
        labels=LABELS,
        thresholds=dict(thresholds),
        sets=sets,
        cascade=cascade,
        review_margin=review_margin,
        params=params,
        data=data,
        scores=scores,
        libraries={name: library_version(name) for name in _LIBRARIES},
        model_sha256=sha256(pack_model(scorer.model)).hexdigest(),
        reference_sha256=sha256(pack_reference(reference)).hexdigest(),
    )


def save_model(classifier: SentenceClassifier, reference: Reference, folder: Path) -> None:
    """Write a model folder, replacing what stands there as a whole.

    Args:
        classifier: The model.
        reference: What its training side looked like.
        folder: Where to write model.npz, reference.json, config.json and the model card README.md.
    """
    with replace_folder(folder) as new:
        (new / MODEL_FILE).write_bytes(pack_model(classifier.scorer.model))
        (new / REFERENCE_FILE).write_bytes(pack_reference(reference))
        write_description(classifier, new)


def write_description(classifier: SentenceClassifier, folder: Path) -> None:
    """Write what a model folder says of its model: config.json and the model card.

    Args:
        classifier: The model.
        folder: Its folder, where nobody reads yet.
    """
    config = {"format": FORMAT, "version": classifier.version, **asdict(classifier.config)}
    (folder / CONFIG_FILE).write_bytes(json_bytes(config))
    (folder / CARD_FILE).write_bytes(render_card(classifier).encode())


def load_model(folder: Path | str = DEFAULT_MODEL, mode: Mode | str | None = None) -> SentenceClassifier:
    """Load a model folder after checking every file in it.

    Args:
        folder: Folder written by `save_model`.
        mode: "fast", "balanced" or "accurate"; by default balanced, or fast for a model that was trained without an
            encoder. The encoder is looked for as `encoder` in the folder, beside it, and then as models/encoder.

    Returns:
        The classifier.

    Raises:
        ModelError: A file is missing, damaged, or of another format; or the mode needs an encoder that is not there.
        UsageError: There is no such mode, or the model has no encoder.
    """
    folder = Path(folder)
    _require(folder, CONFIG_FILE)
    config = load_config(folder)  # before the others: another format has other files
    _require(folder, MODEL_FILE)
    _require(folder, CARD_FILE)
    _require(folder, REFERENCE_FILE)
    content = _checked(folder / MODEL_FILE, config.model_sha256)
    _checked(folder / REFERENCE_FILE, config.reference_sha256)
    try:
        model = unpack_model(content, len(LABELS))
    except ValueError as error:
        raise ModelError(f"{folder / MODEL_FILE}: damaged ({error}); {_RETRAIN}.") from None
    chosen = default_mode(config) if mode is None else _parse_mode(mode)
    encoder = None if chosen is Mode.fast else _find_encoder(folder)
    return SentenceClassifier(LinearScorer(model), config, encoder, chosen)


def load_reference(folder: Path) -> Reference:
    """Read what the training side of a model looked like to it.

    Args:
        folder: Model folder.

    Returns:
        The reference.

    Raises:
        ModelError: reference.json is missing, or not as documented.
    """
    config = load_config(folder)
    _require(folder, REFERENCE_FILE)
    content = _checked(folder / REFERENCE_FILE, config.reference_sha256)
    try:
        reference = parse_reference(content)
        if default_mode(config) not in reference.modes:
            raise ValueError(f"nothing on the mode {default_mode(config)}")
    except ValueError as error:
        raise ModelError(f"{folder / REFERENCE_FILE}: damaged ({error}); {_RETRAIN}.") from None
    return reference


def _checked(path: Path, expected: str) -> bytes:
    """Read a file whose hash config.json states."""
    content = path.read_bytes()
    if sha256(content).hexdigest() != expected:
        raise ModelError(f"{path}: damaged (its hash is not the one in {CONFIG_FILE}); {_RETRAIN}.")
    return content


def _parse_mode(mode: str) -> Mode:
    try:
        return Mode(mode)
    except ValueError:
        raise UsageError(f"mode: found {mode!r}, accepted: {', '.join(Mode)}.") from None


def _find_encoder(folder: Path) -> Encoder | None:
    """Load the encoder that lies in a model folder, as in the registry, or beside it."""
    for place in (folder / ENCODER_FOLDER, folder.parent / ENCODER_FOLDER, DEFAULT_ENCODER):
        if (place / ENCODER_CONFIG).is_file():
            return load_encoder(place)
    return None


def load_config(folder: Path) -> ModelConfig:
    """Read and check the configuration of a model folder.

    Args:
        folder: Model folder.

    Returns:
        The configuration.

    Raises:
        ModelError: config.json is missing or not as documented.
    """
    path = folder / CONFIG_FILE
    names = [field.name for field in fields(ModelConfig) if field.name != _SETS]
    raw = read_config(path, kind="model", accepted=FORMAT, needed=names, remedy=_RETRAIN, more=(_SETS,))
    try:
        cascade = read_cascade(raw["cascade"])
        sets = None if raw[_SETS] is None else read_set_weights(raw[_SETS], len(LABELS))
    except (TypeError, ValueError) as error:
        raise ModelError(f"{path}: damaged, {error}; {_RETRAIN}.") from None
    config = ModelConfig(**raw | {"cascade": cascade, _SETS: sets})
    thresholds = config.thresholds
    if tuple(config.labels) != LABELS or not isinstance(thresholds, dict) or set(thresholds) != set(LABELS):
        raise ModelError(f"{path}: found labels {config.labels!r}, accepted: {', '.join(LABELS)}; {_RETRAIN}.")
    if not all(isinstance(value, int | float) and 0 <= value <= 1 for value in thresholds.values()):
        raise ModelError(f"{path}: found thresholds {thresholds!r}, expected numbers from 0 to 1; {_RETRAIN}.")
    return config


def older_version(folder: Path) -> str | None:
    """Name a model that was saved in an earlier format, and cannot be loaded any more.

    Args:
        folder: Model folder.

    Returns:
        What its config.json states as its version; None for a model of the present format, or where there is none.
    """
    try:
        raw = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(raw, dict) or not isinstance(raw.get("version"), str):
        return None
    # The first models of format 2 came without a reference.
    earlier = raw.get("format") in range(1, FORMAT) or (raw.get("format") == FORMAT and _REFERENCE_KEY not in raw)
    return raw["version"] if earlier else None


def copy_model(source: Path, target: Path) -> None:
    """Copy a model folder, replacing the target as a whole.

    Args:
        source: Model folder.
        target: Where the copy goes.
    """
    with replace_folder(target) as new:
        for name in MODEL_FILES:
            shutil.copyfile(source / name, new / name)


def copy_with_encoder(source: Path, target: Path) -> None:
    """Copy a model folder together with the encoder that it uses, so that it can be loaded anywhere.

    Args:
        source: Model folder.
        target: Where the copy goes.

    Raises:
        ModelError: The encoder is damaged.
    """
    copy_model(source, target)
    cascade = load_config(source).cascade
    encoder = _find_encoder(source) if cascade is not None else None
    if cascade is not None and encoder is not None and encoder.version == cascade.encoder:
        shutil.copytree(encoder.folder, target / ENCODER_FOLDER)


def _require(folder: Path, name: str) -> None:
    if not (folder / name).is_file():
        what = f"{name} is missing" if folder.is_dir() else "no such model folder"
        raise ModelError(f"{folder}: {what}; name another folder with --model, or {_RETRAIN}.")
