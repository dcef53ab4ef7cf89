"""The model card: what a model is, what it was trained on, how well it does and where it fails."""

from typing import TYPE_CHECKING, Any

from pipeline.labels import LABELS
from pipeline.modes import Mode

if TYPE_CHECKING:
    from pipeline.classifier import SentenceClassifier

_CASCADE = """
Mode fast is this linear model alone. In the mode balanced, encoder `{encoder}` reads the sentences where the linear
model is unsure about some label ({reach:.0%} of ordinary sentences); in the mode accurate it reads all. Sets of labels
are then weighed by what both say. These weights were fitted, as were the thresholds, on answers of encoders and linear
models that had not seen the documents.

Thresholds:
"""
_TEMPLATE = """\
# findings: strength, weakness, commitment

Model version `{version}`. Labels each sentence of an inspection report, council statement, plan or minutes with any
subset of three labels; none is a normal answer.

## Model
TF-IDF of word runs (1 to {ngram_max} words, stop words and negations kept), of the words after a contrast and the ends
of the sentence (weight {contrast}), of gapped pairs (weight {gaps}), and of pairs with a signal word ("will", "not",
"has", ...; weight {signals}); then one logistic regression a label.
Out-of-fold scores are calibrated by Platt scaling, and then weigh sets of labels against each other, since few
sentences have two. A label is given from its threshold on, which gives the highest F1 that these probabilities lead
one to expect. Trained with {libraries}.
{cascade}
| label | {modes} | training examples |
| --- {dashes}| --- |
{thresholds}

## Training data
{sentences} sentences of {documents} documents; SHA-256 of the training side `{data}`. {soft}

| label file | sentences |
| --- | --- |
{sources}

## Scores
{scores}

## Use
For sorting and finding sentences that a person then reads. Not for grading a service, and not for ranking councils.
`findings classify PATH --model DIR` or `pipeline.load_model(DIR).predict([...])`. The model is a file of plain
arrays; loading checks it and runs nothing of it.

## Limits
English only. A sentence is judged alone: what a pronoun or a bare bullet refers to is not seen. Text that
is unlike the training data (other inspectorates, new frameworks, informal writing) is labelled less well, and the
probabilities are calibrated for text like the training data alone.

## Make it again
`dvc repro` with the parameters `{params}`.
"""


def render_card(classifier: "SentenceClassifier") -> str:
    """Write the card of a model.

    Args:
        classifier: The model.

    Returns:
        Markdown.
    """
    config = classifier.config
    examples = config.data["examples"]
    cascade = config.cascade
    thresholds = {Mode.fast.value: config.thresholds, **(cascade.thresholds if cascade else {})}
    return _TEMPLATE.format(
        version=classifier.version,
        ngram_max=config.params["features"]["ngram_max"],
        contrast=config.params["features"]["contrast"],
        gaps=config.params["features"]["gaps"],
        signals=config.params["features"].get("signals", 0.0),  # there were none at first
        libraries=", ".join(f"{name} {version}" for name, version in config.libraries.items()),
        cascade=_CASCADE.format(encoder=cascade.encoder, reach=cascade.reach) if cascade else "",
        modes=" | ".join(thresholds),
        dashes="| --- " * len(thresholds),
        thresholds="\n".join(
            f"| {label} | {' | '.join(str(chosen[label]) for chosen in thresholds.values())} | {examples[label]:,} |"
            for label in LABELS
        ),
        soft=_taught_by_encoder(config.data),
        sentences=f"{config.data['sentences']:,}",
        documents=config.data["documents"],
        data=config.data["sha256"],
        sources="\n".join(f"| {name} | {count:,} |" for name, count in config.data["sources"].items()),
        scores=_scores(config.scores),
        params=config.params,
    )


def _taught_by_encoder(data: dict[str, Any]) -> str:
    """Name what the encoder labelled; models that were trained before there were copies have none."""
    counts = ((data["soft_sentences"], "sentences"), (data.get("copies", 0), "altered copies of sentences"))
    named = " and ".join(f"{count:,} {what}" for count, what in counts if count)
    return f"Besides, {named} that only the encoder labelled." if named else ""


def _scores(scores: dict[str, Any]) -> str:
    """Write the scores of each set as a table, with intervals where there are any."""
    parts = []
    fold = scores["out_of_fold"]
    parts.append("Out of fold, on the training side, in the mode fast (thresholds were chosen on the same scores):\n")
    parts.append(_table({name: str(value) for name, value in fold.items()}))
    if "test" in scores:
        test = scores["test"]
        parts.append(
            f"\nOn the test side, {test['sentences']:,} sentences of {test['documents']} documents that never trained, "
            "with bootstrap intervals over documents:\n"
        )
        parts.append(_table({name: _interval(score) for name, score in test["scores"].items()}))
        parts.append("\nOn the same side, by mode:\n")
        parts.append(_modes_table(test["by_mode"]))
    return "\n".join(parts)


def _modes_table(by_mode: dict[str, dict[str, float | None]]) -> str:
    """Lay out the headline scores of each mode."""
    columns = ("macro_f1", *(f"{label}_f1" for label in LABELS), "exact_match", "encoder_share")
    head = ("macro F1", *LABELS, "exact match", "read by the encoder")
    rows = [f"| {mode} | {' | '.join(str(part[name]) for name in columns)} |" for mode, part in by_mode.items()]
    return "\n".join([f"| mode | {' | '.join(head)} |", "| --- " * (len(head) + 1) + "|", *rows])


def _interval(score: dict[str, Any]) -> str:
    return f"{score['value']} ({score['low']} to {score['high']})" if score["value"] is not None else "None"


def _table(cells: dict[str, str]) -> str:
    """Lay out scores by name, a row a label."""
    columns = ("precision", "recall", "f1", "average_precision", "brier", "ece")
    whole = ", ".join(
        f"{title} {cells[name]}"
        for name, title in (("macro_f1", "macro F1"), ("micro_f1", "micro F1"), ("exact_match", "exact match"))
    )
    head = f"| label | {' | '.join(name.replace('_', ' ') for name in columns)} |"
    rows = [f"| {label} | {' | '.join(cells[f'{label}_{name}'] for name in columns)} |" for label in LABELS]
    return "\n".join([f"{whole}.\n", head, "| --- " * (len(columns) + 1) + "|", *rows])
