"""Sentences of the store that nobody labelled and that may teach."""

from pathlib import Path

import pandas as pd

from pipeline.dataset import side_of
from pipeline.extract import load_sentences
from pipeline.labels import RESERVED_KEYS, read_reserved

# A document with more than this share of its sentences labelled counts as labelled as a whole.
_WHOLE = 0.8


def load_unlabelled(
    sentences: Path, train: pd.DataFrame, test: pd.DataFrame, test_share: float, reserved: Path = RESERVED_KEYS
) -> pd.DataFrame:
    """Read the sentences that nobody labelled, of documents that are not on the test side.

    Args:
        sentences: Folder that the extract stage wrote.
        train: The training side.
        test: The test side.
        test_share: Share of documents held out.
        reserved: Keys of benchmark sentences, one a line, which never teach.

    Returns:
        What `choose_unlabelled` returns.

    Raises:
        DataError: There is no store.
    """
    return choose_unlabelled(load_sentences(sentences), train, test, test_share, reserved)


def choose_unlabelled(
    store: pd.DataFrame, train: pd.DataFrame, test: pd.DataFrame, test_share: float, reserved: Path = RESERVED_KEYS
) -> pd.DataFrame:
    """Choose the sentences that nobody labelled, of documents that are not on the test side.

    Args:
        store: Every sentence, as `pipeline.extract.load_sentences` reads them.
        train: The training side.
        test: The test side.
        test_share: Share of documents held out.
        reserved: Keys of benchmark sentences, one a line, which never teach.

    Returns:
        Rows of the store, one a key, with `group` added: the provider, or where there is none the document.
    """
    table = store.drop_duplicates("key")
    seen = table["key"].isin(set(train["key"]) | set(test["key"]) | read_reserved(reserved))
    sides = {name: side_of(name, test_share) for name in table["report_id"].unique()}
    # Of a document that people labelled as a whole, only headings and the like are left.
    whole = seen.groupby(table["report_id"]).transform("mean") > _WHOLE
    table = table[~seen & ~whole & (table["report_id"].map(sides) == "train")]
    return table.assign(group=table["provider"].fillna(table["report_id"]))
