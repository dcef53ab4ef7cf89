"""Cross-validate features of the linear model that might help, and log each trial under one MLflow run.

    python benchmarks/trials.py                      all trials, labels alone
    python benchmarks/trials.py --soft 1             with the encoder's soft labels, those trials that are worth it
    python benchmarks/trials.py --only NAME ...      some trials

Five folds over the authorities of the public labels of the training side; the authored sentences train in every fold.
Each fold's thresholds come from the other four. Neither the test side nor any benchmark is read. Needs data/dataset
with the public labels (`findings fetch`, `dvc repro soft_labels`); wordllama, where --packages names its folder.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import logsumexp
from sklearn.model_selection import GroupKFold

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.trial_features import Blocks, clauses  # noqa: E402
from pipeline.csv_tables import write_csv  # noqa: E402
from pipeline.dataset import load_side, load_summary  # noqa: E402
from pipeline.extract import load_sentences  # noqa: E402
from pipeline.fitting import NO_SOFT, Labelled, Problem, Soft, best_thresholds, fit_platt  # noqa: E402
from pipeline.labels import LABELS, label_matrix  # noqa: E402
from pipeline.params import Params, load_params  # noqa: E402
from pipeline.run_content import KEY_TAG, RunContent  # noqa: E402
from pipeline.scorer import Booleans, Floats, sigmoid  # noqa: E402
from pipeline.scores import Scored, point_scores  # noqa: E402
from pipeline.training import Teacher, TrainingFiles, groups_of  # noqa: E402

_FOLDS = 5
_SEED = 20
_PLAIN = {"ngram_max": 2, "contrast": 0.0, "gaps": 0.0}
_OLD = {"min_df": 2}
_HEADS = ("macro_f1", *(f"{label}_f1" for label in LABELS), "exact_match", "natural_macro_f1")


@dataclass(frozen=True)
class Trial:
    """One set of features and settings.

    Attributes:
        name: Name of its run.
        about: What it is, for the table.
        features: Changes to the section `features` of params.yaml.
        train: Changes to its section `train`.
        extra: Weight by name of block.
        authored: Weight of an authored sentence.
        pooling: How the scores of a sentence's clauses are put together; empty for the score of the whole sentence.
        soft: Whether the trial is worth repeating with soft labels.
    """

    name: str
    about: str
    features: dict[str, Any] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, float] = field(default_factory=dict)
    authored: float = 1.0
    pooling: str = ""
    soft: bool = False


_RICH = {"stems": 1.0, "before": 0.5}
TRIALS = [
    Trial("shipped", "**shipped features**: words, contrast, gaps, all seen three times, C=20", soft=True),
    Trial("words-pairs-c10", "words and pairs, C=10", {**_PLAIN, **_OLD}, {"C": 10.0}),
    Trial("words-pairs-c30", "words and pairs, C=30", {**_PLAIN, **_OLD}, {"C": 30.0}),
    Trial("words-threes", "words, pairs and runs of three, C=30", {**_PLAIN, **_OLD, "ngram_max": 3}, {"C": 30.0}),
    Trial("words-heading", "words and pairs, C=30 + heading (.5)", {**_PLAIN, **_OLD}, {"C": 30.0}, {"heading": 0.5}),
    Trial(
        "words-before", "words and pairs, C=30 + sentence before (.5)", {**_PLAIN, **_OLD}, {"C": 30.0}, {"before": 0.5}
    ),
    Trial("min-df-2", "shipped, all seen twice", _OLD),
    Trial("class-weight-none", "shipped, labels of equal class weights", {}, {"class_weight": "none"}),
    Trial("authored-0.25", "shipped, authored sentences at weight .25", authored=0.25, soft=True),
    Trial("authored-0.5", "shipped, authored sentences at weight .5", authored=0.5),
    Trial("authored-2", "shipped, authored sentences at weight 2", authored=2.0),
    Trial("before-0.35", "shipped + sentence before (.35)", extra={"before": 0.35}, soft=True),
    Trial("heading-0.5", "shipped + heading (.5)", extra={"heading": 0.5}, soft=True),
    Trial("grade-0.3", "shipped + grade of the section (.3)", extra={"grade": 0.3}),
    Trial("improvement-0.5", "shipped + bullet under an improvement heading (.5)", extra={"improvement": 0.5}),
    Trial(
        "grade-improvement",
        "shipped + grade (.3) + such a bullet (.5)",
        extra={"grade": 0.3, "improvement": 0.5},
        soft=True,
    ),
    Trial("negation-0.5", "shipped + words marked as denied (.5)", extra={"negation": 0.5}, soft=True),
    Trial("modality-0.3", "shipped + patterns of modality and endings (.3)", extra={"modality": 0.3}),
    Trial("modality-0.5", "shipped + patterns of modality and endings (.5)", extra={"modality": 0.5}, soft=True),
    Trial("clauses-max", "shipped, highest score of a clause", pooling="max"),
    Trial("clauses-logsumexp", "shipped, logsumexp over the clauses", pooling="logsumexp"),
    Trial("clauses-both", "shipped, mean of the sentence and its highest clause", pooling="both", soft=True),
    Trial(
        "embeddings-0.5", "shipped + word embeddings (wordllama, 256 wide, .5)", extra={"embeddings": 0.5}, soft=True
    ),
    Trial("embeddings-1", "shipped + word embeddings (1)", extra={"embeddings": 1.0}),
    Trial(
        "stems-before",
        "stems and pairs + sentence before (.5), instead of words",
        {**_PLAIN, **_OLD},
        {"C": 30.0},
        _RICH,
    ),
    Trial("rich", "words, stems, contrast, gaps, sentence before, C=20", _OLD, {}, _RICH),
    Trial("rich-half", "the same, authored sentences at weight .5", _OLD, {}, _RICH, 0.5),
    Trial("rich-modality", "the same + patterns of modality (.5)", _OLD, {}, {**_RICH, "modality": 0.5}, 0.5),
    Trial("rich-no-before", "words, stems, contrast, gaps, authored at weight .5", _OLD, {}, {"stems": 1.0}, 0.5),
    Trial("characters-0.5", "shipped + character 3-5-grams (.5)", extra={"characters": 0.5}, soft=True),
    Trial(
        "words-characters",
        "words and pairs, C=30 + character 3-5-grams (.7)",
        {**_PLAIN, **_OLD},
        {"C": 30.0},
        {"characters": 0.7},
    ),
    Trial("latent-0.5", "shipped + latent semantic analysis, 200 wide (.5)", extra={"latent": 0.5}),
]


class Corpus:
    """Sentences with labels, then some with soft labels, and the folds.

    Args:
        data: Folder with dataset/, sentences/ and soft_labels.parquet.
        share: Share of the soft sentences to train with, drawn at random; 0 for none.
        params: All settings.
    """

    def __init__(self, data: Path, share: float, params: Params) -> None:
        train = load_side(data / "dataset", "train")
        self.sha256 = load_summary(data / "dataset")["train"]["sha256"]
        self.store = load_sentences(data / "sentences")
        labelled = Labelled(train["text"].tolist(), label_matrix(train), groups_of(train))
        soft = _share(self._soft(data, train, labelled, params), share) if share else NO_SOFT
        self.size = len(train)
        self.public = train["source"].str.contains("public").to_numpy()
        self.natural = (train["pool"] == "natural").to_numpy()
        self.labels: Booleans = labelled.labels
        self.targets = np.vstack([labelled.labels.astype(float), soft.probabilities])
        self.weights = np.append(np.ones(self.size), np.full(len(soft.texts), soft.weight))
        self.groups = np.append(labelled.groups.astype(object), soft.groups)
        self.table = pd.concat([self._context(train), self._context_of_soft(soft)], ignore_index=True).fillna("")
        places = np.flatnonzero(self.public)
        self.folds = [places[rest] for _, rest in GroupKFold(_FOLDS).split(places, groups=self.groups[places])]

    def held_out(self, fold: Any) -> Booleans:  # noqa: ANN401
        """Tell which sentences, labelled or not, are of a fold's authorities."""
        return np.isin(self.groups, np.unique(self.groups[fold]))

    def _soft(self, data: Path, train: pd.DataFrame, labelled: Labelled, params: Params) -> Soft:
        files = TrainingFiles(
            data / "sentences",
            data / "soft_labels.parquet",
            PROJECT / "models" / "encoder",
            PROJECT / "data" / "reserved-keys.txt",
        )
        # The test side is read for its keys: none of its sentences may teach.
        return Teacher(files, train, labelled).soft(params, load_side(data / "dataset", "test"))

    def _context(self, train: pd.DataFrame) -> pd.DataFrame:
        grades = self.store.drop_duplicates(["report_id", "key"]).set_index(["report_id", "key"])["section_grade"]
        places = pd.MultiIndex.from_frame(train[["document", "key"]])
        table = train[["text", "section", "kind", "before"]].astype(object)
        return table.assign(section_grade=grades.reindex(places).to_numpy(dtype=object))

    def _context_of_soft(self, soft: Soft) -> pd.DataFrame:
        store = self.store.assign(before=self.store.groupby("report_id")["text"].shift())
        store = store.assign(group=store["provider"].fillna(store["report_id"]))
        known = store.drop_duplicates(["group", "text"]).set_index(["group", "text"])
        places = pd.MultiIndex.from_arrays([soft.groups, soft.texts], names=["group", "text"])
        table = known.reindex(places).reset_index()
        return table[["text", "section", "kind", "before", "section_grade"]].astype(object)


