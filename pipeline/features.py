"""The TF-IDF features that training fits: runs of words, words after a contrast, pairs of words apart."""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from pipeline.params import FeaturesParams
from pipeline.words import clean_text, contrast_terms, gapped_pairs, signal_pairs, words


def build_features(params: FeaturesParams) -> FeatureUnion:
    """Make the unfitted vectorisers.

    Args:
        params: The section `features` of params.yaml.

    Returns:
        Word runs of 1 to `ngram_max` words, and where their weights are above 0 contrast features, gapped pairs, and
        pairs with a signal word; the rows of each part have the length of its weight.
    """
    parts = [("runs", words, params.ngram_max, 1.0)]
    parts += [("contrast", contrast_terms, 1, params.contrast), ("gaps", gapped_pairs, 1, params.gaps)]
    parts += [("signals", signal_pairs, 1, params.signals)]
    parts = [part for part in parts if part[3] > 0]
    union = [
        (
            name,
            TfidfVectorizer(
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
    # A process a part: most of the work is plain Python. The numbers are the same.
    return FeatureUnion(union, n_jobs=-1, transformer_weights={name: weight for name, _, _, weight in parts})
