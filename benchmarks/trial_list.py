"""The trials of features of the linear model: what each changes."""

from dataclasses import dataclass, field
from typing import Any

# What every trial begins with: the features as they were when most of them were made.
BASE = {"signals": 0.0}
# As the features were before contrast, gaps and distillation came.
_PLAIN = {"ngram_max": 2, "contrast": 0.0, "gaps": 0.0}
_OLD = {"min_df": 2}


@dataclass(frozen=True)
class Trial:
    """One set of features and settings.

    Attributes:
        name: Name of its run.
        about: What it is, for the table.
        features: Changes to the section `features` of params.yaml, beside `BASE`.
        train: Changes to its section `train`.
        extra: Weight by name of block.
        words: Whether the product's kinds of features are used at all.
        authored: Weight of an authored sentence.
        pooling: How the scores of a sentence's clauses are put together; empty for the score of the whole sentence.
        hidden: Whether the extra blocks are empty in the sentences that are scored, as in a table of single sentences.
        soft: Whether the trial is worth repeating with soft labels.
    """

    name: str
    about: str
    features: dict[str, Any] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, float] = field(default_factory=dict)
    authored: float = 1.0
    words: bool = True
    pooling: str = ""
    hidden: bool = False
    soft: bool = False


_RICH = {"stems": 1.0, "before": 0.5}
TRIALS = [
    Trial("base", "**base**: words, contrast, gaps, all seen three times, C=20", soft=True),
    Trial("signal-words", "base + pairs with a signal word (.6), as shipped", {"signals": 0.6}, soft=True),
    Trial("words-pairs-c10", "words and pairs, C=10", {**_PLAIN, **_OLD}, {"C": 10.0}),
    Trial("words-pairs-c30", "words and pairs, C=30", {**_PLAIN, **_OLD}, {"C": 30.0}),
    Trial("words-threes", "words, pairs and runs of three, C=30", {**_PLAIN, **_OLD, "ngram_max": 3}, {"C": 30.0}),
    Trial("words-heading", "words and pairs, C=30 + heading (.5)", {**_PLAIN, **_OLD}, {"C": 30.0}, {"heading": 0.5}),
    Trial(
        "words-before", "words and pairs, C=30 + sentence before (.5)", {**_PLAIN, **_OLD}, {"C": 30.0}, {"before": 0.5}
    ),
    Trial("min-df-2", "base, all seen twice", _OLD),
    Trial("class-weight-none", "base, labels of equal class weights", {}, {"class_weight": "none"}),
    Trial("authored-0.25", "base, authored sentences at weight .25", authored=0.25, soft=True),
    Trial("authored-0.5", "base, authored sentences at weight .5", authored=0.5),
    Trial("authored-2", "base, authored sentences at weight 2", authored=2.0),
    Trial("before-0.35", "base + sentence before (.35)", extra={"before": 0.35}, soft=True),
    Trial("heading-0.5", "base + heading (.5)", extra={"heading": 0.5}, soft=True),
    Trial("grade-0.3", "base + grade of the section (.3)", extra={"grade": 0.3}, soft=True),
    Trial("improvement-0.5", "base + bullet under an improvement heading (.5)", extra={"improvement": 0.5}, soft=True),
    Trial(
        "grade-improvement",
        "base + grade (.3) + such a bullet (.5)",
        extra={"grade": 0.3, "improvement": 0.5},
        soft=True,
    ),
    Trial(
        "grade-improvement-0.2",
        "base + grade (.2) + such a bullet (.3)",
        extra={"grade": 0.2, "improvement": 0.3},
        soft=True,
    ),
    Trial(
        "heading-grade-improvement",
        "base + heading (.5) + grade (.3) + such a bullet (.5)",
        extra={"heading": 0.5, "grade": 0.3, "improvement": 0.5},
        soft=True,
    ),
    Trial(
        "grade-improvement-hidden",
        "trained with grade (.3) and such a bullet (.5), asked without",
        extra={"grade": 0.3, "improvement": 0.5},
        hidden=True,
        soft=True,
    ),
    Trial(
        "heading-hidden", "trained with the heading (.5), asked without", extra={"heading": 0.5}, hidden=True, soft=True
    ),
    Trial(
        "before-hidden",
        "trained with the sentence before (.35), asked without",
        extra={"before": 0.35},
        hidden=True,
        soft=True,
    ),
    Trial("negation-0.5", "base + words marked as denied (.5)", extra={"negation": 0.5}, soft=True),
    Trial("modality-0.3", "base + patterns of modality and endings (.3)", extra={"modality": 0.3}),
    Trial("modality-0.5", "base + patterns of modality and endings (.5)", extra={"modality": 0.5}, soft=True),
    Trial("clauses-max", "base, highest score of a clause", pooling="max"),
    Trial("clauses-logsumexp", "base, logsumexp over the clauses", pooling="logsumexp"),
    Trial("clauses-both", "base, mean of the sentence and its highest clause", pooling="both", soft=True),
    Trial("embeddings-0.5", "base + word embeddings (wordllama, 256 wide, .5)", extra={"embeddings": 0.5}, soft=True),
    Trial("embeddings-1", "base + word embeddings (1)", extra={"embeddings": 1.0}),
    Trial(
        "stems-before",
        "stems and pairs + sentence before (.5), instead of words",
        {**_PLAIN, **_OLD},
        {"C": 30.0},
        _RICH,
        words=False,
    ),
    Trial("rich", "words, stems, contrast, gaps, sentence before, C=20", _OLD, {}, _RICH),
    Trial("rich-half", "the same, authored sentences at weight .5", _OLD, {}, _RICH, 0.5),
    Trial("rich-modality", "the same + patterns of modality (.5)", _OLD, {}, {**_RICH, "modality": 0.5}, 0.5),
    Trial("rich-no-before", "words, stems, contrast, gaps, authored at weight .5", _OLD, {}, {"stems": 1.0}, 0.5),
    Trial("characters-0.5", "base + character 3-5-grams (.5)", extra={"characters": 0.5}, soft=True),
    Trial(
        "words-characters",
        "words and pairs, C=30 + character 3-5-grams (.7)",
        {**_PLAIN, **_OLD},
        {"C": 30.0},
        {"characters": 0.7},
    ),
    Trial("latent-0.5", "base + latent semantic analysis, 200 wide (.5)", extra={"latent": 0.5}),
]
