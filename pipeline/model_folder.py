"""A model on disk: a folder of three files, checked before anything in it is used."""

import json
import re
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from hashlib import sha256
from importlib.metadata import version as library_version
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.classifier import ModelConfig, SentenceClassifier
from pipeline.errors import ModelError
from pipeline.files import json_bytes, replace_folder
from pipeline.labels import LABELS
from pipeline.model_card import render_card

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

DEFAULT_MODEL = Path("models/champion")
MODEL_FILE = "model.skops"
CONFIG_FILE = "config.json"
CARD_FILE = "README.md"
MODEL_FILES = (MODEL_FILE, CONFIG_FILE, CARD_FILE)
FORMAT = 1
# What a model may be made of. It stands here, in code: a list inside the file would be the file's own word for itself.
ALLOWED_TYPES = frozenset(
    f"pipeline.features.{name}"
    for name in ("CompactVectorizer", "clean_text", "contrast_terms", "gapped_pairs", "words")
)
_RETRAIN = "retrain with `dvc repro`"
_LIBRARIES = ("scikit-learn", "skops", "numpy", "scipy")
_MAX_MODEL_BYTES = 500 * 2**20


def make_config(
    pipeline: "Pipeline",
    *,
    thresholds: Mapping[str, float],
    review_margin: float,
    params: dict[str, dict[str, Any]],
    data: dict[str, Any],
    scores: dict[str, Any],
) -> ModelConfig:
    """Describe a fitted pipeline.

    Args:
        pipeline: The fitted pipeline.
        thresholds: Threshold of each label.
        review_margin: Distance from a threshold below which a sentence counts as uncertain.
        params: Settings of the training.
        data: Hash and counts of the training data.
        scores: Scores by set.

    Returns:
        The configuration, with library versions and the hash of the pipeline's bytes.
    """
    return ModelConfig(
        labels=LABELS,
        thresholds=dict(thresholds),
        review_margin=review_margin,
        params=params,
        data=data,
        scores=scores,
        libraries={name: library_version(name) for name in _LIBRARIES},
        model_sha256=sha256(_dump(pipeline)).hexdigest(),
    )


def save_model(classifier: SentenceClassifier, folder: Path) -> None:
    """Write a model folder, replacing what stands there as a whole.

    Args:
        classifier: The model.
        folder: Where to write model.skops, config.json and the model card README.md.
    """
    with replace_folder(folder) as new:
        (new / MODEL_FILE).write_bytes(_dump(classifier.pipeline))
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


def load_model(folder: Path | str = DEFAULT_MODEL) -> SentenceClassifier:
    """Load a model folder after checking every file in it.

    Args:
        folder: Folder written by `save_model`.

    Returns:
        The classifier.

    Raises:
        ModelError: A file is missing, damaged, or of another format; the model holds a type that is not on the
            product's own list; or it was trained with another release of scikit-learn.
    """
    folder = Path(folder)
    for name in MODEL_FILES:
        if not (folder / name).is_file():
            what = f"{name} is missing" if folder.is_dir() else "no such model folder"
            raise ModelError(f"{folder}: {what}; name another folder with --model, or {_RETRAIN}.")
    config = load_config(folder)
    model = (folder / MODEL_FILE).read_bytes()
    if sha256(model).hexdigest() != config.model_sha256:
        raise ModelError(f"{folder / MODEL_FILE}: damaged (its hash is not the one in {CONFIG_FILE}); {_RETRAIN}.")
    _check_libraries(folder, config)
    return SentenceClassifier(_load_pipeline(folder / MODEL_FILE, model), config)


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
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); {_RETRAIN}.") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = raw.get("format") if isinstance(raw, dict) else type(raw).__name__
        raise ModelError(f"{path}: found model format {found!r}, accepted: {FORMAT}; {_RETRAIN}.")
    missing = [field.name for field in fields(ModelConfig) if field.name not in raw]
    if missing:
        raise ModelError(f"{path}: damaged, {', '.join(missing)} missing; {_RETRAIN}.")
    config = ModelConfig(**{field.name: raw[field.name] for field in fields(ModelConfig)})
    thresholds = config.thresholds
    if tuple(config.labels) != LABELS or not isinstance(thresholds, dict) or set(thresholds) != set(LABELS):
        raise ModelError(f"{path}: found labels {config.labels!r}, accepted: {', '.join(LABELS)}; {_RETRAIN}.")
    if not all(isinstance(value, int | float) and 0 <= value <= 1 for value in thresholds.values()):
        raise ModelError(f"{path}: found thresholds {thresholds!r}, expected numbers from 0 to 1; {_RETRAIN}.")
    return config


