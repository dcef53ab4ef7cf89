"""Sentences → TF-IDF features of word runs; negations, stop words, numbers and modal verbs are all kept."""

import unicodedata

from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.params import FeaturesParams

# Words keep inner apostrophes and hyphens ("don't", "well-matched"); "%" and "£" carry meaning of their own.
WORD_PATTERN = r"(?u)\b\w(?:[\w'-]*\w)?\b|[%£]"
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "‑": "-", "‐": "-", "–": " ", "—": " "})


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
    return unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).lower()


def build_vectorizer(params: FeaturesParams) -> TfidfVectorizer:
    """Make the unfitted vectoriser.

    Args:
        params: The section `features` of params.yaml.

    Returns:
        A TF-IDF vectoriser over runs of 1 to `ngram_max` words; rows have length one.
    """
    return TfidfVectorizer(
        preprocessor=clean_text,
        token_pattern=WORD_PATTERN,
        ngram_range=(1, params.ngram_max),
        min_df=params.min_df,
        sublinear_tf=params.sublinear_tf,
    )
