import csv
import json
from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.catalogue import CATALOGUE_COLUMNS, is_web_address, read_catalogue
from pipeline.errors import DataError
from tests.conftest import PROJECT

GOOD = {
    "provider": "Stennick",
    "urn": "80001",
    "type": "inspection_report",
    "published": "2024-05-31",
    "address": "https://example.org/file/1",
    "sha256": "a" * 64,
    "file": "stennick/2024.pdf",
}


def write(path, rows, columns=CATALOGUE_COLUMNS):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_row_becomes_an_entry(tmp_path):
    sparse = {**GOOD, "urn": "", "published": "", "address": " ", "sha256": "B" * 64, "file": "b.docx"}
    first, second = read_catalogue(write(tmp_path / "c.csv", [GOOD, sparse]))
    assert (first.provider, first.published, first.address) == ("Stennick", "2024-05-31", "https://example.org/file/1")
    assert (second.urn, second.published, second.address, second.sha256) == (None, None, None, "b" * 64)
    assert first.describe() == "stennick/2024.pdf (Stennick, URN 80001, published 2024-05-31)"
    assert second.describe() == "b.docx (Stennick)"


def test_all_problems_are_listed_with_their_lines(tmp_path):
    wrong = [
        ({"provider": ""}, "'provider' is empty"),
        ({"type": "report"}, "found type 'report'; accepted: inspection_report"),
        ({"published": "31/05/2024"}, "found published '31/05/2024'"),
        ({"published": "2024-02-30"}, "found published '2024-02-30'"),
        ({"sha256": "abc"}, "expected 64 hex digits"),
        ({"sha256": "a" * 64}, "'sha256' is that of line 2"),
        ({"file": "Stennick/2024.PDF"}, "'file' is that of line 2"),
        ({"address": "ftp://example.org/1"}, "expected http:// or https:// and a host"),
        ({"address": "file:///etc/passwd"}, "expected http:// or https:// and a host"),
        ({"file": "../x.pdf"}, "not a plain path"),
        ({"file": "/x.pdf"}, "not a plain path"),
        ({"file": "a//x.pdf"}, "not a plain path"),
        ({"file": "a\\x.pdf"}, "not every file system"),
        ({"file": "a:x.pdf"}, "not every file system"),
        ({"file": "a./x.pdf"}, "not every file system"),
        ({"file": ".a/x.pdf"}, "hidden"),
        ({"file": "x.exe"}, "is no document"),
    ]
    rows = [GOOD] + [
        {**GOOD, "sha256": f"{n:064x}", "file": f"{n}.pdf", **change} for n, (change, _) in enumerate(wrong)
    ]
    path = write(tmp_path / "c.csv", rows)
    with pytest.raises(DataError) as caught:
        read_catalogue(path)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"{len(wrong)} problem(s)")
    for number, (_, part) in enumerate(wrong, start=3):
        assert any(line.strip().startswith(f"{path}:{number}: ") and part in line for line in lines), part


def test_files_that_are_no_catalogue(tmp_path):
    with pytest.raises(DataError, match="cannot be read .*--catalogue"):
        read_catalogue(tmp_path / "none.csv")
    with pytest.raises(DataError, match="no column urn, type, published, address, sha256, file; found provider"):
        read_catalogue(write(tmp_path / "c.csv", [], ["provider"]))
    latin = tmp_path / "latin.csv"
    latin.write_bytes(b"provider\ncaf\xe9\n")
    with pytest.raises(DataError, match="not UTF-8"):
        read_catalogue(latin)


@given(st.text())
def test_no_text_breaks_the_look_at_addresses(text):
    assert not is_web_address(f"javascript:{text}")
    is_web_address(f"http://{text}")


def test_the_shipped_catalogue_fits_the_shipped_labels():
    entries = read_catalogue(PROJECT / "data" / "catalogue.csv")
    assert len(entries) == 163
    assert sum(entry.address is not None for entry in entries) == 34
    assert all(entry.urn and entry.published and entry.type == "inspection_report" for entry in entries)
    labels = (PROJECT / "data" / "labels" / "public-train.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["report_id"] for line in labels} == {entry.sha256[:16] for entry in entries}


@pytest.mark.shared
def test_the_shipped_catalogue_lists_every_real_report(shared):
    contents = [path.read_bytes() for path in (shared / "reports").rglob("*.pdf")]
    hashes = Counter(sha256(content).hexdigest() for content in contents if content.startswith(b"%PDF"))
    assert hashes == Counter(entry.sha256 for entry in read_catalogue(PROJECT / "data" / "catalogue.csv"))