def score(trial: Trial, corpus: Corpus, blocks: Blocks, params: Params) -> dict[str, float]:
    """Cross-validate one trial.

    Returns:
        Scores on the public sentences, macro F1 by fold, and sentences whose features a core computes in a second.
    """
    params = replace(
        params, features=replace(params.features, **trial.features), train=replace(params.train, **trial.train)
    )
    min_df = params.features.min_df
    parts = [(blocks.shipped(params.features), 1.0)]
    if trial.name == "stems-before":
        parts = []
    parts += [(blocks.extra(name, min_df), weight) for name, weight in trial.extra.items()]
    rows = sparse.hstack([block.rows * weight for block, weight in parts], format="csr")
    weights = corpus.weights.copy()
    weights[: corpus.size][~corpus.public] *= trial.authored
    outs = [corpus.held_out(fold) for fold in corpus.folds]
    fitted = Problem(rows, corpus.targets, weights, params).fit_all([~out for out in outs])
    scores = np.zeros(corpus.labels.shape)
    for fold, regressions in zip(corpus.folds, fitted, strict=True):
        scores[fold] = np.column_stack([one.decision_function(rows[fold]) for one in regressions])
        if trial.pooling:
            union = blocks.unions[repr(params.features)]
            scores[fold] = pooled(scores[fold], corpus.table["text"].iloc[fold], union, regressions, trial.pooling)
    return {
        **measured(corpus, scores),
        "features": float(rows.shape[1]),
        "feature_sentences_per_second": round(len(corpus.table) / sum(block.seconds for block, _ in parts), 1),
    }


