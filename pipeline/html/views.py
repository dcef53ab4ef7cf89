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
