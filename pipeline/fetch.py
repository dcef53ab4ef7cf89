"""Catalogue → files in the folder of reports, from their publishers or from a local copy."""

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.catalogue import Entry, read_catalogue
from pipeline.download import Downloader, DownloadSettings, UnreachableError
from pipeline.errors import FetchError, UsageError
from pipeline.files import hash_file, replace_file
from pipeline.progress import Reporter, SilentReporter

# So many files in vain, each tried several times, and a host counts as out of reach.
_FILES_IN_VAIN = 2


@dataclass(frozen=True)
class FetchReport:
    """What became of each report of a catalogue.

    Attributes:
        fetched: Brought by this run.
        present: There already.
        failed: (report, reason) of each that could not be brought.
        without_address: Neither there nor to be had: the catalogue knows no address.
        output: Folder of reports.
    """

    fetched: tuple[Entry, ...]
    present: tuple[Entry, ...]
    failed: tuple[tuple[Entry, str], ...]
    without_address: tuple[Entry, ...]
    output: Path

    @property
    def complete(self) -> bool:
        """Whether every report of the catalogue is there now."""
        return not (self.failed or self.without_address)

    def summary(self) -> str:
        """Describe the outcome for a person.

        Returns:
            Counts, then each report that is missing and why.
        """
        lines = [
            f"{self.output}: {len(self.fetched)} fetched, {len(self.present)} already there, "
            f"{len(self.failed)} failed, {len(self.without_address)} without address"
        ]
        if self.failed:
            lines.append("failed:")
            lines.extend(f"  {entry.describe()}: {reason}" for entry, reason in self.failed)
        if self.without_address:
            lines.append("without address (if you have a copy, name its folder with --from):")
            lines.extend(f"  {entry.describe()}" for entry in self.without_address)
        if self.fetched:
            lines.append("`dvc repro` reads what is new.")
        return "\n".join(lines)


def fetch_reports(
    catalogue: Path,
    output: Path,
    *,
    source: Path | None = None,
    settings: DownloadSettings | None = None,
    reporter: Reporter | None = None,
) -> FetchReport:
    """Bring the reports of a catalogue into a folder.

    Args:
        catalogue: The catalogue file.
        output: Folder of reports; a file with the right content anywhere below it is not fetched again.
        source: A folder with copies, found by their content whatever they are called; with it, nothing is asked of any
            server.
        settings: Pauses, patience and limits of requests.
        reporter: Told of the progress.

    Returns:
        What became of each report.

    Raises:
        DataError: The catalogue is not as documented.
        UsageError: `source` is no folder.
        FindingsError: The folder cannot be written to.
    """
    reporter = reporter or SilentReporter()
    entries = read_catalogue(catalogue)
    if source is not None and not source.is_dir():
        raise UsageError(f"{source}: no such folder; name the folder that holds the copies.")
    wanted = {entry.sha256 for entry in entries}
    try:
        there = _find_by_hash([output], wanted, reporter)
        present = [entry for entry in entries if entry.sha256 in there]
        missing = [entry for entry in entries if entry.sha256 not in there]
        if source is not None:
            fetched, failed = _copy(missing, source, output, reporter)
            without_address: list[Entry] = []
        else:
            without_address = [entry for entry in missing if entry.address is None]
            fetched, failed = _download([e for e in missing if e.address is not None], output, settings, reporter)
    finally:
        reporter.close()
    return FetchReport(tuple(fetched), tuple(present), tuple(failed), tuple(without_address), output)


def _copy(
    missing: list[Entry], source: Path, output: Path, reporter: Reporter
) -> tuple[list[Entry], list[tuple[Entry, str]]]:
    """Copy what lies below a folder."""
    fetched, failed = [], []
    copies = _find_by_hash([source], {entry.sha256 for entry in missing}, reporter) if missing else {}
    reporter.start(len(missing), "files")
    for entry in missing:
        try:
            target = _free_place(output, entry)
            if entry.sha256 not in copies:
                raise FetchError(f"no file with its SHA-256 ({entry.sha256}) below {source}")
            with replace_file(target) as temporary:
                shutil.copyfile(copies[entry.sha256], temporary)
                # A failing disk is the reason to have hashes.
                if hash_file(temporary) != entry.sha256:
                    raise FetchError(f"changed while it was copied from {copies[entry.sha256]}")
            fetched.append(entry)
        except FetchError as error:
            failed.append((entry, str(error)))
        reporter.advance(note=f"{len(failed)} failed" if failed else "")
    return fetched, failed


def _download(
    missing: list[Entry], output: Path, settings: DownloadSettings | None, reporter: Reporter
) -> tuple[list[Entry], list[tuple[Entry, str]]]:
    """Fetch what has an address."""
    fetched, failed = [], []
    downloader = Downloader(settings)
    in_vain: Counter[str] = Counter()
    reporter.start(len(missing), "files")
    for entry in missing:
        address = entry.address or ""
        host = urlsplit(address).netloc
        try:
            target = _free_place(output, entry)
            if in_vain[host] >= _FILES_IN_VAIN:
                raise FetchError(f"not tried, since {host} could not be reached")
            downloader.fetch(address, entry.sha256, target)
            in_vain[host] = 0
            fetched.append(entry)
        except UnreachableError as error:
            in_vain[host] += 1
            failed.append((entry, str(error)))
        except FetchError as error:
            failed.append((entry, str(error)))
        reporter.advance(note=f"{len(failed)} failed" if failed else "")
    return fetched, failed


def _free_place(output: Path, entry: Entry) -> Path:
    """Return where a report goes; what a person put there is never overwritten."""
    target = output / entry.file
    if os.path.lexists(target):
        raise FetchError(f"{target} is there with other content; move it away")
    return target


def _find_by_hash(folders: Iterable[Path], wanted: set[str], reporter: Reporter) -> dict[str, Path]:
    """Map SHA-256 → file for the wanted contents below some folders."""
    paths = [path for folder in folders for path in _files(folder)]
    found: dict[str, Path] = {}
    reporter.start(len(paths), "files looked at")
    for path in paths:
        try:
            digest = hash_file(path)
        except OSError as error:
            reporter.message(f"{path}: cannot be read ({error.strerror}); passed over")
        else:
            if digest in wanted:
                found.setdefault(digest, path)
        reporter.advance()
    return found


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in a stable order, without hidden ones: those are parts of files."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and path.is_file():
                yield path