def pooled(scores: Floats, texts: Any, union: Any, regressions: Any, how: str) -> Floats:  # noqa: ANN401
    """Put the scores of clauses together for sentences that have several."""
    parts = [clauses(text) for text in texts]
    many = [place for place, part in enumerate(parts) if len(part) > 1]
    rows = union.transform([clause for place in many for clause in parts[place]])
    by_clause = np.column_stack([one.decision_function(rows) for one in regressions])
    ends = np.cumsum([len(parts[place]) for place in many])
    result = scores.copy()
    for place, some in zip(many, np.split(by_clause, ends[:-1]), strict=True):
        if how == "logsumexp":
            result[place] = logsumexp(some, axis=0)
        else:
            result[place] = some.max(axis=0) if how == "max" else (some.max(axis=0) + scores[place]) / 2
    return result


def measured(corpus: Corpus, scores: Floats) -> dict[str, float]:
    """Choose labels by each fold's thresholds, and score them."""
    public = np.flatnonzero(corpus.public)
    slopes, intercepts = fit_platt(scores[public], corpus.labels[public])
    probabilities = sigmoid(scores * slopes + intercepts)
    chosen = np.zeros(corpus.labels.shape, dtype=bool)
    for fold in corpus.folds:
        others = np.setdiff1d(public, fold)
        chosen[fold] = probabilities[fold] >= best_thresholds(corpus.labels[others], probabilities[others])

    def points(rows: Any) -> dict[str, float | None]:  # noqa: ANN401
        unnamed = np.full(len(rows), "")
        return point_scores(Scored(corpus.labels[rows], probabilities[rows], chosen[rows], unnamed, unnamed), 10)

    overall = points(public)
    result = {name: overall[name] for name in _HEADS[:-1]}
    result["natural_macro_f1"] = points(np.flatnonzero(corpus.natural))["macro_f1"]
    result |= {f"fold_{rank}_macro_f1": points(fold)["macro_f1"] for rank, fold in enumerate(corpus.folds, 1)}
    return {name: float(value) for name, value in result.items() if value is not None}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the trials, log them, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=PROJECT / "data", help="folder with dataset/ and sentences/")
    parser.add_argument("--soft", type=float, default=0.0, metavar="SHARE", help="share of the soft sentences, 0 to 1")
    parser.add_argument("--only", nargs="+", choices=[trial.name for trial in TRIALS], metavar="NAME")
    parser.add_argument("--packages", type=Path, help="folder with wordllama")
    arguments = parser.parse_args(argv)
    if not (arguments.data / "dataset" / "train.parquet").is_file():
        print(f"{arguments.data}: no dataset there; run `dvc repro soft_labels`. Nothing tried.")
        return 0
    params = load_params(PROJECT / "params.yaml")
    corpus = Corpus(arguments.data, arguments.soft, params)
    if not corpus.public.any():
        print(f"{arguments.data}: no public label has met its sentence (data/reports is empty). Nothing tried.")
        return 0
    blocks = Blocks(corpus.table, arguments.packages, lambda: corpus.store["text"].drop_duplicates().tolist())
    chosen = [
        trial
        for trial in TRIALS
        if (trial.name in arguments.only if arguments.only else trial.soft or not arguments.soft)
    ]
    rows: dict[str, dict[str, float]] = {}
    for trial in chosen:
        start = time.perf_counter()
        try:
            rows[trial.name] = score(trial, corpus, blocks, params)
        except ModuleNotFoundError as error:
            print(f"{trial.name}: left out ({error})")
            continue
        print(f"{trial.name}: {time.perf_counter() - start:.0f} s, {json.dumps(rows[trial.name])}", flush=True)
        _log(corpus, arguments.soft, rows, "RUNNING")
    _log(corpus, arguments.soft, rows, "FINISHED")
    _write(rows, arguments.soft)
    return 0


