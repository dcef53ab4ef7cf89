"""The same work on a Dask cluster: real worker processes, one of them killed, and the rows of one machine."""

import csv
import os
import signal
import sys

import pyarrow as pa
import pytest
from pyarrow import parquet

from pipeline.batch import classify
from pipeline.cli import main
from pipeline.cluster import classify_on_cluster
from pipeline.dask_cluster import run_on_workers
from pipeline.errors import UsageError
from pipeline.progress import SilentReporter
from tests.conftest import PROJECT
from tests.monsters import endless_pdf

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
fsspec = pytest.importorskip("fsspec")

CHAMPION = PROJECT / "models" / "champion"
TEXT = "Ferndale children's services\n\nStaff are kind. Plans are too often late. We will recruit {} workers by May.\n"
# A batch may warn of the clock or of memory on a busy machine; only what it does counts here.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes, each with a nanny that starts it again; a task may lose one of them, not two."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as started,
    ):
        yield started


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """Samples, more documents, and what makes a search hard: copies, sidecars, a manifest, files that fail."""
    folder = tmp_path_factory.mktemp("cluster") / "docs #1"
    (folder / "north").mkdir(parents=True)
    for name in ("brackenshaw-2019-inspection.pdf", "silverholt-2024-action-plan.docx", "penhollow-2024-news.html"):
        (folder / name).write_bytes((PROJECT / "data" / "samples" / name).read_bytes())
    for number in range(8):
        (folder / "north" / f"{number}.txt").write_text(TEXT.format(number))
    (folder / "north" / "copy.txt").write_text(TEXT.format(3))
    (folder / "north" / "1.txt.meta.yaml").write_text("provider: Ferndale\n")
    (folder / "north" / "2.txt.meta.yaml").write_text("provides: Ferndale\n")
    (folder / "north.txt").write_text(TEXT.format(99))
    (folder / "manifest.csv").write_text("file,published\nnorth/4.txt,2024-02-03\ngone.txt,2024-01-01\n")
    (folder / "not a.pdf").write_bytes(b"<!doctype html><html><body><p>Error 404.</p></body></html>")
    (folder / "other.bin").write_bytes(b"")
    (folder / ".hidden.txt").write_text(TEXT.format(0))
    return folder


@pytest.fixture(scope="module")
def local(documents, tmp_path_factory):
    output = tmp_path_factory.mktemp("local") / "out"
    return classify([documents], output, model=CHAMPION, formats=["parquet"], html=False), output


class Killer(SilentReporter):
    """Kills a worker process when the first document is done."""

    def __init__(self, cluster):
        self._cluster, self._unit, self.killed, self.messages = cluster, "", None, []

    def start(self, total, unit):
        self._unit = unit

    def advance(self, count=1, note=""):
        if self._unit == "documents" and self.killed is None:
            self.killed = self._cluster.workers[0].pid
            os.kill(self.killed, signal.SIGKILL)

    def message(self, text):
        self.messages.append(text)


def rows(output):
    """The findings in the order of reports.csv."""
    with (output / "reports.csv").open(encoding="utf-8-sig", newline="") as file:
        names = [row["report_id"] for row in csv.DictReader(file)]
    assert {path.name for path in (output / "findings").iterdir()} == {f"{name}.parquet" for name in names}
    parts = [parquet.ParquetFile(output / "findings" / f"{name}.parquet").read() for name in names]
    return pa.concat_tables([part.replace_schema_metadata() for part in parts])


