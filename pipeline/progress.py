"""Progress of long work: library code tells a reporter, and the command line decides what becomes of it."""

import sys
import time
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

_SECONDS_AT_LEAST = 1.0
_SECONDS_AT_MOST = 30.0


class Reporter(Protocol):
    """Receives the progress of one piece of work after the other."""

    def start(self, total: int, unit: str) -> None:
        """Begin a piece of work.

        Args:
            total: How many units it has.
            unit: What they are, in the plural.
        """

    def advance(self, count: int = 1, note: str = "") -> None:
        """Say that units are done.

        Args:
            count: How many.
            note: What is worth showing beside the count, e.g. the number of failures so far.
        """

    def message(self, text: str) -> None:
        """Say something that the user should know, without stopping.

        Args:
            text: One line.
        """

    def close(self) -> None:
        """End the piece of work, done or not."""


class SilentReporter:
    """Says nothing."""

    def start(self, total: int, unit: str) -> None:
        """Ignore the beginning."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """Ignore the progress."""

    def message(self, text: str) -> None:
        """Ignore the message."""

    def close(self) -> None:
        """Ignore the end."""


class LineReporter:
    """Writes a plain line at every tenth of the work, at least every half a minute and at most every second.

    Args:
        stream: Where to write.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._total = self._done = self._shown = 0
        self._unit = ""
        self._started_at = self._shown_at = 0.0

    def start(self, total: int, unit: str) -> None:
        """Begin a piece of work of `total` units."""
        self._total, self._unit, self._done, self._shown = total, unit, 0, 0
        self._started_at = self._shown_at = time.monotonic()

    def advance(self, count: int = 1, note: str = "") -> None:
        """Count units, and write a line with rate and time left where one is due; the last unit always has one."""
        self._done += count
        tenth = (self._done - self._shown) * 10 >= self._total
        waited = time.monotonic() - self._shown_at
        if self._done >= self._total or waited >= (_SECONDS_AT_LEAST if tenth else _SECONDS_AT_MOST):
            self._shown, self._shown_at = self._done, time.monotonic()
            seconds = max(self._shown_at - self._started_at, 1e-3)
            left = _duration(seconds / self._done * (self._total - self._done))
            pace = f"{self._done / seconds:.1f} a second" + (f", {left} left" if self._done < self._total else "")
            self.message(f"{self._done} of {self._total} {self._unit}{f', {note}' if note else ''}, {pace}")

    def message(self, text: str) -> None:
        """Write a line."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is left open."""


class BarReporter:
    """Draws a bar with count, rate and time left.

    Args:
        stream: The terminal to draw on.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: tqdm[Any] | None = None

    def start(self, total: int, unit: str) -> None:
        """Begin a bar of `total` units."""
        from tqdm import tqdm

        self.close()
        self._bar = tqdm(total=total, unit=f" {unit}", file=self._stream, dynamic_ncols=True, leave=False)

    def advance(self, count: int = 1, note: str = "") -> None:
        """Move the bar."""
        if self._bar is not None:
            if note:
                self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(count)

    def message(self, text: str) -> None:
        """Write a line above the bar."""
        if self._bar is not None:
            self._bar.clear()
        self._stream.write(text + "\n")
        self._stream.flush()
        if self._bar is not None:
            self._bar.refresh()

    def close(self) -> None:
        """Take the bar off the screen."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _duration(seconds: float) -> str:
    """Write a time as hours, minutes and seconds, e.g. "2 min 5 s"."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def make_reporter(stream: TextIO | None = None) -> Reporter:
    """Choose how progress is shown.

    Args:
        stream: Where to; standard error by default.

    Returns:
        A bar for a terminal, plain lines for anything else.
    """
    stream = stream or sys.stderr
    return BarReporter(stream) if stream.isatty() else LineReporter(stream)
