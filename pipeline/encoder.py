"""The encoder: a small transformer that reads a sentence whole, run by ONNX Runtime."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pipeline.config_file import read_config
from pipeline.errors import ModelError
from pipeline.files import hash_file
from pipeline.labels import LABELS

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

DEFAULT_ENCODER = Path("models/encoder")
ENCODER_MODEL = "model.onnx"
ENCODER_TOKENIZER = "tokenizer.json"
ENCODER_CONFIG = "config.json"
HELD_OUT_FILE = "held_out.npz"
ENCODER_FORMAT = 1
# Small batches stay in the processor's cache.
_BATCH = 16
_VERSION_DIGITS = 12
_DIGITS = 3
_REMEDY = (
    "restore it with `git checkout models/encoder`, make it again with `findings encoder train`, or answer without it "
    "(--mode fast)"
)

Logits = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EncoderConfig:
    """What an encoder's folder says of it.

    Attributes:
        labels: The labels, in the order of the outputs.
        max_length: Tokens that are read of a sentence; the rest is cut off.
        base: Name, licence and SHA-256 of the weights that training began with.
        settings: The section `encoder` of params.yaml at training.
        data: Hash and counts of the training data, and the ids of its documents.
        scores: Scores on held-out documents.
        libraries: Versions that made it.
        files: SHA-256 of each other file of the folder.
    """

    labels: tuple[str, ...]
    max_length: int
    base: dict[str, Any]
    settings: dict[str, Any]
    data: dict[str, Any]
    scores: dict[str, Any]
    libraries: dict[str, str]
    files: dict[str, str]

    @property
    def version(self) -> str:
        """First 12 hex digits of the hash of the network, taken together with that of its tokenizer."""
        parts = [self.files[ENCODER_MODEL], self.files[ENCODER_TOKENIZER], str(self.max_length)]
        return sha256(" ".join(parts).encode()).hexdigest()[:_VERSION_DIGITS]


class Encoder:
    """A checked encoder; the network itself is loaded when the first sentence is read.

    Args:
        folder: Its folder.
        config: What the folder says of it.
        threads: Processors to use; None for all that this process may use. What is set after the first sentence
            was read has no effect.
    """

    def __init__(self, folder: Path, config: EncoderConfig, threads: int | None = None) -> None:
        self.folder = folder
        self.config = config
        self.threads = threads
        self._loaded: tuple[InferenceSession, Tokenizer] | None = None
        self._answers: dict[str, npt.NDArray[np.float64]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs: the network is not copied, but loaded there."""
        return {**self.__dict__, "_loaded": None}

    @property
    def version(self) -> str:
        """Identifier of this encoder: equal for equal answers, wherever it lies."""
        return self.config.version

    def keep_answers(self) -> None:
        """Keep from now on what is read, for sentences that several modes or models ask for."""
        self._answers = self._answers or {}

    def logits(self, texts: Sequence[str]) -> Logits:
        """Read sentences.

        A sentence's answer does not depend on those beside it, to the last bit: the quantisation has fixed scales, and
        only sentences of as many tokens are read together, since padding moves sums by a rounding error.

        Args:
            texts: Sentences.

        Returns:
            Scores before calibration (log-odds), of shape (texts, labels), rounded to three digits.

        Raises:
            ModelError: The network cannot be loaded or run.
        """
        if self._answers is None:
            return self._read(texts)
        new = [text for text in dict.fromkeys(texts) if text not in self._answers]
        self._answers.update(zip(new, self._read(new), strict=True))
        return np.array([self._answers[text] for text in texts]).reshape(len(texts), len(LABELS))

    def _read(self, texts: Sequence[str]) -> Logits:
        answers = np.empty((len(texts), len(LABELS)))
        if not len(texts):
            return answers
        session, tokenizer = self._load()
        tokens = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
        by_length: dict[int, list[int]] = {}
        for place, sentence in enumerate(tokens):
            by_length.setdefault(len(sentence), []).append(place)
        for same in by_length.values():
            for start in range(0, len(same), _BATCH):
                places = same[start : start + _BATCH]
                # One sentence alone is computed in another way than two: it is read twice.
                read = places if len(places) > 1 else places * 2
                (answers[read],) = session.run(None, pad([tokens[place] for place in read]))
        return np.round(answers, _DIGITS)

    def _load(self) -> "tuple[InferenceSession, Tokenizer]":
        if self._loaded is None:
            from joblib import cpu_count
            from onnxruntime import InferenceSession, SessionOptions
            from tokenizers import Tokenizer

            options = SessionOptions()
            options.intra_op_num_threads = self.threads or cpu_count()
            options.log_severity_level = 3
            try:
                tokenizer = Tokenizer.from_file(str(self.folder / ENCODER_TOKENIZER))
                session = InferenceSession(
                    str(self.folder / ENCODER_MODEL), options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:  # whatever either library meets in a file that is not its own
                reason = str(error).splitlines()[0]
                raise ModelError(f"{self.folder}: the encoder cannot be loaded ({reason}); {_REMEDY}.") from None
            tokenizer.no_padding()
            tokenizer.enable_truncation(self.config.max_length)
            self._loaded = session, tokenizer
        return self._loaded


def load_encoder(folder: Path = DEFAULT_ENCODER) -> Encoder:
    """Check an encoder's folder; the network is loaded when it is first needed.

    Args:
        folder: Folder written by `pipeline.encoder_training.train_encoder`.

    Returns:
        The encoder.

    Raises:
        ModelError: A file is missing, damaged, or of another format.
    """
    config = load_encoder_config(folder)
    for name, expected in config.files.items():
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{path}: missing; {_REMEDY}.")
        if hash_file(path) != expected:
            raise ModelError(f"{path}: damaged (its hash is not the one in {ENCODER_CONFIG}); {_REMEDY}.")
    return Encoder(folder, config)


def load_encoder_config(folder: Path) -> EncoderConfig:
    """Read and check the configuration of an encoder's folder.

    Args:
        folder: The folder.

    Returns:
        The configuration.

    Raises:
        ModelError: config.json is missing or not as documented.
    """
    path = folder / ENCODER_CONFIG
    names = [field.name for field in fields(EncoderConfig)]
    config = EncoderConfig(**read_config(path, kind="encoder", accepted=ENCODER_FORMAT, needed=names, remedy=_REMEDY))
    if tuple(config.labels) != LABELS:
        raise ModelError(f"{path}: found labels {config.labels!r}, accepted: {', '.join(LABELS)}; {_REMEDY}.")
    if not {ENCODER_MODEL, ENCODER_TOKENIZER} <= set(config.files):
        raise ModelError(f"{path}: damaged, the hashes of its files are missing; {_REMEDY}.")
    return config


def describe_encoder(config: EncoderConfig) -> dict[str, Any]:
    """Give the content of an encoder's config.json.

    Args:
        config: The configuration.

    Returns:
        JSON-ready.
    """
    return {"format": ENCODER_FORMAT, "version": config.version, **asdict(config)}


def load_held_out(folder: Path) -> tuple[npt.NDArray[np.str_], Logits]:
    """Read what encoders answered that had not seen the document: the ground for calibration and thresholds.

    Args:
        folder: The encoder's folder.

    Returns:
        Sentence keys, and scores before calibration of shape (keys, labels).

    Raises:
        ModelError: The file is missing or damaged.
    """
    path = folder / HELD_OUT_FILE
    try:
        with np.load(path, allow_pickle=False) as stored:
            keys, logits = stored["keys"], stored["logits"]
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path}: missing or damaged ({type(error).__name__}); {_REMEDY}.") from None
    return np.array([bytes(key).hex() for key in keys]), logits.astype(float)


def pad(tokens: Sequence[Sequence[int]]) -> dict[str, npt.NDArray[np.int64]]:
    """Make sentences equally long.

    Args:
        tokens: Token ids of each sentence.

    Returns:
        The network's inputs, each of shape (sentences, longest): `input_ids`, and `attention_mask`, 1 where a token is.
    """
    ids = np.zeros((len(tokens), max(map(len, tokens))), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, sentence in enumerate(tokens):
        ids[row, : len(sentence)] = sentence
        mask[row, : len(sentence)] = 1
    return {"input_ids": ids, "attention_mask": mask}