@pytest.mark.slow
def test_a_killed_worker_costs_nothing_but_time(cluster, documents, local, tmp_path):
    expected, folder = local
    killer = Killer(cluster)
    stale = tmp_path / "out" / "findings" / f"{'0' * 16}.parquet"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"of a document that is gone")
    output = (tmp_path / "out").as_uri()
    result = classify_on_cluster(
        [documents.as_posix()], output, scheduler=cluster.scheduler_address, model=CHAMPION, reporter=killer
    )
    assert killer.killed is not None
    assert rows(tmp_path / "out").equals(parquet.ParquetFile(folder / "findings.parquet").read())
    for name in ("reports.csv", "summary.csv", "failures.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes(), name
    assert (result.documents, result.sentences, result.counts) == (
        expected.documents,
        expected.sentences,
        expected.counts,
    )
    assert (result.failures, result.notes) == (expected.failures, expected.notes)
    assert tuple(killer.messages) == expected.notes

    # What is there is not made again, unless that is asked for or the document has changed.
    again = classify_on_cluster([str(documents)], output, scheduler=cluster.scheduler_address, model=CHAMPION)
    assert (again.reused, again.documents) == (expected.documents, expected.documents)
    assert rows(tmp_path / "out").equals(parquet.ParquetFile(folder / "findings.parquet").read())


def test_what_kills_every_worker_is_a_failure_and_others_go_on(cluster):
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        assert list(run_on_workers(client, os._exit, [(1,)])) == [(0, None, "2 workers were lost while they read it")]
        assert list(run_on_workers(client, len, [("four",)])) == [(0, 4, None)]


def test_the_command_line_says_what_was_done(cluster, tmp_path, capsys):
    (tmp_path / "a.txt").write_text(TEXT.format("six"))
    (tmp_path / "b.pdf").write_bytes(b"no PDF")
    arguments = ["classify", str(tmp_path / "a.txt"), str(tmp_path / "b.pdf"), "--output", str(tmp_path / "out")]
    arguments += ["--model", str(CHAMPION), "--mode", "fast", "--scheduler", cluster.scheduler_address]
    assert main(arguments) == 3
    assert "1 report(s), 4 sentences in " in capsys.readouterr().out
    assert rows(tmp_path / "out")["report"].to_pylist() == ["a.txt"] * 4
    assert main([*arguments, "--format", "xlsx"]) == 2
    assert main([*arguments, "--workers", "2"]) == 2


def test_a_document_that_never_ends_is_a_failure(cluster, tmp_path):
    (tmp_path / "endless.pdf").write_bytes(endless_pdf())
    result = classify_on_cluster(
        [str(tmp_path / "endless.pdf")],
        str(tmp_path / "out"),
        scheduler=cluster.scheduler_address,
        model=CHAMPION,
        mode="fast",
        time_limit=1.5,
    )
    assert [name for name, _ in result.failures] == ["endless.pdf"]
    assert "time limit" in result.failures[0][1]


def test_inputs_and_outputs_by_url(documents, local):
    memory = fsspec.filesystem("memory")
    memory.put(str(documents), "/reports", recursive=True)
    expected, folder = local
    # This file system is in one process, and so must the workers be.
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as cluster:
        result = classify_on_cluster(
            ["memory://reports"], "memory://out/put", scheduler=cluster.scheduler_address, model=CHAMPION
        )
        with pytest.raises(UsageError, match="no such file or folder"):
            classify_on_cluster(["memory://none"], "memory://o", scheduler=cluster.scheduler_address, model=CHAMPION)
        with pytest.raises(UsageError, match="without --scheduler"):
            classify_on_cluster(
                ["memory://reports/manifest.csv"], "memory://o", scheduler=cluster.scheduler_address, model=CHAMPION
            )
    assert (result.documents, result.sentences) == (expected.documents, expected.sentences)
    assert memory.cat_file("/out/put/reports.csv") == (folder / "reports.csv").read_bytes()
    assert len(memory.ls("/out/put/findings", detail=False)) == expected.documents


def test_a_scheduler_that_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.dask_cluster.CONNECT_SECONDS", 1)
    for address in ("tcp://127.0.0.1:9", "no address at all"):
        with pytest.raises(UsageError, match="no Dask scheduler answers there"):
            classify_on_cluster([str(tmp_path)], str(tmp_path / "out"), scheduler=address, model=CHAMPION)


def test_without_dask_the_remedy_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["classify", "a.txt", "--output", "out", "--scheduler", "tcp://127.0.0.1:9"]) == 2
    assert "pip install 'inspection-findings[dask]'" in capsys.readouterr().err


def test_a_url_without_a_cluster_is_refused(capsys):
    assert main(["classify", "s3://bucket/reports", "--output", "out"]) == 2
    assert "--scheduler" in capsys.readouterr().err
