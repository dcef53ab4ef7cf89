"""Our application of Punkt's parameters decides as NLTK's does, on any text."""

import json
import re
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import punkt, splitter
from tests.conftest import PROJECT

WORDS = (
    "The the Staff staff e.g. i.e. No. 5 Mr. Mr J. K. Smith p.m. etc. St. St 3.5 12. 2014. (see ) “Good.” ‘Well.’ ... …"
    " a.m. cllr. Cllr. end. End? end! end!! (End.) – -- co-op. s.47 , ; : U.K. and And I i we We \n"
).split(" ")


@cache
def reference() -> Any:
    from nltk.tokenize.punkt import PunktLanguageVars, PunktParameters, PunktSentenceTokenizer

    class LanguageVars(PunktLanguageVars):
        _re_non_word_chars = punkt.NON_WORD
        re_boundary_realignment = re.compile(punkt.REALIGN, re.MULTILINE)

    stored = json.loads(splitter.PARAMETERS.read_text(encoding="utf-8"))
    parameters = PunktParameters()
    parameters.abbrev_types = set(stored["abbreviations"])
    parameters.sent_starters = set(stored["sentence_starters"])
    parameters.collocations = {(first, second) for first, second in stored["collocations"]}
    parameters.ortho_context.update(stored["orthography"])
    return PunktSentenceTokenizer(parameters, lang_vars=LanguageVars())


def agree(text: str) -> None:
    assert splitter._punkt().starts(text) == [start for start, _ in reference().span_tokenize(text)], text


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join))
def test_words_of_the_trade(text: str) -> None:
    agree(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="aA1. ?!’”\"')(,-:\n\u00a0é", max_size=30))
@example("")
@example(" . ")
@example("A. B. c. D.")
def test_any_text(text: str) -> None:
    agree(text)


@pytest.mark.parametrize("path", sorted((PROJECT / "data" / "labels").glob("authored-*.jsonl")), ids=lambda p: p.stem)
def test_all_authored_paragraphs(path: Any) -> None:
    for text in splitter.read_paragraphs([path]):
        agree(text)
