"""Model versions: finding one, and the list."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import TrackingError
from pipeline.registry import list_versions
from pipeline.versions import Version, find_version, render_versions, version_with
from tests.projects import version_of

VERSIONS = [
    Version(number, model, (), score, None, datetime(2026, 1, 2, 3, 4, tzinfo=UTC), None)
    for number, model, score in ((12, "abcd00000000", 0.5), (2, "abce00000000", None), (1, "2f0000000000", 0.25))
]


def test_versions_are_listed(registered: Path):
    head, line = render_versions(list_versions()).splitlines()
    assert head.split()[0] == "version"
    assert line.split()[:2] == ["1", version_of("models/champion")]
    assert line.endswith("champion")


def test_the_list_leaves_empty_what_is_not_known():
    _, first, second, _ = render_versions(VERSIONS).splitlines()
    assert first.split() == ["12", "abcd00000000", "0.5000", "2026-01-02", "03:04"]
    assert second.split() == ["2", "abce00000000", "2026-01-02", "03:04"]
    assert "dvc repro" in render_versions([])


@pytest.mark.parametrize(("wanted", "number"), [("12", 12), ("2", 2), ("1", 1), ("2f", 1), ("ABCE", 2)])
def test_a_version_is_found_by_its_number_or_its_first_digits(wanted: str, number: int):
    assert find_version(VERSIONS, wanted).number == number


@pytest.mark.parametrize(("wanted", "message"), [("abc", "several"), ("3", "is no version"), ("", "is no version")])
def test_anything_else_names_what_there_is(wanted: str, message: str):
    with pytest.raises(TrackingError, match=rf"{message}.*there are: 12 \(abcd00000000\), 2 \("):
        find_version(VERSIONS, wanted)
    with pytest.raises(TrackingError, match="there are: none"):
        find_version([], wanted)


def test_a_model_is_found_by_its_whole_hash():
    assert version_with(VERSIONS, "abce00000000") == VERSIONS[1]
    assert version_with(VERSIONS, "abce") is None
