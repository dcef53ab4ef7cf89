"""Sentences a second of the scorer, against the scikit-learn pipeline that it was made of, on the same sentences.

The sentences are spliced from the authored corpus, so that each is new and about as long as those of reports. Both
sides have the model that this corpus gives; the champion has more terms. CPU time of one process; then wall time of one
process a processor. fastText (supervised, pairs of words, `multilinePredict`) takes part where it is installed.
"""

import os
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from pipeline.conversion import convert_pipeline
from pipeline.fitting import build_pipeline
from pipeline.labels import LABELS, label_matrix, read_labels
from pipeline.model_folder import load_model
from pipeline.params import load_params
from pipeline.scorer import LinearScorer

PROJECT = Path(__file__).resolve().parent.parent
SENTENCES = 200_000
_ROUNDS = 3
_SHARE = 25_000  # sentences that a process is given at once


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Train on the authored corpus, then let all sides score the same sentences, in turns."""
    table = read_labels(sorted((PROJECT / "data" / "labels").glob("authored-*.jsonl")))
    texts, labels = table["text"].tolist(), label_matrix(table)
    pipeline = build_pipeline(load_params(PROJECT / "params.yaml")).fit(texts, labels.astype(int))
    pipeline.named_steps["features"].n_jobs = None  # a processor a side; none more within a forked process
    scorer = LinearScorer(convert_pipeline(pipeline))
    champion = load_model(PROJECT / "models" / "champion")
    sentences = spliced(texts, SENTENCES)
    difference = np.abs(scorer.predict_proba(sentences) - pipeline.predict_proba(sentences)).max()
    sides = {
        "scikit-learn": pipeline.predict_proba,
        "scorer": scorer.predict_proba,
        "champion": champion.scorer.predict_proba,
    }
    if find_spec("fasttext"):
        sides["fastText"] = _fasttext(texts, labels)
    core = {name: float("inf") for name in sides}
    for _ in range(_ROUNDS):
        for name, predict in sides.items():
            started = time.process_time()
            predict(sentences)
            core[name] = min(core[name], time.process_time() - started)
    speed = {name: len(sentences) / seconds for name, seconds in core.items()}
    every = {name: len(sentences) / _all_processors(sides[name], sentences) for name in sides if name != "champion"}
    words = np.mean([len(text.split()) for text in sentences])
    rows = [
        ("sentences, words each", f"{len(sentences):,}, {words:.1f}", ""),
        ("largest difference of a probability", f"{difference:.0e}", "at most 1e-06"),
        ("scikit-learn pipeline, a core", f"{speed['scikit-learn']:,.0f} sentences/s", ""),
        (f"scorer, {len(scorer.model.kinds):,} terms, a core", f"{speed['scorer']:,.0f} sentences/s", "over 25,000"),
        (f"champion, {len(champion.scorer.model.kinds):,} terms, a core", f"{speed['champion']:,.0f} sentences/s", ""),
        ("scorer against scikit-learn, a core", f"{speed['scorer'] / speed['scikit-learn']:.1f}", ""),
        ("the same, all processors", f"{every['scorer'] / every['scikit-learn']:.1f}", ""),
        ("scorer, all processors", f"{every['scorer']:,.0f} sentences/s", ""),
    ]
    if "fastText" in sides:
        rows.append(("fastText, a core", f"{speed['fastText']:,.0f} sentences/s", ""))
        rows.append(("fastText, all processors", f"{every['fastText']:,.0f} sentences/s", ""))
    return [*rows, ("loading the champion", f"{_loading() * 1000:.0f} ms", "at most 60 ms")]


def spliced(texts: Sequence[str], count: int) -> list[str]:
    """Make new sentences: the first words of one and the last of another, of sentences of eight words or more."""
    generator = random.Random(20)
    long = [text.split() for text in texts if len(text.split()) >= 8]
    made = []
    for _ in range(count):
        first, last = generator.choice(long), generator.choice(long)
        made.append(" ".join(first[: generator.randint(3, len(first))] + last[generator.randint(0, len(last) - 3) :]))
    return made


_predict: Callable[[Sequence[str]], object] | None = None


def _all_processors(predict: Callable[[Sequence[str]], object], sentences: Sequence[str]) -> float:
    """Give the wall time of one process a processor; processes are forked, so that none loads anything."""
    global _predict
    _predict = predict
    shares = [sentences[start : start + _SHARE] for start in range(0, len(sentences), _SHARE)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
        list(pool.map(_score_share, [[] for _ in range(os.cpu_count() or 1)]))  # start them
        started = time.monotonic()
        list(pool.map(_score_share, shares))
        return time.monotonic() - started


def _score_share(share: Sequence[str]) -> None:
    assert _predict is not None
    if share:
        _predict(share)


def _fasttext(texts: Sequence[str], labels: np.ndarray) -> Callable[[Sequence[str]], object]:
    import fasttext

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        marks = [" ".join(f"__label__{label}" for label, on in zip(LABELS, row, strict=True) if on) for row in labels]
        file.write_text("".join(f"{mark or '__label__none'} {text}\n" for mark, text in zip(marks, texts, strict=True)))
        model = fasttext.train_supervised(str(file), loss="ova", wordNgrams=2, epoch=25, thread=1, verbose=0)
    return lambda sentences: model.f.multilinePredict([f"{text}\n" for text in sentences], 4, 0.0, "strict")


def _loading() -> float:
    """Give the least of some times that loading the champion takes."""
    seconds = []
    for _ in range(10):
        started = time.perf_counter()
        load_model(PROJECT / "models" / "champion")
        seconds.append(time.perf_counter() - started)
    return min(seconds)
