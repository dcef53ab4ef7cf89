"""Figures of a model's scores, drawn from the tables that the evaluation wrote."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.errors import DataError
from pipeline.labels import LABELS, parse_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart by colour-blind readers; the line styles do so in print as well.
_COLOURS = dict(zip(LABELS, ("#0072B2", "#D55E00", "#009E73"), strict=True))
_STYLES = dict(zip(LABELS, ("-", "--", "-."), strict=True))
_DPI = 110


def draw_plots(plots: Path, output: Path, learning_curve: Path | None = None) -> list[Path]:
    """Draw every figure.

    Args:
        plots: Folder with precision_recall.csv, calibration.csv and confusion.csv.
        output: Existing folder for the PNG files.
        learning_curve: The table of the learning_curve stage, drawn too.

    Returns:
        The files, one a table, of the same name.

    Raises:
        DataError: A table is missing or not as documented.
    """
    files = []
    tables = {plots / f"{name}.csv": (draw, "evaluate") for name, draw in _FIGURES.items()}
    if learning_curve is not None:
        tables[learning_curve] = (_learning_curve, "learning_curve")
    for path, (draw, stage) in tables.items():
        try:
            figure = draw(pd.read_csv(path, keep_default_na=False))
        except FileNotFoundError:
            raise DataError(f"{path}: not there; run `dvc repro {stage}` first.") from None
        except (KeyError, ValueError) as error:
            raise DataError(f"{path}: not as expected ({error}); run `dvc repro --force {stage}`.") from None
        target = output / f"{path.stem}.png"
        figure.savefig(target, dpi=_DPI)
        files.append(target)
    return files


def _precision_recall(table: pd.DataFrame) -> "Figure":
    figure, (axes,) = _figure(1, (6.4, 5.2))
    for label, rows in _by_label(table):
        area = float(np.trapezoid(rows["precision"], rows["recall"]))
        axes.plot(
            rows["recall"], rows["precision"], _STYLES[label], color=_COLOURS[label], label=f"{label} (area {area:.2f})"
        )
    axes.set(title="Precision and recall on the test side", xlabel="recall", ylabel="precision")
    _unit_square(axes)
    axes.legend(loc="lower left", frameon=False)
    return figure


def _calibration(table: pd.DataFrame) -> "Figure":
    figure, panels = _figure(len(LABELS), (11, 4.2))
    for axes, label in zip(panels, LABELS, strict=True):
        rows = table[table["label"] == label]
        axes.plot([0, 1], [0, 1], ":", color="grey", linewidth=1)
        sizes = 12 + 160 * np.sqrt(rows["sentences"] / max(rows["sentences"].max(), 1)) if len(rows) else 12
        axes.plot(rows["mean_probability"], rows["share"], _STYLES[label], color=_COLOURS[label], linewidth=1)
        axes.scatter(rows["mean_probability"], rows["share"], s=sizes, color=_COLOURS[label], alpha=0.75)
        axes.set(title=label, xlabel="mean probability in the bin", ylabel="share that has the label")
        _unit_square(axes)
    figure.suptitle("Calibration on the test side (area of a dot: sentences in the bin; on the dotted line: perfect)")
    return figure


def _confusion(table: pd.DataFrame) -> "Figure":
    figure, panels = _figure(len(LABELS), (11, 3.9))
    masks = {value: parse_labels(value) for value in set(table["actual"]) | set(table["predicted"])}
    for k, (axes, label) in enumerate(zip(panels, LABELS, strict=True)):
        actual = table["actual"].map(lambda value, k=k: masks[value][k]).to_numpy(dtype=int)
        predicted = table["predicted"].map(lambda value, k=k: masks[value][k]).to_numpy(dtype=int)
        counts = np.zeros((2, 2), dtype=int)
        np.add.at(counts, (actual, predicted), 1)
        # Colour by share of the row: the many sentences without a label would drown all else.
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(2, 2):
            dark = shares[row, column] > 0.6
            axes.text(
                column,
                row,
                f"{counts[row, column]:,}\n{shares[row, column]:.0%}",
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontsize=13,
            )
        axes.set(title=label, xlabel="the model says", ylabel="truth")
        axes.set_xticks([0, 1], ["no", "yes"])
        axes.set_yticks([0, 1], ["no", "yes"])
    figure.suptitle("Confusion on the test side (sentences, and share of the row)")
    return figure


def _learning_curve(table: pd.DataFrame) -> "Figure":
    figure, (axes,) = _figure(1, (6.4, 4.4))
    axes.plot(table["sentences"], table["macro_f1"].astype(float), "-o", color="black", label="macro")
    for label in LABELS:
        values = table[f"{label}_f1"].astype(float)
        axes.plot(table["sentences"], values, _STYLES[label], marker=".", color=_COLOURS[label], label=label)
    axes.set(title="Linear model, labels alone, on the test side", xlabel="labelled sentences", ylabel="F1")
    axes.grid(alpha=0.25)
    axes.legend(loc="lower right", frameon=False)
    return figure


_FIGURES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "precision_recall": _precision_recall,
    "calibration": _calibration,
    "confusion": _confusion,
}


def _figure(panels: int, size: tuple[float, float]) -> "tuple[Figure, list[Axes]]":
    """Make an empty figure with panels side by side."""
    # The object interface: pyplot would keep figures alive and look for a display.
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, [figure.add_subplot(1, panels, rank + 1) for rank in range(panels)]


def _by_label(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Divide a table by its column `label`, in the order of the labels, without those that have no row."""
    return [(label, rows) for label in LABELS if len(rows := table[table["label"] == label])]


def _unit_square(axes: "Axes") -> None:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.grid(alpha=0.25)
