"""Cross-validate features of the linear model that might help, and log each trial under one MLflow run.

    python benchmarks/trials.py                      all trials, labels alone
    python benchmarks/trials.py --soft 1             with the encoder's soft labels, those trials that are worth it
    python benchmarks/trials.py --only NAME ...      some trials

Five folds over the authorities of the public labels of the training side; the authored sentences train in every fold.
Each fold's thresholds come from the other four. The test side is read for its keys, and no benchmark at all. Needs
data/dataset with the public labels (`findings fetch`, `dvc repro soft_labels`); wordllama, where --packages names its
folder.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import logsumexp

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.trial_corpus import FOLDS, SEED, Corpus  # noqa: E402
from benchmarks.trial_features import Blocks, clauses  # noqa: E402
from benchmarks.trial_list import BASE, TRIALS, Trial  # noqa: E402
from pipeline.calibration import fit_platt  # noqa: E402
from pipeline.csv_tables import write_csv  # noqa: E402
from pipeline.fitting import Problem  # noqa: E402
from pipeline.labels import LABELS  # noqa: E402
from pipeline.params import Params, load_params  # noqa: E402
from pipeline.run_content import KEY_TAG, RunContent  # noqa: E402
from pipeline.scorer import Floats, sigmoid  # noqa: E402
from pipeline.scores import Scored, point_scores  # noqa: E402
from pipeline.search import OUTPUT, choose_by_fold  # noqa: E402
from pipeline.search_report import METRIC_PREFIX, fold_score  # noqa: E402

_HEADS = ("macro_f1", *(f"{label}_f1" for label in LABELS), "exact_match", "natural_macro_f1")
_BINS = 10


def score(trial: Trial, corpus: Corpus, blocks: Blocks, params: Params, fits: dict[str, Any]) -> dict[str, float]:
    """Cross-validate one trial.

    Args:
        trial: What to try.
        corpus: The sentences.
        blocks: Their features.
        params: All settings.
        fits: Regressions by what they were fitted on; trials that only ask them otherwise share them.

    Returns:
        Scores on the public sentences, macro F1 by fold, and sentences whose features a core computes in a second.
    """
    params = replace(
        params,
        features=replace(params.features, **{**BASE, **trial.features}),
        train=replace(params.train, **trial.train),
    )
    min_df = params.features.min_df
    parts = [(blocks.product(params.features), 1.0)] if trial.words else []
    parts += [(blocks.extra(name, min_df), weight) for name, weight in trial.extra.items()]
    rows = sparse.hstack([block.rows * weight for block, weight in parts], format="csr")
    asked = rows
    if trial.hidden:
        own = sum(block.rows.shape[1] for block, _ in parts[:1])
        asked = sparse.hstack([rows[:, :own], sparse.csr_matrix((rows.shape[0], rows.shape[1] - own))], format="csr")
    if (model := repr(replace(trial, name="", about="", pooling="", hidden=False, soft=False))) not in fits:
        weights = corpus.weights.copy()
        weights[: corpus.size][~corpus.public] *= trial.authored
        outs = [corpus.held_out(fold) for fold in corpus.folds]
        fits[model] = Problem(rows, corpus.targets, weights, params).fit_all([~out for out in outs])
    fitted = fits[model]
    scores = np.zeros(corpus.labels.shape)
    for fold, regressions in zip(corpus.folds, fitted, strict=True):
        scores[fold] = np.column_stack([one.decision_function(asked[fold]) for one in regressions])
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
    """Choose the labels of the public sentences by thresholds of the other folds, and score them."""
    public = np.concatenate(corpus.folds)
    fold_of = np.repeat(np.arange(FOLDS), [len(fold) for fold in corpus.folds])
    labels = corpus.labels[public]
    # A straight line a label: it makes probabilities of scores, and changes no choice.
    slopes, intercepts = fit_platt(scores[public], labels)
    probabilities = sigmoid(scores[public] * slopes + intercepts)
    chosen = choose_by_fold(labels, probabilities, fold_of)

    def points(rows: Any) -> dict[str, float | None]:  # noqa: ANN401
        unnamed = np.full(int(rows.sum()), "")
        return point_scores(Scored(labels[rows], probabilities[rows], chosen[rows], unnamed, unnamed), _BINS)

    overall = points(np.full(len(public), True))
    result = {name: overall[name] for name in _HEADS[:-1]}
    result["natural_macro_f1"] = points(corpus.natural[public])["macro_f1"]
    result |= {fold_score(fold): points(fold_of == fold)["macro_f1"] for fold in range(FOLDS)}
    return {name: float(value) for name, value in result.items() if value is not None}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the trials, log them, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=PROJECT / "data", help="folder with dataset/ and sentences/")
    parser.add_argument("--soft", type=float, default=0.0, metavar="SHARE", help="share of the soft sentences, 0 to 1")
    parser.add_argument("--only", nargs="+", choices=[trial.name for trial in TRIALS], metavar="NAME")
    parser.add_argument("--project", type=Path, default=PROJECT, help="folder for mlruns/ and data/search/")
    parser.add_argument("--packages", type=Path, help="folder with wordllama")
    arguments = parser.parse_args(argv)
    if not (arguments.data / "dataset" / "train.parquet").is_file():
        print(f"{arguments.data}: no dataset there; run `dvc repro soft_labels`. Nothing tried.")
        return 0
    params = load_params(PROJECT / "params.yaml")
    corpus = Corpus(arguments.data, arguments.soft, params)
    if not corpus.folds:
        print(f"{arguments.data}: public labels of fewer than {FOLDS} authorities met a sentence. Nothing tried.")
        return 0
    blocks = Blocks(corpus.table, arguments.packages, lambda: corpus.store["text"].drop_duplicates().tolist())
    named = {trial.name: trial for trial in TRIALS}
    worth = [trial.name for trial in TRIALS if trial.soft or not arguments.soft]
    chosen = [named[name] for name in arguments.only or worth]
    rows: dict[str, dict[str, float]] = {}
    fits: dict[str, Any] = {}
    for trial in chosen:
        start = time.perf_counter()
        try:
            rows[trial.name] = score(trial, corpus, blocks, params, fits)
        except ModuleNotFoundError as error:
            print(f"{trial.name}: left out ({error})")
            continue
        print(f"{trial.name}: {time.perf_counter() - start:.0f} s, {json.dumps(rows[trial.name])}", flush=True)
        _log(arguments.project, corpus, arguments.soft, rows, "RUNNING")
    _log(arguments.project, corpus, arguments.soft, rows, "FINISHED")
    _write(arguments.project, rows, arguments.soft)
    return 0


def _log(project: Path, corpus: Corpus, share: float, rows: dict[str, dict[str, float]], status: str) -> None:
    """Log what is known by now as runs below one parent run."""
    from pipeline.tracking import open_store

    taught = "labels alone" if not share else f"labels and {share:.0%} of the soft labels"
    origin = {"mlflow.source.name": "benchmarks/trials.py", "data.train": corpus.sha256}
    key = _key(corpus.sha256, share, SEED, "trials")
    parent = RunContent(
        name=f"feature trials, {taught}",
        description=(__doc__ or "").strip(),
        params={"soft_share": str(share), "folds": str(FOLDS)},
        metrics={},
        tags={**origin, KEY_TAG: key},
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
                "hidden": str(trial.hidden),
                "soft_share": str(share),
            },
            metrics={f"{METRIC_PREFIX}{name}": value for name, value in rows[trial.name].items()},
            tags={**origin, KEY_TAG: _key(key, trial.name, repr(trial), repr(rows[trial.name]["macro_f1"]))},
        )
        for trial in TRIALS
        if trial.name in rows
    ]
    with open_store(project) as store:
        store.log_nested(parent, children, status)


def _key(*parts: object) -> str:
    return sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:16]


def _write(project: Path, rows: dict[str, dict[str, float]], share: float) -> None:
    """Print the table in Markdown, and keep it as CSV."""
    base = rows.get("base")
    folds = [fold_score(fold) for fold in range(FOLDS)]
    print("| trial | macro | S | W | C | exact | natural | better in folds | sentences/s | run |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for trial in TRIALS:
        if trial.name in rows:
            row = rows[trial.name]
            better = sum(row[fold] > base[fold] for fold in folds) if base else 0
            cells = [f"{row[name]:.3f}".replace("0.", ".") for name in _HEADS]
            speed = f"{row['feature_sentences_per_second']:,.0f}"
            print(f"| {trial.about} | {' | '.join(cells)} | {better} | {speed} | `{trial.name}` |")
    output = project / OUTPUT / f"trials-soft-{share:g}.csv"
    names = list(next(iter(rows.values())))
    write_csv(output, ["run", *names], [[name, *(row[one] for one in names)] for name, row in rows.items()])
    print(f"\n{output.relative_to(project)}")


if __name__ == "__main__":
    sys.exit(main())