def _log(corpus: Corpus, share: float, rows: dict[str, dict[str, float]], status: str) -> None:
    """Log what is known by now as runs below one parent run."""
    from pipeline.tracking import open_store

    taught = "labels alone" if not share else f"labels and {share:.0%} of the soft labels"
    best = max(rows, key=lambda name: rows[name]["macro_f1"])
    origin = {"mlflow.source.name": "benchmarks/trials.py", "data.train": corpus.sha256}
    key = _key(corpus.sha256, share, _SEED, "trials")
    parent = RunContent(
        name=f"feature trials, {taught}",
        description=f"{(__doc__ or '').strip()}\n\nBest: {best}, macro F1 {rows[best]['macro_f1']:.3f}.",
        params={"soft_share": str(share), "folds": str(_FOLDS)},
        metrics={f"cv_{name}": rows[best][name] for name in _HEADS},
        tags={**origin, "search.best": best, KEY_TAG: key},
    )
    children = [
        RunContent(
            name=trial.name,
            description=trial.about,
            params={
                **{name: str(value) for name, value in {**trial.features, **trial.train}.items()},
                **{f"block.{name}": str(weight) for name, weight in trial.extra.items()},
                "authored_weight": str(trial.authored),
                "pooling": trial.pooling or "none",
                "soft_share": str(share),
            },
            metrics={f"cv_{name}": value for name, value in rows[trial.name].items()},
            tags={**origin, KEY_TAG: _key(key, trial.name, repr(trial), repr(rows[trial.name]["macro_f1"]))},
        )
        for trial in TRIALS
        if trial.name in rows
    ]
    with open_store(PROJECT) as store:
        store.log_nested(parent, children, status)


def _key(*parts: object) -> str:
    return sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:16]


def _write(rows: dict[str, dict[str, float]], share: float) -> None:
    """Print the table in Markdown, and keep it as CSV."""
    base = rows.get("shipped")
    folds = [f"fold_{rank}_macro_f1" for rank in range(1, _FOLDS + 1)]
    print("| trial | macro | S | W | C | exact | natural | better in folds | sentences/s | run |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for trial in TRIALS:
        if trial.name in rows:
            row = rows[trial.name]
            better = sum(row[fold] > base[fold] for fold in folds) if base else 0
            cells = [f"{row[name]:.3f}".replace("0.", ".") for name in _HEADS]
            speed = f"{row['feature_sentences_per_second']:,.0f}"
            print(f"| {trial.about} | {' | '.join(cells)} | {better} | {speed} | `{trial.name}` |")
    output = PROJECT / "data" / "search" / f"trials-soft-{share:g}.csv"
    names = list(next(iter(rows.values())))
    write_csv(output, ["run", *names], [[name, *(row[one] for one in names)] for name, row in rows.items()])
    print(f"\n{output.relative_to(PROJECT)}")


def _share(soft: Soft, share: float) -> Soft:
    """Draw some of the soft sentences."""
    draw = np.random.default_rng(_SEED).random(len(soft.texts)) < share
    texts = [text for text, taken in zip(soft.texts, draw, strict=True) if taken]
    return Soft(texts, soft.probabilities[draw], soft.groups[draw], soft.weight)


if __name__ == "__main__":
    sys.exit(main())
