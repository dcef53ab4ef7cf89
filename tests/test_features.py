from dataclasses import replace

from pipeline.features import build_features


def tokens(params, text):
    """All terms of all parts."""
    union = build_features(params.features)
    return [term for _, part in union.transformer_list for term in part.build_analyzer()(text)]


def test_runs_contrast_and_gaps_are_features(params):
    found = tokens(params, "Plans don’t wait, but a few do.")
    assert {"plans", "plans don't", "a few", ">few", "^plans", "do$", "plans wait"} <= set(found)


def test_parts_of_no_weight_are_left_out(params):
    plain = build_features(replace(params.features, contrast=0.0, gaps=0.0, signals=0.0))
    assert [name for name, _ in plain.transformer_list] == ["runs"]