def copy_model(source: Path, target: Path) -> None:
    """Copy a model folder, replacing the target as a whole.

    Args:
        source: Model folder.
        target: Where the copy goes.
    """
    with replace_folder(target) as new:
        for name in MODEL_FILES:
            shutil.copyfile(source / name, new / name)


def _check_libraries(folder: Path, config: ModelConfig) -> None:
    """Refuse a model of another scikit-learn release: its attributes may mean something else there."""
    trained, installed = config.libraries.get("scikit-learn", "unknown"), library_version("scikit-learn")
    if trained.split(".")[:2] != installed.split(".")[:2]:
        raise ModelError(
            f"{folder}: trained with scikit-learn {trained}, but {installed} is installed; install the locked versions "
            f"(`make install`) or {_RETRAIN}."
        )


def _load_pipeline(path: Path, model: bytes) -> "Pipeline":
    """Load the pipeline if all of its types are on the allow-list."""
    import warnings

    from skops import io as skops_io

    try:
        with zipfile.ZipFile(BytesIO(model)) as archive:
            if sum(info.file_size for info in archive.infolist()) > _MAX_MODEL_BYTES:
                raise ModelError(f"{path}: unpacks to more than {_MAX_MODEL_BYTES // 2**20} MiB; {_RETRAIN}.")
        unknown = sorted(set(skops_io.get_untrusted_types(data=model)) - ALLOWED_TYPES)
        if unknown:
            raise ModelError(f"{path}: holds types that are not allowed: {', '.join(unknown)}; {_RETRAIN}.")
        with warnings.catch_warnings():
            # A difference in the patch release is all that can be left here, and it is harmless.
            warnings.filterwarnings("ignore", message="Trying to unpickle estimator")
            pipeline: Pipeline = skops_io.loads(model, trusted=sorted(ALLOWED_TYPES))
    except ModelError:
        raise
    except Exception as error:  # whatever the parser meets in bytes that are no model
        raise ModelError(f"{path}: damaged ({type(error).__name__}: {error}); {_RETRAIN}.") from error
    return pipeline


def _dump(pipeline: "Pipeline") -> bytes:
    """Save with skops, equal bytes for equal pipelines.

    Skops names objects by their memory address and stamps files with the time; both are replaced by ranks and a fixed
    date.
    """
    from skops import io as skops_io

    ranks: dict[str, str] = {}

    def rank(match: re.Match[str]) -> str:
        return match[1] + ranks.setdefault(match[2], str(len(ranks) + 1)) + match[3]

    with zipfile.ZipFile(BytesIO(skops_io.dumps(pipeline))) as archive:
        schema = archive.read("schema.json").decode()
        schema = re.sub(r'("__id__": )(\d+)()', rank, schema)
        schema = re.sub(r'("file": ")(\d+)(\.\w+")', rank, schema)
        contents = {"schema.json": json.dumps(json.loads(schema), separators=(",", ":")).encode()}
        for name in archive.namelist():
            stem, _, suffix = name.partition(".")
            if name != "schema.json":
                contents[f"{ranks.get(stem, stem)}.{suffix}"] = archive.read(name)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), contents[name], zipfile.ZIP_DEFLATED)
    return packed.getvalue()
