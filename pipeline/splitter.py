"""Paragraph → sentences: Punkt with parameters of its own, and care for what inspection prose abbreviates."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from pipeline.errors import DataError
from pipeline.files import replace_file
from pipeline.punkt import Punkt

PARAMETERS = Path(__file__).with_name("punkt.json")

# What inspection reports, minutes and council pages abbreviate; Punkt's own guesses on a small corpus are not trusted.
ABBREVIATIONS = frozenset(
    "e.g i.e eg ie cf viz vs v etc al approx ca no nos para paras p pp s ss sec sch art reg regs fig figs vol ch ed "
    "eds ref tel ext est dept incl excl max min avg st rd ave mr mrs ms dr prof rev hon sir cllr cllrs cdr supt insp "
    "sgt det const jr sr mt ft gov gen a.m p.m am pm b.sc m.a ph.d u.k u.s d.o.b n.b jan feb mar apr jun jul aug sep "
    "sept oct nov dec ltd plc co inc".split()
)
# Abbreviations that also end sentences: a capital word that starts sentences decides.
_STARTERS = frozenset(
    "the this these those there they it its he she we in on at for when where while although however since as all most "
    "many some few children leaders staff managers inspectors social services partners young parents a an".split()
)
_NEEDS_NUMBER = re.compile(
    r"(?:^|[\s(\[])(?:[Nn]os?|[Pp]aras?|pp?|ss?|[Ff]igs?|[Vv]ol|[Aa]rt|[Rr]egs?|[Ss]ec|[Cc]h)\.$"
)
_LABEL = re.compile(r"(?:\(?[0-9]{1,3}|[A-Za-z]|[ivx]{1,4})[.)]$")
_CANDIDATE = re.compile(r"[.?!…][’”\"')\]]*\s+")
_WORD_END = re.compile(r"[^A-Za-z]+")
_AFTER_NUMBER = re.compile(r"(?<=[0-9%])\.[’”\"')\]]*\s+(?=[‘“\"'(]?[A-Z])")
# The law that a requirement rests on: "... to date. (Regulation 17)". Other brackets after a full stop stand alone.
_REFERENCE = re.compile(
    r"\((?:[Rr]egulation|[Ss]chedule|[Ss]tandard|[Ss]ection|[Aa]rticle)s? "
    r"[^().?!]{1,80}(?:\([^()]{1,9}\)[^().?!]{0,40})*\)\.?"
)
_ASIDE = 150  # characters on either side of a break in brackets
_CLOSERS = "’”\"')]»"


def split_sentences(text: str) -> list[tuple[int, str]]:
    """Cut a paragraph into sentences.

    Args:
        text: One paragraph, without line breaks that matter.

    Returns:
        (offset in `text`, sentence) in order; every character but white space between sentences is in one of them.
    """
    start = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    if start >= end:
        return []
    if not _CANDIDATE.search(text, start, end):
        return [(start, text[start:end])]
    ends = _plain_ends(text, start, end)
    if ends is None:
        found_ends = {found.end() for found in _AFTER_NUMBER.finditer(text, start, end)}
        found_ends.update(first for first in _punkt().starts(text) if first > start)
        ends = sorted(found_ends)
    sentences: list[tuple[int, str]] = []
    for stop in [*ends, end]:
        piece = text[start:stop].rstrip()
        if stop < end and _goes_on(piece, text[stop:]):
            continue
        if piece:
            sentences.append((start, piece))
        start = stop
    return sentences


def _plain_ends(text: str, start: int, end: int) -> list[int] | None:
    """The breaks of a paragraph whose every full stop ends a word that is no abbreviation, initial or number.

    Punkt breaks at each of those whatever follows, in thirty times the time.
    """
    ends = []
    for found in _CANDIDATE.finditer(text, start, end):
        stop = found.start()
        before = text[max(stop - 16, start) : stop]
        if text[stop] == "…" or not before[-2:].isalpha():
            if not before[-2:].isdigit() or text[found.end()].islower():
                return None
        else:
            word = before.rsplit(None, 1)[-1]
            letters = word if word.isascii() and word.isalpha() else _WORD_END.split(word)[-1]
            if letters.lower() in ABBREVIATIONS or "." in word:
                return None
        ends.append(found.end())
    return ends


def _goes_on(piece: str, rest: str) -> bool:
    """Whether a break after `piece` would cut a sentence."""
    following = rest.lstrip()
    if not piece or not following:
        return True
    first = following[0]
    if not first.isupper():
        if not any(char.isalnum() for char in following):
            return True
        if first.islower() and not piece.endswith(("?", "!")):
            return True
        if first in _CLOSERS and not following[1:2].isalnum():
            return True
        if first.isdigit() and _NEEDS_NUMBER.search(piece):
            return True
    if first == "(" and _REFERENCE.fullmatch(following):
        return True
    return (len(piece) < 7 and bool(_LABEL.fullmatch(piece))) or _in_brackets(piece, following)


def _in_brackets(piece: str, following: str) -> bool:
    """Whether the break stands in a bracketed aside, as in "(paragraphs 4, 7. Page 2, paragraph 9)"."""
    opened = piece.rfind("(")
    if opened <= 0 or ")" in piece[opened:] or len(piece) - opened > _ASIDE:
        return False
    closed = following.find(")")
    return 0 <= closed <= _ASIDE and "(" not in following[:closed]


@cache
def _punkt() -> Punkt:
    return Punkt(json.loads(PARAMETERS.read_text(encoding="utf-8")))


def train_parameters(texts: Iterable[str]) -> dict[str, Any]:
    """Learn Punkt's parameters from paragraphs; the same paragraphs always give the same parameters.

    Args:
        texts: Paragraphs of the kind of prose that is to be split.

    Returns:
        What `PARAMETERS` holds, ready for `write_parameters`.
    """
    # NLTK takes a second to import: only those who train pay for it.
    from nltk.tokenize.punkt import PunktTrainer

    trainer = PunktTrainer()
    trainer.INCLUDE_ALL_COLLOCS = False
    for text in texts:
        trainer.train(text, finalize=False)
    trainer.finalize_training()
    learned = trainer.get_params()
    return {
        "abbreviations": sorted(ABBREVIATIONS),
        "sentence_starters": sorted(_STARTERS | {word for word in learned.sent_starters if word.isalpha()}),
        "collocations": sorted([first, second] for first, second in learned.collocations),
        # Words seen once tell nothing of their case; they are left out to keep the file small.
        "orthography": {
            word: flags
            for word, flags in sorted(learned.ortho_context.items())
            if flags and word.isalpha() and len(word) > 1
        },
    }


def read_paragraphs(paths: Iterable[Path]) -> Iterator[str]:
    """Put the sentences of label files together again as paragraphs, to train on.

    Args:
        paths: JSONL files, one sentence a line, with report, kind, paragraph and text; read in order of names.

    Yields:
        The paragraphs and bullets.
    """
    for path in sorted(paths, key=lambda path: path.name):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        prose = (row for row in rows if row["kind"] in ("paragraph", "bullet"))
        for _, group in groupby(prose, key=lambda row: (row["report"], row["paragraph"])):
            yield " ".join(row["text"] for row in group)


def write_parameters(parameters: dict[str, Any], path: Path = PARAMETERS) -> None:
    """Write Punkt's parameters as JSON.

    Args:
        parameters: What `train_parameters` returned.
        path: Where to.
    """
    text = json.dumps(parameters, ensure_ascii=False, indent=0, sort_keys=True) + "\n"
    with replace_file(path) as temporary:
        temporary.write_bytes(text.encode())


def retrain(labels: Path, output: Path) -> str:
    """Learn the parameters from the authored label files of a folder, and write them.

    Args:
        labels: Folder of label files; those named authored-*.jsonl are read.
        output: File to write.

    Returns:
        What was done, in a line.

    Raises:
        DataError: The folder holds no such file, or one is damaged.
    """
    files = sorted(labels.glob("authored-*.jsonl"))
    if not files:
        raise DataError(f"{labels}: no authored-*.jsonl there; run the command in the project folder.")
    try:
        paragraphs = list(read_paragraphs(files))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{labels}: not label files with report, kind, paragraph and text ({error!r}).") from None
    parameters = train_parameters(paragraphs)
    write_parameters(parameters, output)
    counts = ", ".join(f"{len(parameters[name]):,} {name.replace('_', ' ')}" for name in sorted(parameters))
    return f"{len(paragraphs):,} paragraphs of {len(files)} files: {counts}. Written to {output}."
