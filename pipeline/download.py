"""Bring one file over HTTP: resumed, retried, and kept only if its hash is the expected one."""

import http.client
import re
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from pipeline.catalogue import is_web_address
from pipeline.errors import FetchError
from pipeline.files import hash_file, unwritable
from pipeline.reading import MAX_FILE_BYTES

_CHUNK = 1 << 16
_LONGEST_QUOTE = 200
_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


@dataclass(frozen=True)
class DownloadSettings:
    """How politely and how patiently files are fetched.

    Attributes:
        pause: Seconds between the end of a request and the next one.
        timeout: Seconds that a server may stay silent.
        deadline: Seconds that one request may take altogether.
        attempts: Requests for one file before it counts as failed.
        backoff: Seconds before the second attempt; each further wait is twice as long.
        longest_wait: Seconds that a server may ask us to wait; a longer wait is a failure.
        max_bytes: A larger file is refused.
        user_agent: What we call ourselves.
    """

    pause: float = 1.0
    timeout: float = 30.0
    deadline: float = 600.0
    attempts: int = 4
    backoff: float = 2.0
    longest_wait: float = 120.0
    max_bytes: int = MAX_FILE_BYTES
    user_agent: str = f"inspection-findings/{version('inspection-findings')} (fetches catalogued reports one at a time)"


class UnreachableError(FetchError):
    """No connection came about in any attempt; the next file of the same host would fare no better."""


class _Retry(Exception):
    """This attempt failed, the next one may not."""

    def __init__(self, reason: str, *, wait: float = 0.0, connected: bool = True) -> None:
        super().__init__(reason)
        self.wait = wait
        self.connected = connected


