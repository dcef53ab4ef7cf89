"""Batches under faults of the world around them: killed, no space, nowhere to write, two at once, odd trees."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from pipeline.batch import classify
from pipeline.errors import FindingsError, UsageError
from pipeline.progress import SilentReporter
from tests.test_batch import contents

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked, file systems mounted")

# Loads the model once, then for every line labels the documents in a process of its own.
RUNS = """
import os, sys
from pathlib import Path
import pipeline.assembly, pipeline.batch, pipeline.parts
from pipeline.model_folder import load_model
documents, out, model = map(Path, sys.argv[1:])
loaded = load_model(model)
pipeline.batch.load_model = lambda folder, mode: loaded
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        pipeline.batch.classify([documents], out, model=model, formats=["parquet", "csv", "xlsx"])
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


@pytest.fixture(scope="module")
def documents(tmp_path_factory, samples):
    """Twelve documents that differ in a byte each."""
    folder = tmp_path_factory.mktemp("documents")
    content = (samples / "redmere-2024-minutes.txt").read_bytes()
    for rank in range(12):
        (folder / f"{rank:02}.txt").write_bytes(content + b"\n" * rank)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory, documents, model):
    """What an undisturbed run makes of them."""
    out = tmp_path_factory.mktemp("whole")
    classify([documents], out, model=model, formats=["parquet", "csv", "xlsx"])
    return contents(out)


@pytest.fixture
def mount(tmp_path):
    """Mount small file systems; only root may."""
    mounted = []

    def make(options):
        place = tmp_path / f"mounted{len(mounted)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a file system of its own cannot be mounted here; root may")
        mounted.append(place)
        return place

    yield make
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


@linux
@pytest.mark.slow
def test_killed_at_ten_moments_the_next_run_gives_equal_bytes(documents, whole, model, tmp_path):
    out = tmp_path / "out"
    moments = random.Random(7)
    killed = 0
    runs = subprocess.Popen(
        [sys.executable, "-c", RUNS, str(documents), str(out), str(model)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with runs:
        while killed < 10:
            runs.stdin.write("\n")
            runs.stdin.flush()
            pid = int(runs.stdout.readline())
            # By the fifth time all parts are there, and what is disturbed is the writing of the outputs.
            time.sleep(moments.uniform(0, 0.8 if killed < 5 else 0.2))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            if int(runs.stdout.readline()) == 0:  # it was faster
                shutil.rmtree(out)
                continue
            killed += 1
            for name, content in contents(out).items() if out.exists() else ():
                if not name.rpartition("/")[2].startswith("."):
                    assert content == whole[name], name
        runs.stdin.close()
    classify([documents], out, model=model, formats=["parquet", "csv", "xlsx"])
    assert contents(out) == whole


@linux
# Room for some of the parts; for all of them, but not for the outputs.
@pytest.mark.parametrize("size", ["80k", "240k"])
def test_a_full_disk_is_told_and_what_is_done_is_kept(documents, whole, model, mount, size):
    out = mount(f"size={size}") / "out"
    with pytest.raises(FindingsError, match=r"cannot be written \(No space left on device\); .* free space"):
        classify([documents], out, model=model, formats=["parquet", "csv", "xlsx"])
    assert not [name for name in contents(out) if name.rpartition("/")[2].startswith(".")]
    subprocess.run(["mount", "-o", "remount,size=64m", str(out.parent)], check=True)
    result = classify([documents], out, model=model, formats=["parquet", "csv", "xlsx"])
    assert result.reused > 0
    assert contents(out) == whole


@linux
def test_a_folder_that_may_only_be_read(documents, whole, model, mount, tmp_path):
    place = mount("size=1m")
    shutil.copytree(documents, place / "docs")
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    classify([place / "docs"], tmp_path / "out", model=model, formats=["parquet", "csv", "xlsx"])
    assert contents(tmp_path / "out") == whole
    with pytest.raises(UsageError, match=r"cannot be written to \(Read-only file system\); name another folder"):
        classify([place / "docs"], place / "out", model=model)


def test_a_second_run_into_one_folder_is_refused_and_disturbs_nothing(documents, whole, model, tmp_path):
    refused = []

    class Rival(SilentReporter):
        def start(self, total, unit):
            self.intrude()

        def advance(self, count=1, note=""):
            if len(refused) < 2:
                self.intrude()

        def intrude(self):
            with pytest.raises(UsageError, match="another run .* is writing to this folder") as caught:
                classify([documents], tmp_path / "out", model=model)
            refused.append(caught.value.exit_code)

    classify([documents], tmp_path / "out", model=model, formats=["parquet", "csv", "xlsx"], reporter=Rival())
    assert refused == [2, 2]
    assert contents(tmp_path / "out") == whole


def test_links_that_lead_in_circles_are_harmless(documents, whole, model, tmp_path):
    folder = tmp_path / "docs"
    shutil.copytree(documents, folder)
    (folder / "in").mkdir()
    (folder / "in" / "up").symlink_to(folder)
    (folder / "self.txt").symlink_to("self.txt")
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    classify([folder], tmp_path / "out", model=model, formats=["parquet", "csv", "xlsx"])
    assert contents(tmp_path / "out") == whole


@linux
@pytest.mark.slow
def test_a_thousand_tiny_documents(model, tmp_path):
    for rank in range(1000):
        (tmp_path / "docs" / f"{rank % 20}").mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / f"{rank % 20}" / f"{rank}.txt").write_text(f"Visit {rank} was late.\n")
    opened, threads = len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
    result = classify([tmp_path / "docs"], tmp_path / "out", model=model, html=False, workers=1)
    assert (result.documents, result.sentences, result.reused) == (1000, 1000, 0)
    # Nothing stays open or running for each document: a pipe to and fro for the one process that waits for more work.
    assert len(list(Path("/proc/self/fd").iterdir())) <= opened + 2
    assert threading.active_count() <= threads
    assert len(list((tmp_path / "out" / ".parts").rglob("*.arrow"))) == 1000
    result = classify([tmp_path / "docs"], tmp_path / "out", model=model, html=False)
    assert (result.documents, result.sentences, result.reused) == (1000, 1000, 1000)


def test_findings_of_an_older_product_can_be_labelled_again(documents, model, tmp_path):
    first = tmp_path / "first"
    classify([documents / "00.txt"], first, model=model, html=False)
    table = parquet.read_table(first / "findings.parquet").replace_schema_metadata(None)
    older = table.drop_columns(["uncertain", "key"]).append_column("note", pa.array(["x"] * table.num_rows))
    parquet.write_table(older, tmp_path / "older.parquet")
    classify([tmp_path / "older.parquet"], tmp_path / "out", model=model, html=False)
    again = parquet.read_table(tmp_path / "out" / "findings.parquet")
    assert again["labels"] == table["labels"] == again["labels_input"]
    assert {"note", "uncertain"} <= set(again.column_names)
