"""What an error of an MLflow store or server means, and what to do next; no password is shown."""

import os
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from pipeline.run_content import EXPERIMENT, REGISTERED_MODEL
from pipeline.store_location import is_server, without_password

_STATUS = re.compile(r"failed with error code (\d{3})|^(\d{3}) (?:Client|Server) Error|too many (\d{3}) error")
_AGAIN = "nothing is lost: the same command again goes on from here"


def explain(error: BaseException, uri: str) -> str:
    """Say in a sentence what went wrong.

    Args:
        error: What MLflow, its HTTP client or the database raised.
        uri: Address of the store.

    Returns:
        The address without its password, what was found, and what to do next.
    """
    place = f"MLflow store {without_password(uri)}"
    if is_server(uri):
        status = _status(error)
        if status == 401:
            return (
                f"{place}: refuses this user and password (401); set MLFLOW_TRACKING_USERNAME and "
                f"MLFLOW_TRACKING_PASSWORD to those that the server knows. {_AGAIN.capitalize()}."
            )
        if status == 403:
            user = os.environ.get("MLFLOW_TRACKING_USERNAME") or "this user"
            return (
                f"{place}: {user} may not do this (403); have an administrator of the server give the permission "
                f"EDIT on the experiment {EXPERIMENT!r} and on the registered model {REGISTERED_MODEL!r}. "
                f"{_AGAIN.capitalize()}."
            )
        if status is not None and status >= 502:
            return f"{place}: is not at work ({status}); wait until it answers. {_AGAIN.capitalize()}."
        if status is None and any(isinstance(one, OSError) for one in _chain(error)):
            return (
                f"{place}: does not answer ({_cause(error, uri)}); is the server up, and MLFLOW_TRACKING_URI its "
                f"address? {_AGAIN.capitalize()}."
            )
    return f"{place}: {first_line(error, uri)}"


def first_line(error: BaseException, uri: str = "") -> str:
    """Shorten an error to its first line.

    Args:
        error: The error.
        uri: Address of the store; user and password in it are left out.

    Returns:
        The line.
    """
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    secret = urlsplit(uri).netloc.rpartition("@")[0] if "://" in uri else ""
    return text.replace(f"{secret}@", "") if secret else text


def _chain(error: BaseException) -> Iterator[BaseException]:
    """List an error, and those that it arose from."""
    while error is not None:
        yield error
        following = error.__cause__ or error.__context__
        if following is None:
            return
        error = following


def _status(error: BaseException) -> int | None:
    """Find the HTTP status that the server answered with."""
    for one in _chain(error):
        answer = getattr(one, "response", None)
        if answer is not None:
            return int(answer.status_code)
        found = _STATUS.search(str(one))
        if found:
            return int(found[found.lastindex or 0])
        status = getattr(one, "get_http_status_code", lambda: None)()
        if status in (401, 403):
            return int(status)
    return None


def _cause(error: BaseException, uri: str) -> str:
    """Name what the system said of a connection, which stands innermost."""
    for one in reversed(list(_chain(error))):
        if isinstance(one, OSError) and one.strerror:
            return one.strerror
    return first_line(error, uri)
