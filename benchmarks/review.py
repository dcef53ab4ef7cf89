"""Measure what answers chosen by the queue of `findings review export` are worth, beside random ones; write review.md.

    python benchmarks/review.py

A simulation on the authored corpus, whose labels stand in for a reviewer. The dataset stage divides it by document. Of
the training side's prose, a thousand sentences drawn at random are labelled at the start, and the labels of the others
are hidden. Then 400 are answered in two queues of 200: the model labels everything, `pipeline.review.queue.choose`
picks with the settings of params.yaml, and the model is trained again. Beside it, 400 drawn at random from the same
sentences, as `choose` draws its random share. There is no candidate beside the champion, so the share for sentences on
which models differ goes to those of which it is unsure. Models are linear models as `train` fits them without reports,
on labelled sentences alone; they answer in the mode fast. As in `train`, sentences that the queue picked teach, but
calibration and thresholds are set on those drawn at random.
"""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.material import markdown, number  # noqa: E402
from benchmarks.run import machine  # noqa: E402
from pipeline.classifier import PROBABILITY_COLUMNS  # noqa: E402
from pipeline.dataset import SIDES, build_dataset, groups_of, load_side  # noqa: E402
from pipeline.extract import extract_sentences  # noqa: E402
from pipeline.fitting import fit_linear  # noqa: E402
from pipeline.label_sets import LabelSets  # noqa: E402
from pipeline.labelled import Labelled  # noqa: E402
from pipeline.labels import LABELS, NATURAL, RESERVED_KEYS, format_labels, label_matrix  # noqa: E402
from pipeline.params import Params, ReviewParams, load_params  # noqa: E402
from pipeline.review.queue import choose  # noqa: E402
from pipeline.scorer import Floats, LinearScorer  # noqa: E402
from pipeline.sentences import LAYOUT_KINDS  # noqa: E402

REPORT = HERE / "review.md"
PLOT = HERE / "review.png"
SEEDS = (1, 2, 3, 4, 5)
START, ROUNDS, SIZE = 1000, 2, 200
# So that the yardstick does not hang on one draw, random answers are drawn this often for each seed.
DRAWS = 4
WANTED = 1.3
_RESAMPLES = 2000
_LEVEL = 0.95
_DPI = 80
Counts = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mark:
    """How a model did on the test side.

    Attributes:
        counts: Right, given and true labels, of shape (documents, labels, 3).
        precision: Average precision, the mean of the labels; no threshold moves it. NaN where it was not measured.
    """

    counts: Counts
    precision: float = float("nan")

    @property
    def macro_f1(self) -> float:
        """Macro F1."""
        right, given, true = self.counts.sum(axis=0).T
        return float((2 * right / np.maximum(given + true, 1)).mean())


@dataclass(frozen=True, eq=False)
class Side:
    """Labelled sentences.

    Attributes:
        table: One row a sentence, as the dataset stage writes it.
        truth: Of shape (sentences, labels).
        documents: Number of the document of each sentence.
    """

    table: pd.DataFrame
    truth: npt.NDArray[np.bool_]
    documents: npt.NDArray[np.int64]

    @classmethod
    def of(cls, table: pd.DataFrame) -> "Side":
        """Number the documents of a table."""
        table = table.reset_index(drop=True)
        return cls(table, label_matrix(table), np.unique(table["document"], return_inverse=True)[1])


