"""Sentences → TF-IDF features; negations, stop words, numbers, modal verbs and contrast are all kept."""

import re
import unicodedata
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from pipeline.params import FeaturesParams

# Words keep inner apostrophes and hyphens ("don't", "well-matched"); "%" and "£" carry meaning of their own.
_WORD = re.compile(r"\b\w(?:[\w'-]*\w)?\b|[%£]")
_SPELLINGS = str.maketrans({"’": "'", "‘": "'", "‑": "-", "‐": "-", "–": " ", "—": " "})
_CONTRAST = frozenset({"although", "but", "despite", "except", "however", "though", "while", "whilst", "yet"})
_GAPS = (2, 3)
_FIRST, _LAST = 3, 2


class CompactVectorizer(TfidfVectorizer):  # type: ignore[misc]
    """A TF-IDF vectoriser whose vocabulary is saved as one string.

    Saved term by term, a vocabulary of 100,000 terms would take seconds to load.
    """

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the terms in the order of their columns."""
        state: dict[str, Any] = dict(super().__getstate__())
        # The address of the stop word list that was checked; it is no part of the model.
        state.pop("_stop_words_id", None)
        if "vocabulary_" in state:
            # Sorted by column: the order in which terms were met would make equal models differ.
            state["vocabulary_"] = "\n".join(sorted(state["vocabulary_"], key=state["vocabulary_"].__getitem__))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a saved state."""
        state = dict(state)
        if isinstance(state.get("vocabulary_"), str):
            state["vocabulary_"] = {term: column for column, term in enumerate(state["vocabulary_"].split("\n"))}
        super().__setstate__(state)


def build_features(params: FeaturesParams) -> FeatureUnion:
    """Make the unfitted vectorisers.

    Args:
        params: The section `features` of params.yaml.

    Returns:
        Word runs of 1 to `ngram_max` words, and where their weights are above 0 contrast features and gapped pairs; the
        rows of each part have the length of its weight.
    """
    parts = [("runs", words, params.ngram_max, 1.0)]
    parts += [("contrast", contrast_terms, 1, params.contrast), ("gaps", gapped_pairs, 1, params.gaps)]
    parts = [part for part in parts if part[3] > 0]
    union = [
        (
            name,
            CompactVectorizer(
                tokenizer=split,
                preprocessor=clean_text,
                token_pattern=None,
                ngram_range=(1, longest),
                min_df=params.min_df,
                sublinear_tf=params.sublinear_tf,
            ),
        )
        for name, split, longest, _ in parts
    ]
    return FeatureUnion(union, transformer_weights={name: weight for name, _, _, weight in parts})


def clean_text(text: str) -> str:
    """Fold the spellings of one sentence that mean the same.

    Args:
        text: A sentence as read.

    Returns:
        NFKC-normalised, lower case, with plain apostrophes and hyphens.

    Example:
        >>> clean_text("Leaders don’t know")
        "leaders don't know"
    """
    return unicodedata.normalize("NFKC", text).translate(_SPELLINGS).lower()


def words(text: str) -> list[str]:
    """Split a cleaned sentence into words.

    Args:
        text: As `clean_text` returns it.

    Returns:
        Words, numbers, and the signs % and £, in order.

    Example:
        >>> words("not all of the 25% don't wait")
        ['not', 'all', 'of', 'the', '25', '%', "don't", 'wait']
    """
    return _WORD.findall(text)


def contrast_terms(text: str) -> list[str]:
    """Name the words after a contrast ("but", "although", ...), and how the sentence begins and ends.

    Args:
        text: As `clean_text` returns it.

    Returns:
        Terms with a mark that keeps them apart from plain words.

    Example:
        >>> contrast_terms("plans are clear but late")
        ['>late', 'but$', 'late$', '^plans', '^plans are', '^plans are clear']
    """
    found = words(text)
    turn = next((place for place, word in enumerate(found) if word in _CONTRAST), len(found))
    after = [f">{word}" for word in found[turn + 1 :] if word not in _CONTRAST]
    first = [f"^{' '.join(found[:count])}" for count in range(1, _FIRST + 1)]
    return [*after, *(f"{word}$" for word in found[-_LAST:]), *first]


def gapped_pairs(text: str) -> list[str]:
    """Pair each word with the second and third after it, so that "not ... consistently" counts as one.

    Args:
        text: As `clean_text` returns it.

    Returns:
        Pairs joined by "_".

    Example:
        >>> gapped_pairs("not yet consistently good")
        ['not_consistently', 'not_good', 'yet_good']
    """
    found = words(text)
    return [
        f"{word}_{found[place + gap]}" for place, word in enumerate(found) for gap in _GAPS if place + gap < len(found)
    ]
