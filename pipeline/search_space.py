"""What a search tries: lists of values for settings of params.yaml, and the settings that follow from them."""

from pathlib import Path
from typing import Any

import yaml
from sklearn.model_selection import ParameterGrid, ParameterSampler

from pipeline.errors import ParamsError
from pipeline.files import read_table_text
from pipeline.params import Params, change_params

Setting = dict[str, Any]
# These decide how a setting is scored, or nothing that a search scores.
_FIXED = ("train.folds", "train.review_margin")
_SECTIONS = ("features", "train")


def read_space(path: Path, params: Params) -> dict[str, list[Any]]:
    """Read and check the file that says which values to try.

    Args:
        path: YAML with the sections `features` and `train` of params.yaml, a list of values in the place of each value.
        params: All settings, for those that the file does not name.

    Returns:
        The values to try by full name, such as "train.C".

    Raises:
        DataError: The file cannot be read.
        ParamsError: It is no such YAML, names a setting that is not there or cannot be searched, or a value that is not
            accepted.
    """
    try:
        raw = yaml.safe_load(read_table_text(path, "name another file with --space"))
    except yaml.YAMLError as error:
        raise ParamsError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(raw, dict) or not raw:
        raise ParamsError(f"{path}: found {type(raw).__name__}, expected the sections {' and '.join(_SECTIONS)}.")
    space: dict[str, list[Any]] = {}
    for section, values in raw.items():
        if section not in _SECTIONS or not isinstance(values, dict):
            raise ParamsError(
                f"{path}: section {section!r} cannot be searched; accepted: {', '.join(_SECTIONS)}, each with settings "
                "and a list of values to try."
            )
        for name, tried in values.items():
            space[f"{section}.{name}"] = _values(path, f"{section}.{name}", tried)
    for name, values in space.items():
        for value in values:
            change_params(params, {name: value}, path)
    return space


def list_settings(space: dict[str, list[Any]], trials: int | None, seed: int) -> list[Setting]:
    """List the settings to score.

    Args:
        space: Values by name.
        trials: Draw this many at random, none twice; None takes every combination.
        seed: Seed of the drawing.

    Returns:
        Settings, in the order in which they are scored.
    """
    grid = ParameterGrid(space)
    if trials is None or trials >= len(grid):
        return list(grid)
    return list(ParameterSampler(space, trials, random_state=seed))


def _values(path: Path, name: str, tried: Any) -> list[Any]:  # noqa: ANN401
    """Check the values of one setting; those given twice count once."""
    if name in _FIXED:
        raise ParamsError(f"{path}: {name} cannot be searched: no score of the search could tell its values apart.")
    if not isinstance(tried, list) or not tried:
        raise ParamsError(f"{path}: {name}: found {tried!r}, expected a list of values to try, such as [{tried!r}].")
    return [value for place, value in enumerate(tried) if value not in tried[:place]]
