"""Documents and findings on an S3-compatible service: a real server on this machine, and a cluster of one worker."""

import csv
import io

import pytest
from pyarrow import parquet

from pipeline.batch import classify
from pipeline.cluster import classify_on_cluster
from pipeline.errors import UsageError
from tests.conftest import PROJECT

pytest.importorskip("s3fs")
distributed = pytest.importorskip("distributed")
moto_server = pytest.importorskip("moto.server")

CHAMPION = PROJECT / "models" / "champion"
TEXT = "Ferndale children's services\n\nStaff are kind. Plans are too often late. We will recruit {} workers by May.\n"
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::UserWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def service():
    """The address of an S3-compatible service, with credentials in the environment as on any machine."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield
    server.stop()


@pytest.fixture(scope="module")
def scheduler(service):
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0") as started:
        yield started.scheduler_address


@pytest.fixture(scope="module")
def bucket(service, tmp_path_factory):
    """Documents here and the same ones in a bucket."""
    import s3fs

    folder = tmp_path_factory.mktemp("s3") / "docs"
    (folder / "north").mkdir(parents=True)
    name = "brackenshaw-2019-inspection.pdf"
    (folder / name).write_bytes((PROJECT / "data" / "samples" / name).read_bytes())
    for number in range(3):
        (folder / "north" / f"{number} é.txt").write_text(TEXT.format(number))
    (folder / "north" / "1 é.txt.meta.yaml").write_text("provider: Ferndale\n")
    (folder / "not a.pdf").write_bytes(b"<!doctype html><html><body><p>Error 404.</p></body></html>")
    system = s3fs.S3FileSystem()
    system.mkdir("bucket")
    system.put(f"{folder}/", "bucket/in/", recursive=True)
    return folder, system


@pytest.mark.slow
def test_rows_and_tables_are_those_of_one_machine(bucket, scheduler, tmp_path):
    folder, system = bucket
    local = classify([folder], tmp_path, model=CHAMPION, formats=["parquet"], html=False)
    result = classify_on_cluster(["s3://bucket/in"], "s3://bucket/out", scheduler=scheduler, model=CHAMPION)
    assert (result.documents, result.sentences, result.failures) == (local.documents, local.sentences, local.failures)
    for name in ("reports.csv", "summary.csv", "failures.csv"):
        assert system.cat_file(f"bucket/out/{name}") == (tmp_path / name).read_bytes(), name
    reports = csv.DictReader(io.StringIO(system.cat_file("bucket/out/reports.csv").decode("utf-8-sig")))
    parts = [system.cat_file(f"bucket/out/findings/{row['report_id']}.parquet") for row in reports]
    rows = [row for part in parts for row in parquet.read_table(io.BytesIO(part)).to_pylist()]
    assert rows == parquet.read_table(tmp_path / "findings.parquet").to_pylist()
    again = classify_on_cluster(["s3://bucket/in"], "s3://bucket/out", scheduler=scheduler, model=CHAMPION)
    assert again.reused == result.documents


def test_a_bucket_that_is_not_there(bucket, scheduler):
    with pytest.raises(UsageError, match="s3://none/in: no such file or folder"):
        classify_on_cluster(["s3://none/in"], "s3://bucket/x", scheduler=scheduler, model=CHAMPION)
    with pytest.raises(UsageError, match="s3://none/out: there is no bucket 'none'"):
        classify_on_cluster(["s3://bucket/in"], "s3://none/out", scheduler=scheduler, model=CHAMPION)
