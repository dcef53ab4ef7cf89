"""Features that were tried beside those of the product, each a block of columns over the same sentences."""

import re
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nltk.stem.snowball import SnowballStemmer
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from pipeline.features import build_features
from pipeline.params import FeaturesParams
from pipeline.words import CONTRAST, clean_text, words

NEGATIONS = frozenset({"no", "not", "never", "nor", "neither", "none", "without", "cannot", "lack", "lacks", "lacking"})
_TOKEN = re.compile(r"\b\w(?:[\w'-]*\w)?\b|[%£]|[.,;:()]")
_LSA_SIZE = 200
_EMBEDDING_SIZE = 256
_MODALITY = {
    "will": r"\b(?:will|shall|'ll)\b",
    "will soon": r"\b(?:will|shall)\b.*\b(?:by|from|in|during) (?:the end of |early |late |spring|summer|autumn|winter|"
    r"january|february|march|april|may|june|july|august|september|october|november|december|20\d\d|next)",
    "plan": r"\b(?:plans?|intends?|aims?|proposes?|expects?|commits?|pledges?|promises?|agree[sd]?|determined) to\b",
    "planned": r"\b(?:is|are) (?:planned|due|set|scheduled|expected|intended|about|to be)\b",
    "being done": r"\b(?:is|are) (?:now |currently |also |already )?(?:being|\w+ing)\b",
    "has been done": r"\b(?:has|have) (?:now |already |recently |also |since )?been \w+(?:ed|en|t)\b",
    "has done": r"\b(?:has|have) (?:now |already |recently |also |since )?\w+ed\b",
    "should": r"\b(?:should|must|needs? to|ought to|has to|have to)\b",
    "may": r"\b(?:may|might|could|can|would)\b",
    "first person": r"\b(?:we|our|i)\b",
    "yet": r"\b(?:not yet|yet to|still to|in progress|under way|underway)\b",
}
_PATTERNS = {name: re.compile(pattern) for name, pattern in _MODALITY.items()}
_ENDINGS = ("ed", "ing", "ly", "ful", "less", "able", "ment")
_STEMMER = SnowballStemmer("english")


@dataclass(frozen=True)
class Block:
    """Columns of features, and what they cost.

    Attributes:
        rows: Sparse, of shape (sentences, features); each row has length 1 or 0.
        seconds: Processor time that computing them took.
    """

    rows: Any
    seconds: float