class Downloader:
    """Fetches files one after the other.

    Args:
        settings: Pauses, patience and limits.
    """

    def __init__(self, settings: DownloadSettings | None = None) -> None:
        self._settings = settings or DownloadSettings()
        self._opener = _make_opener()
        self._last_request: float | None = None

    def fetch(self, address: str, expected: str, target: Path) -> None:
        """Bring a file into place.

        Args:
            address: http or https.
            expected: SHA-256 in hex.
            target: Where to; what arrived of it so far lies beside it as `.<name>.part`, and is gone on with.

        Raises:
            FetchError: It could not be brought; a part that can be resumed stays, anything wrong is deleted.
            FindingsError: The folder cannot be written to.
        """
        part = target.with_name(f".{target.name}.part")
        connected = False
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if part.is_file() and hash_file(part) == expected:  # stopped just before the renaming
                part.replace(target)
                return
        except OSError as error:
            raise unwritable(part, error) from error
        for attempt in range(1, self._settings.attempts + 1):
            try:
                self._attempt(address, expected, part)
            except _Retry as failure:
                connected = connected or failure.connected
                if attempt == self._settings.attempts:
                    kind = FetchError if connected else UnreachableError
                    raise kind(f"{failure} ({attempt} attempts)") from failure
                if failure.wait > self._settings.longest_wait:
                    raise FetchError(f"{failure}; the server asks to wait {failure.wait:.0f} s, try later") from failure
                time.sleep(max(failure.wait, self._settings.backoff * 2 ** (attempt - 1)))
            else:
                break
        try:
            part.replace(target)
        except OSError as error:
            raise unwritable(target, error) from error

    def _attempt(self, address: str, expected: str, part: Path) -> None:
        """Make one request; afterwards `part` is the whole file, or an exception says why not."""
        start = part.stat().st_size if part.is_file() else 0
        headers = {"User-Agent": self._settings.user_agent, "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        self._wait_for_turn()
        try:
            with self._opener.open(Request(address, headers=headers), timeout=self._settings.timeout) as response:  # noqa: S310
                self._receive(response, expected, part, start)
        except HTTPError as error:
            with error:
                raise _refusal(error, part, start) from None
        except (OSError, http.client.HTTPException) as error:
            raise _connection_failure(error) from error
        finally:
            self._last_request = time.monotonic()

    def _receive(self, response: Any, expected: str, part: Path, start: int) -> None:  # noqa: ANN401
        """Write a response's body behind what is there already, and check the whole."""
        if response.status == 206:
            found = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
            if not found or int(found[1]) != start:
                _delete(part)
                raise _Retry("the server sent another range than was asked for")
        elif response.status != 200:
            raise FetchError(_plain(f"HTTP {response.status} {response.reason}"))
        else:
            start = 0
        announced = response.headers.get("Content-Length", "")
        total = start + int(announced) if announced.isdecimal() else None
        if total is not None and total > self._settings.max_bytes:
            raise FetchError(f"larger than {self._settings.max_bytes:,} bytes ({total:,})")
        digest = sha256()
        size = 0
        with _open_part(part, start) as file:
            while data := file.read(_CHUNK):
                digest.update(data)
                size += len(data)
            until = time.monotonic() + self._settings.deadline
            while data := self._read(response, size, until):
                size += len(data)
                if size > self._settings.max_bytes:
                    file.close()
                    _delete(part)
                    raise FetchError(f"larger than {self._settings.max_bytes:,} bytes")
                digest.update(data)
                try:
                    file.write(data)
                    file.flush()
                except OSError as error:
                    raise unwritable(part, error) from error
        # The hash has the last word: a file that fits it is right, whatever length was announced.
        if digest.hexdigest() == expected:
            return
        if total is not None and size < total:
            raise _Retry(f"the connection ended after {size:,} of {total:,} bytes")
        _delete(part)
        if start:
            raise _Retry("the part fetched earlier does not belong to the file that the server has now")
        kind = response.headers.get_content_type()
        raise FetchError(
            f"wrong content: found SHA-256 {digest.hexdigest()}, expected {expected} ({size:,} bytes, {kind}); the "
            "publisher may have replaced the file"
        )

    def _read(self, response: Any, size: int, until: float) -> bytes:  # noqa: ANN401
        if time.monotonic() > until:
            raise _Retry(f"too slow: {size:,} bytes in {self._settings.deadline:g} s")
        try:
            data: bytes = response.read1(_CHUNK)
        except TimeoutError:
            raise _Retry(f"no more data for {self._settings.timeout:g} s after {size:,} bytes") from None
        except (OSError, http.client.HTTPException) as error:
            raise _Retry(f"the connection broke after {size:,} bytes ({_reason(error)})") from error
        return data

    def _wait_for_turn(self) -> None:
        if self._last_request is not None:
            time.sleep(max(0.0, self._last_request + self._settings.pause - time.monotonic()))


class _WebOnlyRedirects(HTTPRedirectHandler):
    """Follows a few redirects, to http and https alone."""

    max_redirections = 5
    max_repeats = 2

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> Request | None:
        # Also a look at the scheme before: nobody who asked safely is led to an unsafe connection.
        if not is_web_address(newurl) or (req.type == "https" and urlsplit(newurl).scheme != "https"):
            fp.close()
            raise FetchError(f"redirected to {newurl[:_LONGEST_QUOTE]!r}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _make_opener() -> OpenerDirector:
    """Make an opener for http and https alone; the usual one also reads local files and FTP."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        _WebOnlyRedirects(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _refusal(error: HTTPError, part: Path, start: int) -> Exception:
    """Tell from a status whether to try again."""
    reason = _plain(f"HTTP {error.code} {error.reason}")
    if error.code in (301, 302, 303, 307, 308):
        return FetchError(f"HTTP {error.code}: too many redirects, or one that leads nowhere")
    if error.code == 416 and start:
        _delete(part)
        return _Retry(f"{reason}: starting again from the first byte")
    if error.code in _TRANSIENT_STATUS:
        return _Retry(reason, wait=_retry_after(error.headers.get("Retry-After", "")))
    return FetchError(reason)


def _connection_failure(error: Exception) -> Exception:
    """Tell from an exception whether to try again."""
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return FetchError(f"the server's certificate is not trusted ({cause.verify_message})")
    # A server that answered, if with nonsense, is there.
    connected = isinstance(cause, http.client.HTTPException | ConnectionResetError | BrokenPipeError)
    return _Retry(f"no answer ({_reason(cause)})", connected=connected)


def _retry_after(value: str) -> float:
    """Read seconds or a date; anything else is no wish at all."""
    value = value.strip()
    if value.isdecimal():
        return float(value)
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return _plain(text) or type(error).__name__


def _plain(text: str) -> str:
    """Make what a server said fit for one line of a terminal."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:_LONGEST_QUOTE]


def _open_part(part: Path, start: int) -> IO[bytes]:
    try:
        return part.open("r+b" if start else "w+b")
    except OSError as error:
        raise unwritable(part, error) from error


def _delete(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(part, error) from error
