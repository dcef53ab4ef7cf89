"""What is stated beside a document overrides what reading finds, or is told to be wrong."""

import csv
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from pipeline.batch import classify
from pipeline.errors import DocumentError, UsageError
from pipeline.extract import extract_sentences, load_manifest, load_sentences
from pipeline.inputs import find_inputs
from pipeline.overrides import FIELDS, Overrides, find_overrides, read_manifest
from pipeline.reading import Document, Metadata

TEXT = "Ferndale children's services\n\nStaff are kind. Plans are too often late.\n"


@pytest.fixture
def document(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    path = folder / "a.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def state(document, text):
    document.with_name(document.name + ".meta.yaml").write_text(text, encoding="utf-8")


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_sidecar_overrides_every_field(document):
    state(
        document,
        "doc_type: focused_visit\nframework: ILACS\nprovider: Ferndale\nurn: 80123\npublished: 2024-03-01\n"
        "inspection_start: '2024-01-08'\ninspection_end: 2024-01-09\n"
        "judgements:\n  Overall effectiveness: Requires improvement to be good\n",
    )
    metadata = find_overrides(document).apply(Document()).metadata
    assert metadata == Metadata(
        "focused_visit",
        "ILACS",
        "Ferndale",
        "2024-03-01",
        "80123",
        "2024-01-08",
        "2024-01-09",
        (("Overall effectiveness", "requires improvement"),),
    )


def test_null_withdraws_and_an_empty_sidecar_states_nothing(document):
    state(document, "provider: null\n")
    found = Document(Metadata(provider="Wrong", framework="ILACS"))
    assert find_overrides(document).apply(found).metadata == Metadata(framework="ILACS")
    state(document, "# nothing yet\n")
    assert find_overrides(document) == Overrides()
    assert Overrides().digest() == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("publised: 2024-01-01", "a.txt.meta.yaml: unknown key 'publised' (did you mean published?)"),
        ("zzz: 1", "a.txt.meta.yaml: unknown key 'zzz' (accepted: doc_type, framework"),
        ("published: 1 May 2024", "published: found '1 May 2024', accepted: a date as YYYY-MM-DD"),
        ("published: 2024-13-01", "not valid YAML"),
        ("published: '2024-13-01'", "accepted: a date as YYYY-MM-DD"),
        ("doc_type: letter", "doc_type: found 'letter', accepted: inspection_report, focused_visit"),
        ("provider: [a]", "provider: found \"['a']\", accepted: text of at most 200 characters"),
        ("provider: ''", "accepted: text of at most"),
        ("judgements: {Overall: fair}", "accepted: a grade by name, each grade one of outstanding, good"),
        ("judgements: 3", "accepted: a grade by name"),
        ("- a", "found list, expected keys among doc_type"),
        ("a: [", "a.txt.meta.yaml: not valid YAML (line 1)"),
        ("inspection_start: 2024-02-01\ninspection_end: 2024-01-01", "is after inspection_end 2024-01-01"),
    ],
)
def test_a_wrong_sidecar_is_told_with_key_value_and_what_is_accepted(document, text, reason):
    state(document, text)
    with pytest.raises(DocumentError) as caught:
        find_overrides(document).apply(Document())
    assert reason in str(caught.value)


def test_bytes_that_are_no_text_and_broken_links(document):
    sidecar = document.with_name("a.txt.meta.yaml")
    sidecar.write_bytes(b"\xff\xfe\xff")
    assert "not valid YAML" in find_overrides(document).fault
    sidecar.unlink()
    sidecar.symlink_to("nowhere")
    assert "cannot be opened" in find_overrides(document).fault


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=20) | st.none() | st.integers() | st.lists(st.text())))
def test_any_statement_ends_in_overrides_or_a_reason(tmp_path_factory, stated):
    import yaml

    document = tmp_path_factory.mktemp("any") / "a.txt"
    state(document, yaml.safe_dump(stated))
    overrides = find_overrides(document)
    assert overrides.fault or overrides == find_overrides(document)


