"""The config.json of a model's or an encoder's folder: read, and checked for its format and keys."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError


def read_config(
    path: Path, *, kind: str, accepted: int, needed: Iterable[str], remedy: str, more: Iterable[str] = ()
) -> dict[str, Any]:
    """Read a configuration.

    Args:
        path: The file.
        kind: What it is of, for messages: "model" or "encoder".
        accepted: Its format number.
        needed: Keys that must be there.
        remedy: What to do where it cannot be used.
        more: Keys that may be missing, as in what was written before there were such keys.

    Returns:
        All these keys with their values, null where one may be missing.

    Raises:
        ModelError: The file cannot be read, is of another format, or lacks a key.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); {remedy}.") from None
    if not isinstance(raw, dict) or raw.get("format") != accepted:
        found = raw.get("format") if isinstance(raw, dict) else type(raw).__name__
        raise ModelError(f"{path}: found {kind} format {found!r}, accepted: {accepted}; {remedy}.")
    names = list(needed)
    missing = [name for name in names if name not in raw]
    if missing:
        raise ModelError(f"{path}: damaged, {', '.join(missing)} missing; {remedy}.")
    return {name: raw[name] for name in names} | {name: raw.get(name) for name in more}
