"""The soft_labels stage: what the encoder says of every sentence of the store; only new sentences cost anything."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from pipeline.encoder import DEFAULT_ENCODER, Encoder, load_encoder
from pipeline.errors import DataError
from pipeline.extract import load_sentences
from pipeline.files import replace_file
from pipeline.labels import LABELS
from pipeline.progress import Reporter, SilentReporter

SOFT_LABELS = Path("data/soft_labels.parquet")
_ENCODER = b"encoder"
_SCHEMA = pa.schema([("key", pa.string()), *((label, pa.float32()) for label in LABELS)])
_CHUNK = 2048


@dataclass(frozen=True)
class SoftLabelReport:
    """What the stage did.

    Attributes:
        new: Sentences that the encoder read.
        reused: Sentences that it had read before.
    """

    new: int
    reused: int


def make_soft_labels(
    sentences: Path, encoder: Path = DEFAULT_ENCODER, output: Path = SOFT_LABELS, reporter: Reporter | None = None
) -> SoftLabelReport:
    """Let the encoder read every sentence of the store that it has not read yet.

    Args:
        sentences: Folder that the extract stage wrote.
        encoder: The encoder's folder.
        output: File to write: `key` and, for each label, log-odds before calibration; sorted by key. Its bytes do not
            depend on which sentences were new.
        reporter: Told of the progress.

    Returns:
        Counts.

    Raises:
        DataError: There is no store.
        ModelError: The encoder is missing or damaged.
    """
    reporter = reporter or SilentReporter()
    reader = load_encoder(encoder)
    texts = load_sentences(sentences).drop_duplicates("key").set_index("key")["text"].sort_index()
    known = _known(output, reader.version)
    known = known[known.index.isin(texts.index)]
    new = texts[~texts.index.isin(known.index)]
    reporter.start(len(new), "sentences")
    try:
        for start in range(0, len(new), _CHUNK):
            chunk = new.iloc[start : start + _CHUNK]
            known = pd.concat([known, _read(reader, chunk)])
            reporter.advance(len(chunk))
    finally:
        # Also after an interruption: what was read need not be read again.
        reporter.close()
        _write(known.sort_index(), reader.version, output)
    return SoftLabelReport(len(new), len(texts) - len(new))


def load_soft_labels(path: Path = SOFT_LABELS) -> tuple[pd.DataFrame, str]:
    """Read what the stage wrote.

    Args:
        path: The file.

    Returns:
        Log-odds before calibration, a column a label, indexed by sentence key; and the version of the encoder.

    Raises:
        DataError: The file is missing or damaged.
    """
    try:
        stored = parquet.ParquetFile(path).read()
        version = (stored.schema.metadata or {})[_ENCODER].decode()
        return stored.cast(_SCHEMA.with_metadata(stored.schema.metadata)).to_pandas().set_index("key"), version
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise DataError(f"{path}: missing or damaged ({type(error).__name__}); run `dvc repro soft_labels`.") from None


def _known(path: Path, version: str) -> pd.DataFrame:
    """Read what the same encoder said before."""
    try:
        known, made_by = load_soft_labels(path)
    except DataError:
        known, made_by = pd.DataFrame(), ""
    return (
        known
        if made_by == version
        else pd.DataFrame(columns=list(LABELS), index=pd.Index([], dtype="str"), dtype="float32")
    )


def _read(reader: Encoder, texts: "pd.Series[str]") -> pd.DataFrame:
    logits = reader.logits(texts.tolist()).astype(np.float32)
    return pd.DataFrame(logits, index=texts.index, columns=list(LABELS))


def _write(known: pd.DataFrame, version: str, path: Path) -> None:
    table = pa.table(
        [pa.array(known.index.tolist(), pa.string()), *(pa.array(known[label], pa.float32()) for label in LABELS)],
        schema=_SCHEMA.with_metadata({_ENCODER: version.encode()}),
    )
    with replace_file(path) as temporary:
        parquet.write_table(table, temporary, compression="zstd")
