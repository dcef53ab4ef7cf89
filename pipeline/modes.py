"""The modes of classification."""

from enum import StrEnum


class Mode(StrEnum):
    """Who reads the sentences."""

    fast = "fast"  # the linear model alone
    balanced = "balanced"  # an encoder reads where the linear model is unsure
    accurate = "accurate"  # the encoder reads everything