def test_a_manifest_states_by_file_and_a_sidecar_counts_for_more(document):
    folder = document.parent
    (folder / "manifest.csv").write_text(
        "file,provider,published,note,judgements\n"
        "a.txt,Manifest,2024-05-06,x,Overall effectiveness: good; Leaders: Inadequate\n"
        "gone.pdf,Nobody,,,\n",
        encoding="utf-8",
    )
    state(document, "provider: Sidecar\n")
    inputs = find_inputs([folder])
    values = dict(inputs.items[0].overrides.values)
    assert values["provider"] == "Sidecar"
    assert values["published"] == "2024-05-06"
    assert values["judgements"] == (("Overall effectiveness", "good"), ("Leaders", "inadequate"))
    assert inputs.notes() == ["manifest.csv names gone.pdf: no such document"]
    # Named by itself, a document has its sidecar alone.
    assert dict(find_inputs([document]).items[0].overrides.values) == {"provider": "Sidecar"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,publishd\na.txt,2024-05-06\n", r"unknown column 'publishd' \(did you mean published\?\)"),
        ("file,urn\na.txt,1\na.txt,2\n", r"manifest\.csv:3: a\.txt stands there twice"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_told(document, text, message):
    (document.parent / "manifest.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        read_manifest(document.parent)


def test_a_manifest_of_something_else_is_left_alone(document):
    (document.parent / "manifest.csv").write_text("name,size\na.txt,3\n", encoding="utf-8")
    assert read_manifest(document.parent).rows == {}
    assert find_inputs([document.parent]).ignored == 1


def test_a_wrong_cell_fails_its_document_alone(document, model, tmp_path):
    folder = document.parent
    (folder / "b.txt").write_text(TEXT + "More.\n", encoding="utf-8")
    (folder / "manifest.csv").write_text("file,published\nb.txt,soon\n", encoding="utf-8")
    result = classify([folder], tmp_path / "out", model=model, formats=["csv"], html=False)
    reason = "manifest.csv line 2: published: found 'soon', accepted: a date as YYYY-MM-DD"
    assert result.failures == (("b.txt", reason),)
    assert [row["report"] for row in rows(tmp_path / "out" / "reports.csv")] == ["a.txt"]


def test_what_is_stated_stands_in_findings_and_reports(document, model, tmp_path):
    state(document, "provider: Ferndale County\npublished: 2024-05-06\njudgements: {Overall effectiveness: good}\n")
    classify([document.parent], tmp_path / "out", model=model, html=False)
    table = parquet.read_table(tmp_path / "out" / "findings.parquet")
    assert set(table["provider"].to_pylist()) == {"Ferndale County"}
    assert set(table["published"].to_pylist()) == {"2024-05-06"}
    (row,) = rows(tmp_path / "out" / "reports.csv")
    assert row["judgements"] == "Overall effectiveness: good"
    assert int(row["sentences"]) == table.num_rows
    assert (row["provider"], row["published"], row["pages"], row["urn"]) == ("Ferndale County", "2024-05-06", "", "")
    assert int(row["strength"]) == sum(table["strength"].to_pylist())


def test_extract_notices_a_changed_sidecar(document, tmp_path, model):
    store = tmp_path / "store"
    other = document.with_name("b.txt")
    other.write_text(TEXT + "More.\n", encoding="utf-8")
    extract_sentences([document.parent], store)
    state(document, "provider: Ferndale\n")
    report = extract_sentences([document.parent], store)
    assert (report.new, report.reused) == (1, 1)
    assert "Ferndale" in set(load_sentences(store)["provider"].dropna())
    state(document, "provider: 3.5\n")
    report = extract_sentences([document.parent], store)
    assert report.failures[0][0] == "a.txt"
    assert (extract_sentences([document.parent], store).new, len(load_manifest(store)["failures"])) == (0, 1)
    document.with_name("a.txt.meta.yaml").unlink()
    assert extract_sentences([document.parent], store).new == 1


def test_a_store_and_its_documents_give_the_same_reports(samples, model, tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in ("westhollow-2023-focused-visit.pdf", "redmere-2024-minutes.txt"):
        shutil.copy(samples / name, folder / name)
    extract_sentences([folder], tmp_path / "store")
    classify([folder], tmp_path / "one", model=model, formats=["csv"], html=False)
    classify([tmp_path / "store"], tmp_path / "two", model=model, formats=["csv"], html=False)
    first = (tmp_path / "one" / "reports.csv").read_bytes()
    assert first == (tmp_path / "two" / "reports.csv").read_bytes()
    visit = rows(tmp_path / "one" / "reports.csv")[1]
    assert (visit["inspection_start"], visit["inspection_end"], visit["pages"]) == ("2023-06-06", "2023-06-07", "2")


def test_a_table_of_sentences_has_no_reports(document, model, tmp_path):
    classify([document.parent], tmp_path / "out", model=model, html=False)
    table = tmp_path / "mine.csv"
    table.write_text("text\nPlans are poor.\n", encoding="utf-8")
    classify([table], tmp_path / "out", model=model, html=False)
    assert not (tmp_path / "out" / "reports.csv").exists()
