"""What a page shows, as plain data, before any markup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.labels import LABELS
from pipeline.summary import ReportSummary

LETTERS = {label: label[0] for label in LABELS}


@dataclass(frozen=True)
class ModelNote:
    """What a reader should know of the model.

    Attributes:
        version: The model's version.
        thresholds: Probability from which each label is given.
    """

    version: str
    thresholds: Mapping[str, float]


@dataclass(frozen=True)
class SentenceView:
    """A sentence and what the model says of it.

    Attributes:
        number: Rank in the document: the link target is `s<number>`.
        text: The sentence.
        labels: Its labels.
        letters: First letters of its labels.
        scores: Probability of every label, as text, in the order of `LABELS`.
        reasons: For each label that it has, the words that speak for it; nothing where that is not known.
        uncertain: Whether some label is a close call.
        page: Page, or None.
        turns_page: Whether it is the first on its page.
    """

    number: int
    text: str
    labels: tuple[str, ...]
    letters: str
    scores: dict[str, str]
    reasons: Mapping[str, Sequence[str]]
    uncertain: bool
    page: int | None
    turns_page: bool


@dataclass(frozen=True)
class GroupView:
    """Consecutive paragraphs, bullets or table rows.

    Attributes:
        kind: `heading`, `paragraphs`, `bullets` or `rows`.
        blocks: The sentences of each.
    """

    kind: str
    blocks: list[list[SentenceView]]


@dataclass(frozen=True)
class SectionView:
    """A stretch of the document under one heading.

    Attributes:
        number: Rank: the link target is `section<number>`.
        name: The heading.
        grade: Grade given in this section, or None.
        heading: Sentences of the heading itself; empty where the document has none there.
        groups: What stands below it.
        counts: Number of sentences by label.
    """

    number: int
    name: str
    grade: str | None
    heading: list[SentenceView]
    groups: list[GroupView]
    counts: dict[str, int]


@dataclass(frozen=True)
class ReportView:
    """A page of one report.

    Attributes:
        title: Whom or what it is about.
        kind: What kind of document it is, in words.
        framework: Inspection framework, or None.
        published: Date in words, or None.
        summary: Its counts.
        sections: Its sections, in order.
        model: The model.
    """

    title: str
    kind: str
    framework: str | None
    published: str | None
    summary: ReportSummary
    sections: list[SectionView]
    model: ModelNote


@dataclass(frozen=True)
class ReportLink:
    """A row of the index.

    Attributes:
        title: Whom or what the report is about.
        kind: What kind of document it is, in words.
        published: Date in words, or None.
        summary: Its counts.
        href: Address of its page, or None where there is none.
    """

    title: str
    kind: str
    published: str | None
    summary: ReportSummary
    href: str | None


@dataclass(frozen=True)
class IndexView:
    """The index.

    Attributes:
        reports: One row a report.
        totals: All counts together.
        failures: (file, reason) of documents that could not be read.
        files: Names of the files with all findings, beside the index.
        model: The model.
        moved: In plain words what is unlike the training data.
    """

    reports: list[ReportLink]
    totals: ReportSummary
    failures: list[tuple[str, str]]
    files: list[str]
    model: ModelNote = field(default_factory=lambda: ModelNote("", {}))
    moved: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FigureView:
    """A figure.

    Attributes:
        title: What it shows.
        source: The image itself, as a data URI.
    """

    title: str
    source: str


@dataclass(frozen=True)
class JudgedSentence:
    """A labelled sentence of the test side.

    Attributes:
        text: The sentence.
        report: Where it stands.
        page: Its page; empty where there is none.
        section: Its section.
        truth: Its labels.
    """

    text: str
    report: str
    page: str
    section: str
    truth: str


@dataclass(frozen=True)
class ErrorView(JudgedSentence):
    """A sentence with a wrong answer.

    Attributes:
        answer: The labels that the model gave.
        chances: Probability of every label, as text, in the order of `LABELS`.
    """

    answer: str
    chances: Sequence[str]


@dataclass(frozen=True)
class RivalView(JudgedSentence):
    """A sentence to which candidate and champion give different labels.

    Attributes:
        candidate: The labels that the candidate gave.
        champion: Those that the champion gave.
        right: `candidate`, `champion` or `neither`.
    """

    candidate: str
    champion: str
    right: str


@dataclass(frozen=True)
class RunView:
    """The report of a run; numbers are text already.

    Attributes:
        model: The candidate.
        action: The verdict in a word.
        reason: Why.
        test: Sentences and documents of the test side.
        training: Sentences and documents of the training side.
        champion: Version that the candidate was held against; None where there was none.
        changes: A row a compared score: name, candidate, champion, difference and its interval.
        headlines: Name and value with interval.
        label_scores: Names of the scores in `labels`.
        labels: A row a label: name, support, then `label_scores`.
        modes: A row a mode: name, macro F1 with interval, exact match, F1 of each label, calibration error, share that
            the encoder read.
        types: A row a document type: name, sentences, documents, macro F1, exact match.
        figures: The figures.
        errors: The worst errors.
        rivals: Sentences on which the two models differ.
        rival_counts: On how many of them each is right; None where nothing was compared.
        drift: A row a measure: name, test side, training side.
        warnings: What of it has moved, in words.
    """

    model: ModelNote
    action: str
    reason: str
    test: tuple[int, int]
    training: tuple[int, int]
    champion: str | None
    changes: Sequence[Sequence[str]]
    headlines: Sequence[Sequence[str]]
    label_scores: Sequence[str]
    labels: Sequence[Sequence[str]]
    modes: Sequence[Sequence[str]]
    types: Sequence[Sequence[str]]
    figures: Sequence[FigureView]
    errors: Sequence[ErrorView]
    rivals: Sequence[RivalView]
    rival_counts: Mapping[str, int] | None
    drift: Sequence[Sequence[str]]
    warnings: Sequence[str]
