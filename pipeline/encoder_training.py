"""Fine-tuning the encoder on the training side, and what it answers on documents that it has not seen."""

from dataclasses import asdict
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import GroupKFold
from tokenizers import Tokenizer
from transformers.utils import cached_file

from pipeline.dataset import load_side, load_summary
from pipeline.encoder import (
    DEFAULT_ENCODER,
    ENCODER_CONFIG,
    ENCODER_MODEL,
    ENCODER_TOKENIZER,
    HELD_OUT_FILE,
    Encoder,
    EncoderConfig,
    describe_encoder,
)
from pipeline.encoder_card import render_encoder_card
from pipeline.encoder_export import export_encoder
from pipeline.encoder_network import EncoderNetwork, encode, fine_tune
from pipeline.encoder_vocabulary import prune_tokenizer
from pipeline.errors import UsageError
from pipeline.extract import load_sentences
from pipeline.files import hash_file, json_bytes, replace_folder
from pipeline.fitting import best_thresholds, held_out_scores
from pipeline.labels import LABELS, label_matrix
from pipeline.params import EncoderParams, Params
from pipeline.progress import Reporter, SilentReporter
from pipeline.scorer import sigmoid
from pipeline.training import groups_of

Floats = npt.NDArray[np.float64]
_CALIBRATION = 400  # sentences of each label, and of none, whose activations fix the scales
_LIBRARIES = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime")
_WEIGHTS = "model.safetensors"


def train_encoder(
    params: Params,
    dataset: Path,
    sentences: Path,
    base: str,
    output: Path = DEFAULT_ENCODER,
    reporter: Reporter | None = None,
) -> Encoder:
    """Fine-tune, quantise and save the encoder.

    It is trained once for each fold without that fold's documents, for honest answers on every training sentence, and
    once on the whole training side. Test documents are never seen.

    Args:
        params: All settings.
        dataset: Folder that the dataset stage wrote.
        sentences: Folder that the extract stage wrote; its words decide which tokens are kept.
        base: Folder or hub name of the base weights.
        output: Folder to write.
        reporter: Told of the progress.

    Returns:
        The encoder.

    Raises:
        DataError: The dataset is missing.
        UsageError: The base weights cannot be loaded.
    """
    reporter = reporter or SilentReporter()
    settings = params.encoder
    table = load_side(dataset, "train")
    labels = label_matrix(table)
    weights, plain = _open_base(base)
    domain = pd.concat([table["text"], load_sentences(sentences)["text"]]).drop_duplicates()
    tokenizer, rows = prune_tokenizer(plain, domain.tolist(), settings.vocabulary, settings.max_length)
    tokens = encode(tokenizer, table["text"].tolist())
    documents = groups_of(table)
    with replace_folder(output) as folder:
        tokenizer.save(str(folder / ENCODER_TOKENIZER))
        held_out = np.empty(labels.shape)
        for rank, (train, rest) in enumerate(GroupKFold(settings.folds).split(tokens, groups=documents), start=1):
            reporter.message(f"without fold {rank} of {settings.folds}: {len(train):,} sentences")
            _fit(base, rows, [tokens[place] for place in train], labels[train], settings, folder, reporter)
            fold = _opened(folder, settings)
            held_out[rest] = fold.logits(table["text"].iloc[rest].tolist())
        reporter.message(f"on all of the training side: {len(tokens):,} sentences")
        _fit(base, rows, tokens, labels, settings, folder, reporter)
        reporter.close()
        answers = sigmoid(held_out)
        _save_held_out(folder / HELD_OUT_FILE, table["key"], held_out)
        config = EncoderConfig(
            labels=LABELS,
            max_length=settings.max_length,
            base={"name": _base_name(base), "sha256": hash_file(weights), "licence": "Apache-2.0"},
            settings=asdict(settings),
            data=_describe_data(table, load_summary(dataset)),
            scores={"held_out": held_out_scores(labels, answers, best_thresholds(labels, answers), documents)},
            libraries={name: library_version(name) for name in _LIBRARIES},
            files={name: hash_file(folder / name) for name in (ENCODER_MODEL, ENCODER_TOKENIZER, HELD_OUT_FILE)},
        )
        (folder / ENCODER_CONFIG).write_bytes(json_bytes(describe_encoder(config)))
        (folder / "README.md").write_bytes(render_encoder_card(config).encode())
    return Encoder(output, config)


def _open_base(base: str) -> tuple[Path, Tokenizer]:
    """Find the file of the base weights, and load the base's tokenizer."""
    try:
        found = {name: cached_file(base, name) for name in (_WEIGHTS, ENCODER_TOKENIZER)}
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"{base}: no base weights there ({reason}); name a folder with {_WEIGHTS}, {ENCODER_TOKENIZER} and "
            "config.json with --base, or a model's hub name."
        ) from None
    return Path(str(found[_WEIGHTS])), Tokenizer.from_file(str(found[ENCODER_TOKENIZER]))


def _base_name(base: str) -> str:
    """Keep a hub name; of a folder only its last parts, since the rest is about one machine."""
    return "/".join(Path(base).resolve().parts[-2:]) if Path(base).is_dir() else base


def _fit(
    base: str,
    rows: list[int],
    tokens: list[list[int]],
    labels: npt.NDArray[np.bool_],
    settings: EncoderParams,
    folder: Path,
    reporter: Reporter,
) -> None:
    """Train one network and write its quantised file into the folder."""
    network = EncoderNetwork(base, rows, settings.max_length)
    fine_tune(network, tokens, labels.astype(float), settings, reporter)
    draw = np.random.default_rng(settings.seed)
    groups = [*labels.T, ~labels.any(axis=1)]
    chosen = {int(place) for group in groups for place in draw.permutation(np.flatnonzero(group))[:_CALIBRATION]}
    export_encoder(network, [tokens[place] for place in sorted(chosen)], folder / ENCODER_MODEL)


def _opened(folder: Path, settings: EncoderParams) -> Encoder:
    """Open what stands in a folder that is not described yet."""
    return Encoder(folder, EncoderConfig(LABELS, settings.max_length, {}, {}, {}, {}, {}, {}))


def _save_held_out(path: Path, keys: "pd.Series[str]", logits: Floats) -> None:
    first = ~keys.duplicated().to_numpy()
    raw = np.array([list(bytes.fromhex(key)) for key in keys[first]], dtype=np.uint8)
    np.savez_compressed(path, keys=raw, logits=logits[first].astype(np.float32))


def _describe_data(table: pd.DataFrame, summary: dict[str, Any]) -> dict[str, Any]:
    return {
        "sha256": summary["train"]["sha256"],
        "sentences": len(table),
        "examples": {label: int(table[label].sum()) for label in LABELS},
        "sources": {str(name): int(count) for name, count in table["source"].value_counts().sort_index().items()},
        "documents": sorted(table["document"].unique().tolist()),
    }
