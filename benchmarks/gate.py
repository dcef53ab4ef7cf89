"""Simulated retrainings before the gate of `register`: how many candidates are promoted, better ones and others.

All labelled sentences are used, those of the reports among them. In each retraining, documents are divided by chance:
one fifth trains, one fifth is the gate's test side, and on the others the true difference is measured.
No better: three models are trained, each on a resample of its own (two thirds of the training documents); candidate and
champion, in random order, are those two whose true difference is nearest to 0.
Better by .03: the candidate is trained on all training documents, the champion on a part of them, of four parts the one
where the true gain is nearest to .03.
"""

import tempfile
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.dataset import SIDES, build_dataset, load_side
from pipeline.extract import extract_sentences
from pipeline.fitting import fit_linear
from pipeline.gate import MACRO, Change, compare, judge
from pipeline.label_sets import LabelSets
from pipeline.labelled import Labelled
from pipeline.labels import label_matrix
from pipeline.params import Params, load_params
from pipeline.scorer import LinearScorer
from pipeline.scores import Scored

_PROJECT = Path(__file__).resolve().parent.parent
_RETRAININGS = 40
_GAIN = 0.03
_FITS = 4
_MODELS = 3
Documents = npt.NDArray[np.object_]


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Simulate 40 retrainings of each kind."""
    params = load_params(_PROJECT / "params.yaml")
    # Three folds in place of five take less time, and only set calibration and thresholds.
    params = replace(params, train=replace(params.train, folds=3))
    table = _labelled(shared, params)
    same = [_no_better(table, params, np.random.default_rng([3, number])) for number in range(_RETRAININGS)]
    more = [_better(table, params, np.random.default_rng([2, number])) for number in range(_RETRAININGS)]
    rows = []
    for name, outcomes, wanted in (
        ("no better", same, "at most 2"),
        (f"better by {_GAIN}", more, "at least 32"),
    ):
        true = np.array([outcome.true.difference for outcome in outcomes])
        rows += [
            (f"{name}: promoted, of {_RETRAININGS}", str(sum(outcome.promoted for outcome in outcomes)), wanted),
            (f"{name}: true difference in macro F1, mean", f"{true.mean():+.4f}", ""),
            (f"{name}: the same, least and greatest", f"{true.min():+.4f}, {true.max():+.4f}", ""),
            (f"{name}: sentences of the test side, mean", f"{np.mean([o.sentences for o in outcomes]):,.0f}", ""),
        ]
    return rows


@dataclass(frozen=True)
class _Outcome:
    """One retraining: what the gate said, and what is so."""

    promoted: bool
    seen: Change
    true: Change
    sentences: int


class _Division:
    """The documents divided by chance into a training side, the gate's test side, and the rest."""

    def __init__(self, table: pd.DataFrame, params: Params, generator: np.random.Generator) -> None:
        documents = generator.permutation(table["document"].unique())
        ends = (np.array([0.2, 0.4]) * len(documents)).astype(int)
        self.training, test, rest = np.split(documents, ends)
        self._rows_of = table.groupby("document").indices
        self._table = table
        self._params = params
        self.test, self.rest = self._rows(test), self._rows(rest)

    def train(self, documents: Documents) -> tuple[Scored, Scored]:
        """Train on documents; answer on the test side and on the rest."""
        table = self._rows(documents)
        groups = table["provider"].fillna(table["document"]).to_numpy()
        fitted = fit_linear(Labelled(table["text"].tolist(), label_matrix(table), groups), self._params)
        scorer, sets = LinearScorer(fitted.model), LabelSets(fitted.sets)

        def answers(side: pd.DataFrame) -> Scored:
            probabilities = sets.probabilities(scorer.score(side["text"].tolist()))
            chosen = probabilities >= fitted.thresholds
            return Scored(
                label_matrix(side), probabilities, chosen, side["document"].to_numpy(), side["doc_type"].to_numpy()
            )

        return answers(self.test), answers(self.rest)

    def outcome(self, candidate: tuple[Scored, Scored], champion: tuple[Scored, Scored]) -> _Outcome:
        """Let the gate judge on the test side, and measure on the rest."""
        seen, true = (compare(*pair, self._params.register) for pair in zip(candidate, champion, strict=True))
        promoted, _ = judge(seen, self._params.register)
        return _Outcome(promoted, seen[MACRO], true[MACRO], len(self.test))

    def _rows(self, documents: Documents) -> pd.DataFrame:
        return self._table.iloc[np.concatenate([self._rows_of[name] for name in documents])]


def _no_better(table: pd.DataFrame, params: Params, generator: np.random.Generator) -> _Outcome:
    """Train models on resamples of the same documents, and take the two that are most nearly as good."""
    division = _Division(table, params, generator)
    size = 2 * len(division.training) // 3
    models = [division.train(generator.choice(division.training, size, replace=False)) for _ in range(_MODELS)]
    pairs = [generator.permutation(pair) for pair in combinations(range(_MODELS), 2)]
    outcomes = [division.outcome(models[candidate], models[champion]) for candidate, champion in pairs]
    return min(outcomes, key=lambda outcome: abs(outcome.true.difference))


def _better(table: pd.DataFrame, params: Params, generator: np.random.Generator) -> _Outcome:
    """Train a model on all documents, and halve the way to the part of them that costs a second one the gain."""
    division = _Division(table, params, generator)
    candidate = division.train(division.training)
    outcomes, low, high = [], 0.2, 1.0
    for _ in range(_FITS):
        part = (low + high) / 2
        chosen = division.training[: int(part * len(division.training))]
        outcome = division.outcome(candidate, division.train(chosen))
        outcomes.append(outcome)
        # The less the champion was trained on, the greater the gain.
        low, high = (part, high) if outcome.true.difference > _GAIN else (low, part)
    return min(outcomes, key=lambda outcome: abs(outcome.true.difference - _GAIN))


def _labelled(shared: Path, params: Params) -> pd.DataFrame:
    """Read all labelled sentences, each text once."""
    with tempfile.TemporaryDirectory() as scratch:
        sentences, dataset = Path(scratch) / "sentences", Path(scratch) / "dataset"
        extract_sentences([_PROJECT / "data" / "samples", shared / "reports"], sentences)
        build_dataset(params, _PROJECT / "data" / "labels", sentences, dataset)
        table = pd.concat([load_side(dataset, side) for side in SIDES], ignore_index=True)
    # A text may stand in several documents, which come to stand on different sides.
    return table.drop_duplicates("key").reset_index(drop=True)