class Blocks:
    """Computes each block once.

    Args:
        table: The sentences: text, section, section_grade, kind, before; empty strings where nothing is known.
        packages: Folder in which wordllama lies.
        unlabelled: Other sentences of the store, for latent semantic analysis.
    """

    def __init__(self, table: pd.DataFrame, packages: Path | None, unlabelled: Callable[[], list[str]]) -> None:
        self.table = table
        self._packages = packages
        self._unlabelled = unlabelled
        self._known: dict[Any, Block] = {}
        self.unions: dict[FeaturesParams, Any] = {}

    def product(self, params: FeaturesParams) -> Block:
        """Compute the features of the product with some settings."""
        key = repr(params)
        if key not in self._known:
            union = build_features(params)
            union.n_jobs = None  # the time of one processor is measured
            self._known[key] = _timed(lambda: union.fit_transform(self.table["text"]))
            self.unions[key] = union
        return self._known[key]

    def extra(self, name: str, min_df: int) -> Block:
        """Compute a block of `BLOCKS`."""
        key = (name, min_df)
        if key not in self._known:
            self._known[key] = _timed(lambda: getattr(self, f"_{name}")(min_df))
        return self._known[key]

    def _heading(self, min_df: int) -> Any:  # noqa: ANN401
        return _tfidf((words(clean_text(text)) for text in self.table["section"]), min_df)

    def _before(self, min_df: int) -> Any:  # noqa: ANN401
        return _tfidf((_runs(words(clean_text(text))) for text in self.table["before"]), min_df)

    def _stems(self, min_df: int) -> Any:  # noqa: ANN401
        return _tfidf((_runs(_stemmed(text)) for text in self.table["text"]), min_df)

    def _characters(self, min_df: int) -> Any:  # noqa: ANN401
        vectorizer = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(3, 5), preprocessor=clean_text, min_df=min_df, sublinear_tf=True
        )
        return vectorizer.fit_transform(self.table["text"])

    def _modality(self, min_df: int) -> Any:  # noqa: ANN401
        return _tfidf((_modal_terms(text) for text in self.table["text"]), min_df)

    def _negation(self, min_df: int) -> Any:  # noqa: ANN401
        return _tfidf((negated(text) for text in self.table["text"]), min_df)

    def _grade(self, min_df: int) -> Any:  # noqa: ANN401
        return _tfidf(([grade] if grade else [] for grade in self.table["section_grade"]), min_df)

    def _improvement(self, min_df: int) -> Any:  # noqa: ANN401
        under = self.table["section"].str.contains("improve", case=False) & (self.table["kind"] == "bullet")
        return _tfidf((["improvement bullet"] if one else [] for one in under), min_df)

    def _embeddings(self, min_df: int) -> Any:  # noqa: ANN401
        del min_df
        if self._packages is None:
            raise ModuleNotFoundError("wordllama: name its folder with --packages")
        sys.path.append(str(self._packages))
        from wordllama import WordLlama

        # The loader asks the network for the tokenizer unless it finds it in the cache folder: the package has it.
        model = WordLlama.load(dim=_EMBEDDING_SIZE, cache_dir=self._packages / "wordllama", disable_download=True)
        return sparse.csr_matrix(normalize(model.embed(self.table["text"].tolist()).astype(float)))

    def _latent(self, min_df: int) -> Any:  # noqa: ANN401
        vectorizer = TfidfVectorizer(analyzer=_words_and_pairs, min_df=min_df, sublinear_tf=True)
        svd = TruncatedSVD(_LSA_SIZE, random_state=0).fit(vectorizer.fit_transform(self._unlabelled()))
        return sparse.csr_matrix(normalize(svd.transform(vectorizer.transform(self.table["text"]))))


def clauses(text: str) -> list[str]:
    """Split a sentence at its contrast words, semicolons and colons; fewer than three words make no clause."""
    found: list[list[str]] = [[]]
    for word in _TOKEN.findall(clean_text(text)):
        if word in CONTRAST or word in ";:":
            found.append([])
        elif word not in ".,()":
            found[-1].append(word)
    return [" ".join(part) for part in found if len(part) > 2]


def negated(text: str) -> list[str]:
    """Mark each word between a negation and the next punctuation or contrast word (Pang et al. 2002)."""
    terms, denied = [], False
    for word in _TOKEN.findall(clean_text(text)):
        if word in NEGATIONS or word.endswith("n't"):
            denied = True
        elif word in CONTRAST or not word[0].isalnum():
            denied = False
        elif denied:
            terms.append(f"not_{word}")
    return terms


def _modal_terms(text: str) -> list[str]:
    cleaned = clean_text(text)
    found = words(cleaned)
    terms = [name for name, pattern in _PATTERNS.items() if pattern.search(cleaned)]
    return [
        *terms,
        *(f"-{end}" for end in _ENDINGS for word in found if word.endswith(end) and len(word) > len(end) + 2),
    ]


def _words_and_pairs(text: str) -> list[str]:
    return _runs(words(clean_text(text)))


def _stemmed(text: str) -> list[str]:
    return [_stem(word) for word in words(clean_text(text))]


@cache
def _stem(word: str) -> str:
    return str(_STEMMER.stem(word))


def _runs(found: list[str]) -> list[str]:
    return [*found, *(f"{one} {two}" for one, two in pairwise(found))]


def _tfidf(terms: Iterable[list[str]], min_df: int) -> Any:  # noqa: ANN401
    return TfidfVectorizer(analyzer=lambda one: one, min_df=min_df, sublinear_tf=True).fit_transform(list(terms))


def _timed(compute: Callable[[], Any]) -> Block:
    start = time.process_time()
    rows = sparse.csr_matrix(compute())
    assert np.isfinite(rows.data).all()
    return Block(rows, time.process_time() - start)
