"""Environment variables that hold for a while."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def added_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for what is loaded or started in the block; what the user set stands.

    Args:
        variables: Values by name.
    """
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
