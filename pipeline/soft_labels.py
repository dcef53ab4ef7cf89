"""The soft_labels stage: what the encoder says of every sentence of the store, and of copies; only new ones cost."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from pipeline.copies import plan_copies
from pipeline.dataset import load_side
from pipeline.encoder import DEFAULT_ENCODER, Encoder, load_encoder
from pipeline.errors import DataError
from pipeline.extract import load_sentences
from pipeline.files import replace_file
from pipeline.labels import LABELS, RESERVED_KEYS
from pipeline.params import Params
from pipeline.progress import Reporter, SilentReporter
from pipeline.unlabelled import choose_unlabelled

SOFT_LABELS = Path("data/soft_labels.parquet")
_ENCODER = b"encoder"
_SCHEMA = pa.schema([("key", pa.string()), *((label, pa.float32()) for label in LABELS), ("copy", pa.string())])
_CHUNK = 2048


@dataclass(frozen=True)
class SoftLabelReport:
    """What the stage did.

    Attributes:
        new: Sentences and copies that the encoder read.
        reused: Those that it had read before.
    """

    new: int
    reused: int


@dataclass(frozen=True)
class TrainingFiles:
    """Where sentences lie that nobody labelled, and what says of them which labels they bear.

    Attributes:
        sentences: Folder that the extract stage wrote.
        soft_labels: File of the soft_labels stage: `key`, for each label log-odds before calibration, and of an altered
            copy, whose key is its name, the text as `copy`; sorted by key. The bytes do not depend on which sentences
            were new (but where one key is spelt in two ways, the spelling read first stays).
        encoder: The encoder's folder.
        reserved: Keys of benchmark sentences, one a line, which never teach.
    """

    sentences: Path = Path("data/sentences")
    soft_labels: Path = SOFT_LABELS
    encoder: Path = DEFAULT_ENCODER
    reserved: Path = RESERVED_KEYS


def make_soft_labels(
    params: Params, dataset: Path, files: TrainingFiles | None = None, reporter: Reporter | None = None
) -> SoftLabelReport:
    """Let the encoder read every sentence of the store, and the copies of those that teach most, unless it has before.

    Args:
        params: All settings.
        dataset: Folder that the dataset stage wrote.
        files: What else to read, and the file to write.
        reporter: Told of the progress.

    Returns:
        Counts.

    Raises:
        DataError: There is no store, or no dataset.
        ModelError: The encoder is missing or damaged.
    """
    files = files or TrainingFiles()
    reporter = reporter or SilentReporter()
    reader = load_encoder(files.encoder)
    store = load_sentences(files.sentences)
    texts = store.drop_duplicates("key").set_index("key")["text"].sort_index()
    reading = _Reading(reader, _known(files.soft_labels, reader.version), reporter)
    wanted = None
    try:
        reading.complete(texts, "sentences")
        copies = _copies(params, dataset, files.reserved, store, reading.known)
        reading.complete(copies, "altered copies", copies=True)
        wanted = sorted([*texts.index, *copies.index])
    finally:
        # Also after an interruption: what was read need not be read again.
        reporter.close()
        known = reading.known.sort_index() if wanted is None else reading.known.loc[wanted]
        _write(known, reader.version, files.soft_labels)
    return SoftLabelReport(reading.new, len(wanted) - reading.new)


def load_soft_labels(path: Path = SOFT_LABELS) -> tuple[pd.DataFrame, str]:
    """Read what the stage wrote.

    Args:
        path: The file.

    Returns:
        Log-odds before calibration, a column a label, and the text of altered copies as `copy`, indexed by key; and the
        version of the encoder.

    Raises:
        DataError: The file is missing or damaged.
    """
    try:
        stored = parquet.ParquetFile(path).read()
        version = (stored.schema.metadata or {})[_ENCODER].decode()
        return stored.cast(_SCHEMA.with_metadata(stored.schema.metadata)).to_pandas().set_index("key"), version
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise DataError(f"{path}: missing or damaged ({type(error).__name__}); run `dvc repro soft_labels`.") from None


def find_rows(read: pd.DataFrame, keys: "pd.Series[str] | pd.Index[str]") -> npt.NDArray[np.intp]:
    """Find keys among what was read; for hundreds of thousands of them pandas's `isin` takes seconds.

    Args:
        read: What `load_soft_labels` returned.
        keys: Of sentences or of copies.

    Returns:
        The row of each in `read`, -1 where it is not there, of shape (keys,).
    """
    return read.index.get_indexer(pd.Index(keys))


def _known(path: Path, version: str) -> pd.DataFrame:
    """Read what the same encoder said before."""
    try:
        known, made_by = load_soft_labels(path)
    except DataError:
        known, made_by = pd.DataFrame(), ""
    return known if made_by == version else _SCHEMA.empty_table().to_pandas().set_index("key")


class _Reading:
    """What the encoder has said so far."""

    def __init__(self, reader: Encoder, known: pd.DataFrame, reporter: Reporter) -> None:
        self.known = known
        self.new = 0
        self._reader = reader
        self._reporter = reporter

    def complete(self, texts: "pd.Series[str]", unit: str, *, copies: bool = False) -> None:
        """Read what is not known yet."""
        new = texts[find_rows(self.known, texts.index) < 0]
        self._reporter.start(len(new), unit)
        for start in range(0, len(new), _CHUNK):
            chunk = new.iloc[start : start + _CHUNK]
            logits = self._reader.logits(chunk.tolist()).astype(np.float32)
            read = pd.DataFrame(logits, index=chunk.index, columns=list(LABELS))
            self.known = pd.concat([self.known, read.assign(copy=chunk if copies else None).astype(self.known.dtypes)])
            self.new += len(chunk)
            self._reporter.advance(len(chunk))


def _copies(
    params: Params, dataset: Path, reserved: Path, store: pd.DataFrame, known: pd.DataFrame
) -> "pd.Series[str]":
    """Alter the sentences that teach most; texts by name."""
    train, test = load_side(dataset, "train"), load_side(dataset, "test")
    unlabelled = choose_unlabelled(store, train, test, params.dataset.test_share, reserved)
    logits = known.loc[unlabelled["key"]].to_numpy(dtype=float)
    # A sentence that stands in two documents has two rows on the training side.
    planned = plan_copies(train.drop_duplicates("key"), unlabelled, logits, params.copies)
    return planned.set_index("name")["text"]


def _write(known: pd.DataFrame, version: str, path: Path) -> None:
    schema = _SCHEMA.with_metadata({_ENCODER: version.encode()})
    table = pa.Table.from_pandas(known.reset_index(names="key"), schema, preserve_index=False)
    with replace_file(path) as temporary:
        parquet.write_table(table, temporary, compression="zstd")
