"""The champion in each mode beside other methods, on the same sentences in the same run.

Sentences a second are by processor time, on one core. ECE: calibration error, mean over the labels.
"""

import time
from collections.abc import Callable, Sequence

import pandas as pd

from benchmarks.competitors import competitors
from benchmarks.material import AUTHORED, PUBLIC, SCORE_HEADS, Material, markdown, score_cells, scored_of, take
from pipeline.labels import label_matrix
from pipeline.scorer import Floats
from pipeline.scores import Scored

_HEADS = ("method", *SCORE_HEADS, "sentences/s")


def measure(material: Material) -> list[str]:
    """Score every method on each set."""
    rivals, notes = competitors(material.train, material.params, material.base)
    methods: list[tuple[str, Callable[[Sequence[str]], Floats], Floats, bool]] = []
    for mode in material.modes:
        reader = material.classifier.in_mode(mode)
        methods.append((f"this project, {mode}", reader.predict_proba, reader.thresholds, True))
    methods += [(rival.name, rival.predict, rival.thresholds, rival.calibrated) for rival in rivals]
    tables: dict[str, list[list[str]]] = {}
    for title, table in _sets(material).items():
        for name, predict, thresholds, calibrated in methods:
            scored, speed = _timed(table, predict, thresholds)
            for part, chosen in _parts(title, table).items():
                if len(part_table := table[chosen]):
                    cells = score_cells(take(scored, chosen.to_numpy()), material.params.evaluate.bins)
                    cells = cells if calibrated else [*cells[:-1], "-"]
                    heading = f"{part}: {len(part_table):,} sentences of {part_table['document'].nunique()} documents"
                    tables.setdefault(heading, []).append([name, *cells, f"{speed:,.0f}"])
    lines = [
        f"All were trained on the training side of data/dataset ({len(material.train):,} labelled sentences); their",
        "thresholds are tuned out of fold there, those of a transformer fine-tuned plainly are .5.",
    ]
    for heading, found in tables.items():
        lines += ["", f"**{heading}**", "", *markdown(_HEADS, found)]
    if material.dev is None:
        notes.append("../shared/gold/dev.csv is not there: the benchmark on real text is left out.")
    else:
        notes.append(
            "Nothing was tuned on dev.csv, and none of its sentences taught, with a label or without. Other sentences "
            "of its reports did where these are on the training side."
        )
    return [*lines, *(f"\n{note}" for note in notes)]


def _sets(material: Material) -> dict[str, pd.DataFrame]:
    sets = {"test side": material.test}
    return sets if material.dev is None else {**sets, "real reports (dev.csv)": material.dev}


def _parts(title: str, table: pd.DataFrame) -> dict[str, "pd.Series[bool]"]:
    """Name the parts of a set that get a table of their own."""
    everything = pd.Series(True, index=table.index)
    if "origin" in table:
        parts = {f"{title}, {name}": table["origin"] == name for name in (AUTHORED, PUBLIC)}
        return {title: everything, **parts} if parts[f"{title}, {PUBLIC}"].any() else {title: everything}
    return {title: everything, f"{title}, reports on the test side": table["side"] == "test"}


def _timed(table: pd.DataFrame, predict: Callable[[Sequence[str]], Floats], thresholds: Floats) -> tuple[Scored, float]:
    texts = table["text"].tolist()
    predict(texts[:2])  # whatever is loaded once
    started = time.process_time()
    probabilities = predict(texts)
    seconds = time.process_time() - started
    return scored_of(label_matrix(table), probabilities, thresholds), len(texts) / seconds