@dataclass(frozen=True, eq=False)
class Model:
    """A linear model, how it weighs sets of labels, and its thresholds."""

    scorer: LinearScorer
    sets: LabelSets
    thresholds: Floats

    def predict_proba(self, table: pd.DataFrame) -> Floats:
        """Give the probabilities of some sentences."""
        return self.sets.probabilities(self.scorer.score(table["text"].tolist()))

    def findings(self, table: pd.DataFrame) -> pd.DataFrame:
        """Label sentences as `findings classify` would, with the columns that the queue reads."""
        probabilities = np.round(self.predict_proba(table), 6)
        chosen = probabilities >= self.thresholds
        return table[["document", "key", "text", "kind"]].assign(
            **{label: chosen[:, rank] for rank, label in enumerate(LABELS)},
            **{name: probabilities[:, rank] for rank, name in enumerate(PROBABILITY_COLUMNS)},
            labels=[format_labels(mask) for mask in chosen],
        )

    def mark(self, side: Side) -> Mark:
        """Answer labelled sentences."""
        probabilities = self.predict_proba(side.table)
        chosen = probabilities >= self.thresholds
        counts = np.zeros((side.documents.max() + 1, len(LABELS), 3))
        np.add.at(counts, side.documents, np.stack([chosen & side.truth, chosen, side.truth], axis=2).astype(float))
        return Mark(counts, float(average_precision_score(side.truth, probabilities)))


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one seed came to.

    Attributes:
        queue: Marks at the start and after each round of the queue.
        random: The same of each random draw.
        pools: Sentences that the queue picked, by reason.
    """

    queue: list[Mark]
    random: list[list[Mark]]
    pools: dict[str, int]


def main() -> int:
    """Simulate, and write the report and its plot."""
    params = load_params(PROJECT / "params.yaml")
    training, test = authored(params)
    outcomes = []
    for seed in SEEDS:
        outcomes.append(simulate(training, test, params, seed))
        print(f"seed {seed}: lift by queue, at random, ratio: {' '.join(_cells(lifts(outcomes[-1:])))}", flush=True)
    draw(outcomes, PLOT)
    REPORT.write_text("\n".join(report(outcomes, training, test)) + "\n", encoding="utf-8", newline="\n")
    print(f"written: {REPORT}, {PLOT}")
    return 0


def authored(params: Params) -> tuple[Side, Side]:
    """Build the dataset of the authored labels alone.

    Args:
        params: All settings.

    Returns:
        The prose of the training side, each text once, and the test side.
    """
    with tempfile.TemporaryDirectory() as scratch:
        labels, sentences, dataset = (Path(scratch) / name for name in ("labels", "sentences", "dataset"))
        labels.mkdir()
        for path in sorted((PROJECT / "data" / "labels").glob("authored-*.jsonl")):
            shutil.copy(path, labels)
        extract_sentences([PROJECT / "data" / "samples"], sentences)
        build_dataset(params, labels, sentences, dataset, PROJECT / RESERVED_KEYS)
        training, test = (load_side(dataset, side) for side in SIDES)
    prose = training[~training["kind"].isin(LAYOUT_KINDS)]
    return Side.of(prose.drop_duplicates("key")), Side.of(test)


def simulate(training: Side, test: Side, params: Params, seed: int) -> Outcome:
    """Answer queues and random draws from one starting point.

    Args:
        training: Sentences whose labels are shown or hidden.
        test: Sentences to score on.
        params: All settings.
        seed: Which sentences are labelled at the start.

    Returns:
        What came of it.
    """
    start = np.zeros(len(training.table), dtype=bool)
    start[np.random.default_rng(seed).permutation(len(start))[:START]] = True
    first = fit(training, start, np.zeros(len(start), dtype=bool), params)
    before = first.mark(test)
    queue, pools = _answer(training, test, start, first, params, replace(params.review, size=SIZE))
    draws = [
        ReviewParams(size=SIZE, random_share=1, disagreement_share=0, rare_share=0, seed=DRAWS * seed + draw)
        for draw in range(DRAWS)
    ]
    random = [_answer(training, test, start, first, params, settings)[0] for settings in draws]
    return Outcome([before, *queue], [[before, *marks] for marks in random], pools)


def fit(training: Side, labelled: npt.NDArray[np.bool_], picked: npt.NDArray[np.bool_], params: Params) -> Model:
    """Train as the train stage does where there are labels alone, some of them of sentences that a queue picked."""
    table = training.table[labelled]
    known = Labelled(table["text"].tolist(), training.truth[labelled], groups_of(table), picked[labelled])
    fitted = fit_linear(known, params)
    return Model(LinearScorer(fitted.model), LabelSets(fitted.sets), fitted.thresholds)


def _answer(
    training: Side, test: Side, start: npt.NDArray[np.bool_], model: Model, params: Params, settings: ReviewParams
) -> tuple[list[Mark], dict[str, int]]:
    """Answer queue after queue; mark the model after each, and count by reason what was picked."""
    labelled, picked, marks, pools = start.copy(), np.zeros(len(start), dtype=bool), [], []
    for _ in range(ROUNDS):
        thresholds = dict(zip(LABELS, model.thresholds.tolist(), strict=True))
        chosen = choose(model.findings(training.table), labelled, thresholds, None, settings)
        labelled[chosen.index] = True
        picked[chosen.index[chosen["pool"] != NATURAL]] = True
        pools += chosen["pool"].tolist()
        model = fit(training, labelled, picked, params)
        marks.append(model.mark(test))
    return marks, {name: pools.count(name) for name in sorted(set(pools))}


def _lift(course: Sequence[Mark], score: str = "macro_f1") -> float:
    return float(getattr(course[-1], score) - getattr(course[0], score))


def _random_lift(outcome: Outcome, score: str = "macro_f1") -> float:
    return float(np.mean([_lift(course, score) for course in outcome.random]))


def lifts(outcomes: Sequence[Outcome], score: str = "macro_f1") -> tuple[float, float, float]:
    """Give the mean lift of the queue, that of random answers, and the one over the other."""
    queue = float(np.mean([_lift(one.queue, score) for one in outcomes]))
    random = float(np.mean([_random_lift(one, score) for one in outcomes]))
    return queue, random, queue / random


def interval(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """Resample seeds and test documents (percentile bootstrap).

    Args:
        outcomes: One a seed.

    Returns:
        The interval of the ratio.
    """
    generator = np.random.default_rng(20)
    documents = len(outcomes[0].queue[0].counts)
    ratios = []
    for _ in range(_RESAMPLES):
        rows = generator.integers(documents, size=documents)
        weight = np.bincount(rows, minlength=documents).astype(float)[:, None, None]
        picked = [outcomes[place] for place in generator.integers(len(outcomes), size=len(outcomes))]
        drawn = [
            Outcome(_weighed(one.queue, weight), [_weighed(course, weight) for course in one.random], one.pools)
            for one in picked
        ]
        ratios.append(lifts(drawn)[2])
    low, high = np.quantile(ratios, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def _weighed(course: Sequence[Mark], weight: Counts) -> list[Mark]:
    """Count documents as often as they were drawn, at the start and at the end."""
    return [Mark(course[place].counts * weight) for place in (0, -1)]


def report(outcomes: Sequence[Outcome], training: Side, test: Side) -> list[str]:
    """Lay out what was measured.

    Args:
        outcomes: One a seed.
        training: The sentences chosen from.
        test: The sentences scored on.

    Returns:
        Lines of Markdown.
    """
    rows = []
    for seed, one in zip(SEEDS, outcomes, strict=True):
        after = float(np.mean([course[-1].macro_f1 for course in one.random]))
        scores = map(number, (one.queue[0].macro_f1, one.queue[-1].macro_f1, after))
        rows.append([f"{seed}", *scores, *_cells(lifts([one]))])
    rows.append(["mean", "", "", "", *_cells(lifts(outcomes))])
    rows.append(["mean, average precision", "", "", "", *_cells(lifts(outcomes, "precision"))])
    low, high = interval(outcomes)
    heads = ("seed", f"{START:,} labels", "queue", "random", "lift, queue", "lift, random", "ratio")
    pools = {name: sum(one.pools.get(name, 0) for one in outcomes) for name in sorted({*outcomes[0].pools})}
    about = (__doc__ or "").split("\n\n", 2)
    return [
        "# Answers chosen by the queue",
        "",
        "Written by `make bench-review`.",
        "",
        about[2].strip(),
        "",
        f"The training side holds {len(training.table):,} sentences of prose, the test side {len(test.table):,} of "
        f"{test.documents.max() + 1} documents. Scores are macro F1 on the test side; in the last row average "
        f"precision, which does not hang on thresholds. Random answers are drawn {DRAWS} times a seed, and the mean of "
        "the draws counts.",
        "",
        *markdown(heads, rows),
        "",
        f"**{lifts(outcomes)[2]:.2f}** times the lift of random answers (wanted: at least {WANTED}); "
        f"{_LEVEL:.0%} interval {low:.2f} to {high:.2f} over seeds and test documents.",
        "",
        f"Picked by the queue: {', '.join(f'{count:,} {name}' for name, count in pools.items())}.",
        "",
        f"![Macro F1 by number of labels]({PLOT.name})",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}. {machine()}",
    ]


def _cells(found: tuple[float, float, float]) -> list[str]:
    return [f"{found[0]:+.4f}", f"{found[1]:+.4f}", f"{found[2]:.2f}"]


def draw(outcomes: Sequence[Outcome], target: Path) -> None:
    """Draw macro F1 by number of labels: each seed thin, the mean thick.

    Args:
        outcomes: One a seed.
        target: PNG file to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.add_subplot()
    labels = [START + SIZE * done for done in range(ROUNDS + 1)]
    ways = {
        "chosen by the queue": ("#0072B2", "-o", [[mark.macro_f1 for mark in one.queue] for one in outcomes]),
        "drawn at random": (
            "#D55E00",
            "--s",
            [np.mean([[mark.macro_f1 for mark in course] for course in one.random], axis=0) for one in outcomes],
        ),
    }
    for name, (colour, style, courses) in ways.items():
        for course in courses:
            axes.plot(labels, course, style[:-1], color=colour, alpha=0.3, linewidth=1)
        axes.plot(labels, np.mean(courses, axis=0), style, color=colour, linewidth=2.2, label=f"{name} (mean)")
    axes.set(xlabel="labels", ylabel="macro F1", title="Answers by the queue and at random, five seeds", xticks=labels)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(target, dpi=_DPI)


if __name__ == "__main__":
    sys.exit(main())
