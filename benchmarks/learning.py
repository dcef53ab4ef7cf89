"""Macro F1 on the test side of the linear model, trained on labels of a part of the training documents.

Without soft labels: those come from an encoder that saw every training document. The flat lines are the encoder's
held-out answers on the training side (three folds over providers), and the champion on the test side.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.material import Material, markdown, number
from pipeline.encoder import load_encoder_config
from pipeline.errors import DataError
from pipeline.evaluation import score_table
from pipeline.learning_curve import SHARES, documents_share, score_part
from pipeline.modes import Mode
from pipeline.scores import point_scores

PLOT = Path(__file__).resolve().parent / "learning-curve.png"
SEEDS = (1, 2, 3)
_DPI = 110


def measure(material: Material) -> list[str]:
    """Train on each share of the documents, score on the test side, and draw the curve."""
    points: list[tuple[float, int, float]] = []
    rows = []
    for share in SHARES:
        scores = []
        for seed in SEEDS if share < 1 else SEEDS[:1]:
            part = documents_share(material.train, share, seed)
            try:
                scores.append(_macro_f1(material, part))
            except DataError as error:
                print(f"{share:.0%}, seed {seed}: {error}")
                continue
            points.append((share, len(part), scores[-1]))
        if scores:
            size = np.mean([count for found, count, _ in points if found == share])
            spread = float(np.mean(scores)), min(scores), max(scores)
            rows.append([f"{share:.0%}", f"{size:,.0f}", *map(number, spread)])
    flat = _flat_lines(material)
    draw(points, flat, PLOT)
    lines = markdown(("training documents", "sentences, mean", "macro F1, mean", "least", "greatest"), rows)
    lines += ["", "With every document there is one model: the seeds draw documents alone.", ""]
    lines += [f"- {name}: {number(value)}" for name, value in flat.items()]
    return [*lines, "", f"![Learning curve]({PLOT.name})"]


def _macro_f1(material: Material, part: pd.DataFrame) -> float:
    scored = score_part(part, material.test, material.params)
    return float(point_scores(scored, material.params.evaluate.bins)["macro_f1"] or np.nan)


def _flat_lines(material: Material) -> dict[str, float]:
    flat = {}
    encoder = material.classifier.encoder
    if encoder is not None:
        held_out = load_encoder_config(encoder.folder).scores
        found = held_out.get("macro_f1", next(iter(held_out.values()), None))
        value = found["macro_f1"] if isinstance(found, dict) else found
        if value is not None:
            flat["encoder alone, held-out answers on the training side"] = float(value)
    for mode in (Mode.fast, Mode.accurate):
        if mode in material.modes:
            points = point_scores(
                score_table(material.classifier.in_mode(mode), material.test), material.params.evaluate.bins
            )
            flat[f"champion, mode {mode}, test side"] = float(points["macro_f1"] or np.nan)
    return flat


def draw(points: list[tuple[float, int, float]], flat: dict[str, float], target: Path) -> None:
    """Draw the curve.

    Args:
        points: Share of the documents, sentences, macro F1.
        flat: Macro F1 of what is drawn as a level line, by name.
        target: PNG file to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.8), layout="constrained")
    axes = figure.add_subplot()
    shares = sorted({share for share, _, _ in points})
    means = [float(np.mean([score for found, _, score in points if found == share])) for share in shares]
    axes.plot(
        [100 * share for share in shares], means, "-o", color="#0072B2", label="linear model, labels alone (mean)"
    )
    axes.plot([100 * share for share, _, _ in points], [score for *_, score in points], ".", color="#0072B2", alpha=0.5)
    styles = (("--", "#D55E00"), ("-.", "#009E73"), (":", "#CC79A7"))
    for (name, value), (style, colour) in zip(flat.items(), styles, strict=False):
        axes.axhline(value, linestyle=style, color=colour, label=name)
    axes.set(xlabel="training documents (%)", ylabel="macro F1", xlim=(0, 104), title="Learning curve")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize="small", loc="lower right")
    figure.savefig(target, dpi=_DPI)
