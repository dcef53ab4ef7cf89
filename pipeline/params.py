"""params.yaml, read into validated dataclasses."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ErrorDetails

from pipeline.errors import ParamsError

_CONFIG = ConfigDict(extra="forbid", strict=True)

Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Part = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Copies = Annotated[int, Field(ge=0, le=100)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


@dataclass(frozen=True, config=_CONFIG)
class ExtractParams:
    """How documents are read."""

    time_limit: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


@dataclass(frozen=True, config=_CONFIG)
class DatasetParams:
    """How labelled sentences are divided into a training and a test side."""

    test_share: Share


@dataclass(frozen=True, config=_CONFIG)
class FeaturesParams:
    """Which runs of words become features."""

    ngram_max: Annotated[int, Field(ge=1, le=5)]
    min_df: Count
    sublinear_tf: bool
    contrast: Weight
    gaps: Weight
    signals: Weight


@dataclass(frozen=True, config=_CONFIG)
class CopiesParams:
    """How many altered copies of a sentence the encoder labels for the linear model."""

    spans: Copies
    thinned: Copies
    substituted: Copies
    crossed: Copies


@dataclass(frozen=True, config=_CONFIG)
class TrainParams:
    """How the classifier is fitted, calibrated and given its thresholds."""

    C: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    class_weight: Literal["balanced", "none"]
    folds: Annotated[int, Field(ge=2, le=50)]
    review_margin: Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)]
    soft_weight: Weight
    copy_weight: Weight
    seed: Seed


@dataclass(frozen=True, config=_CONFIG)
class CascadeParams:
    """How much the encoder reads in the mode balanced."""

    budget: Share


@dataclass(frozen=True, config=_CONFIG)
class TeacherParams:
    """How `findings encoder train --teacher` fine-tunes a teacher, and what the encoder learns from it."""

    epochs: Count
    learning_rate: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
    sentences: Annotated[int, Field(ge=0, le=1_000_000)]
    share: Part
    components: Count
    hints: Weight


@dataclass(frozen=True, config=_CONFIG)
class EncoderParams:
    """How `findings encoder train` fine-tunes the encoder."""

    epochs: Count
    batch: Count
    learning_rate: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
    head_rate: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
    dropout: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
    vocabulary: Annotated[int, Field(ge=1000, le=200_000)]
    max_length: Annotated[int, Field(ge=16, le=512)]
    folds: Annotated[int, Field(ge=2, le=50)]
    seed: Seed
    teacher: TeacherParams


@dataclass(frozen=True, config=_CONFIG)
class EvaluateParams:
    """How scores and their intervals are computed."""

    # The defaults serve `findings evaluate --data` outside a project folder.
    bootstrap: Annotated[int, Field(ge=10, le=100_000)] = 1000
    confidence: Share = 0.95
    bins: Annotated[int, Field(ge=2, le=100)] = 10
    seed: Seed = 20


@dataclass(frozen=True, config=_CONFIG)
class ToleranceParams:
    """How far the F1 of each label may fall when a candidate becomes champion."""

    strength: Part
    weakness: Part
    commitment: Part


@dataclass(frozen=True, config=_CONFIG)
class RegisterParams:
    """When a candidate becomes champion."""

    margin: Part
    tolerance: ToleranceParams
    confidence: Share
    bootstrap: Annotated[int, Field(ge=10, le=100_000)]
    seed: Seed
    data_share: Part


@dataclass(frozen=True, config=_CONFIG)
class ReviewParams:
    """Which sentences people are asked to judge."""

    # The defaults serve `findings review export` outside a project folder.
    size: Count = 200
    random_share: Part = 0.25
    disagreement_share: Part = 0.25
    rare_share: Part = 0.15
    similarity: Share = 0.6
    seed: Seed = 20

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.random_share + self.disagreement_share + self.rare_share > 1:
            raise ValueError("random_share, disagreement_share and rare_share must not add up to more than 1")
        return self


@dataclass(frozen=True, config=_CONFIG)
class Params:
    """All of params.yaml, one attribute a section."""

    extract: ExtractParams
    dataset: DatasetParams
    features: FeaturesParams
    copies: CopiesParams
    train: TrainParams
    cascade: CascadeParams
    encoder: EncoderParams
    evaluate: EvaluateParams
    register: RegisterParams
    review: ReviewParams


_ADAPTER = TypeAdapter(Params)


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml.

    Args:
        path: The file.

    Returns:
        The settings of every stage.

    Raises:
        ParamsError: The file is missing, is no YAML mapping, lacks a key, or holds a misspelt key or an impossible
            value; the message lists every such place.
    """
    try:
        raw: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParamsError(
            f"{path}: cannot be read ({error.strerror}). Run the command in the project folder."
        ) from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParamsError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(raw, dict):
        raise ParamsError(f"{path}: found {type(raw).__name__}, expected sections {', '.join(_sections())}.")
    return _validated(raw, path)


def change_params(params: Params, changes: Mapping[str, Any], path: Path) -> Params:
    """Replace some settings.

    Args:
        params: All settings.
        changes: New values by full name, such as "train.C".
        path: File that asks for them, for the error.

    Returns:
        All settings, checked anew.

    Raises:
        ParamsError: A name or a value is not accepted; the message lists every such place.
    """
    raw = asdict(params)
    for name, value in changes.items():
        section, _, key = name.partition(".")
        raw[section][key] = value
    return _validated(raw, path)


def _validated(raw: dict[str, Any], path: Path) -> Params:
    """Check all settings."""
    try:
        # Strict validation takes mappings for dataclasses in JSON only.
        return _ADAPTER.validate_json(json.dumps(raw, default=str))
    except ValidationError as error:
        lines = [_describe(detail) for detail in error.errors()]
        raise ParamsError(f"{path}: " + "; ".join(lines) + ". See docs/retraining.md for every key.") from None


def _sections() -> list[str]:
    return list(Params.__dataclass_fields__)


def _describe(detail: ErrorDetails) -> str:
    """Turn one validation error into words, with the nearest accepted key for an unknown one."""
    *parents, last = [str(part) for part in detail["loc"]]
    name = ".".join([*parents, last])
    if detail["type"] == "missing":
        return f"{name} is missing"
    if detail["type"] == "unexpected_keyword_argument":
        section: Any = Params
        for parent in parents:
            section = section.__dataclass_fields__[parent].type
        accepted = list(section.__dataclass_fields__)
        near = difflib.get_close_matches(last, accepted, n=1)
        hint = f"did you mean {near[0]}?" if near else f"accepted: {', '.join(accepted)}"
        return f"unknown key {name} ({hint})"
    return f"{name}: found {detail['input']!r}; {detail['msg'].lower()}"
