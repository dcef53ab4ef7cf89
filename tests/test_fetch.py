"""Fetching, against a server on loopback that fails in every way; waits are short, everything else is as shipped."""

import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.download import Downloader, DownloadSettings
from pipeline.errors import FetchError, FindingsError, UsageError
from pipeline.fetch import fetch_reports
from tests.conftest import PROJECT
from tests.test_catalogue import GOOD, write

BODY = bytes(range(256)) * 800
HASH = sha256(BODY).hexdigest()
FAST = DownloadSettings(pause=0, timeout=0.4, deadline=5, attempts=3, backoff=0.01, longest_wait=2)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        server.requests.append((self.path, dict(self.headers), time.monotonic()))
        steps = server.steps.get(self.path, [])
        step = steps.pop(0) if len(steps) > 1 else steps[0] if steps else not_found
        self.close_connection = True
        with suppress(OSError):
            step(self)

    def log_message(self, *_):
        pass


def reply(handler, status, headers, body=b""):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(body)


def not_found(handler):
    reply(handler, 404, {"Content-Length": 9}, b"not found")


def whole(handler):
    reply(handler, 200, {"Content-Length": len(BODY), "Content-Type": "application/pdf"}, BODY)


def ranged(handler):
    """Honours Range, as most servers do."""
    wanted = handler.headers.get("Range")
    if not wanted:
        return whole(handler)
    start = int(wanted.removeprefix("bytes=").removesuffix("-"))
    if start >= len(BODY):
        return reply(handler, 416, {"Content-Range": f"bytes */{len(BODY)}", "Content-Length": 0})
    part = BODY[start:]
    headers = {"Content-Range": f"bytes {start}-{len(BODY) - 1}/{len(BODY)}", "Content-Length": len(part)}
    return reply(handler, 206, headers, part)


def another_range(handler):
    reply(handler, 206, {"Content-Range": f"bytes 0-9/{len(BODY)}", "Content-Length": 10}, BODY[:10])


def truncated(handler):
    reply(handler, 200, {"Content-Length": len(BODY)}, BODY[:100_000])


def truncated_chunks(handler):
    reply(handler, 200, {"Transfer-Encoding": "chunked"}, b"1000\r\n" + BODY[:0x1000] + b"\r\n1000\r\nabc")


def chunked(handler):
    reply(handler, 200, {"Transfer-Encoding": "chunked"}, b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY))


def without_length(handler):
    reply(handler, 200, {}, BODY)


def too_short_a_length(handler):
    reply(handler, 200, {"Content-Length": 1000}, BODY)


def too_long_a_length(handler):
    reply(handler, 200, {"Content-Length": len(BODY) + 1000}, BODY)


def wrong_bytes(handler):
    reply(handler, 200, {"Content-Length": 15, "Content-Type": "text/html; charset=utf-8"}, b"<html>No</html>")


def stalled(handler):
    reply(handler, 200, {"Content-Length": len(BODY)}, BODY[:5000])
    handler.server.stop.wait(2)


def stalled_before_the_status(handler):
    handler.server.stop.wait(2)


def dripping(handler):
    reply(handler, 200, {"Content-Length": len(BODY)})
    while not handler.server.stop.wait(0.05):
        handler.wfile.write(b"x")


def reset(handler):
    # With linger 0, closing sends RST instead of FIN.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    handler.connection.close()


def nonsense(handler):
    handler.wfile.write(b"no status \x1b[31mline at all\r\n\r\n")


def status(code, **headers):
    return lambda handler: reply(handler, code, {"Content-Length": 0, **headers})


def redirect(where, code=302):
    return status(code, Location=where)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.steps, server.requests, server.stop = {}, [], threading.Event()
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.stop.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def fetch(server, tmp_path):
    """Let the server do some steps in turn, and fetch the file."""

    def run(*steps, settings=FAST, part=None, expected=HASH):
        server.steps["/report"] = list(steps)
        if part is not None:
            (tmp_path / ".report.pdf.part").write_bytes(part)
        Downloader(settings).fetch(f"{server.address}/report", expected, tmp_path / "report.pdf")
        assert (tmp_path / "report.pdf").read_bytes() == BODY
        assert [path.name for path in tmp_path.iterdir()] == ["report.pdf"]

    return run


def ranges(server):
    return [headers.get("Range") for _, headers, _ in server.requests]


@pytest.mark.parametrize("step", [whole, ranged, chunked, without_length, too_long_a_length])
def test_a_file_arrives(fetch, server, step):
    fetch(step)
    ((_, headers, _),) = server.requests
    assert headers["User-Agent"].startswith("inspection-findings/")
    assert "Range" not in headers


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (status(500), "HTTP 500"),
        (status(503), "HTTP 503"),
        (status(429), "HTTP 429"),
        (reset, "no answer"),
        (nonsense, r"no answer \(no status \[31mline at all\)"),
        (stalled_before_the_status, "no answer"),
        (stalled, r"no more data for 0\.4 s after 5,000 bytes"),
        (truncated, "the connection ended after 100,000 of 204,800 bytes"),
        (truncated_chunks, "the connection broke after"),
    ],
)
def test_what_may_pass_is_tried_again(fetch, server, tmp_path, step, reason):
    fetch(step, step, whole)
    assert len(server.requests) == 3
    (tmp_path / "report.pdf").unlink()
    with pytest.raises(FetchError, match=rf"^{reason}.*\(3 attempts\)$"):
        fetch(step)
    assert not (tmp_path / "report.pdf").exists()


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 501])
def test_a_refusal_is_final(fetch, server, code):
    with pytest.raises(FetchError, match=f"^HTTP {code} "):
        fetch(status(code))
    assert len(server.requests) == 1


@pytest.mark.parametrize("step", [wrong_bytes, too_short_a_length])
def test_wrong_content_is_named_and_not_kept(fetch, server, tmp_path, step):
    with pytest.raises(FetchError, match=f"found SHA-256 [0-9a-f]{{64}}, expected {HASH}"):
        fetch(step)
    assert len(server.requests) == 1
    assert not list(tmp_path.iterdir())


def test_no_content_is_a_failure(fetch, tmp_path):
    with pytest.raises(FetchError, match="HTTP 204"):
        fetch(status(204))
    assert not list(tmp_path.iterdir())


def test_a_part_is_gone_on_with(fetch, server):
    fetch(truncated, ranged)
    assert ranges(server) == [None, "bytes=100000-"]


def test_a_part_of_an_earlier_run_is_gone_on_with(fetch, server):
    fetch(ranged, part=BODY[:70_000])
    assert ranges(server) == ["bytes=70000-"]


def test_without_ranges_the_file_starts_anew(fetch, server):
    fetch(truncated, whole)
    assert ranges(server) == [None, "bytes=100000-"]


def test_a_whole_part_needs_no_request(fetch, server):
    fetch(not_found, part=BODY)
    assert not server.requests


@pytest.mark.parametrize(
    ("step", "part"),
    [
        (ranged, b"x" * 5000),  # another file's beginning
        (ranged, BODY + b"more"),  # nothing is left to ask for
        (another_range, BODY[:5000]),
    ],
)
def test_a_part_that_does_not_fit_is_dropped(fetch, server, step, part):
    fetch(step, ranged, part=part)
    assert ranges(server) == [f"bytes={len(part)}-", None]


def test_a_body_that_drips_meets_the_deadline(fetch, tmp_path):
    settings = DownloadSettings(pause=0, timeout=0.5, deadline=0.2, attempts=1)
    with pytest.raises(FetchError, match=r"too slow: [\d,]+ bytes in 0.2 s"):
        fetch(dripping, settings=settings)


@pytest.mark.parametrize("step", [whole, chunked, without_length])
def test_a_file_that_is_too_large_is_refused(fetch, tmp_path, step):
    with pytest.raises(FetchError, match="larger than 100,000 bytes"):
        fetch(step, settings=DownloadSettings(pause=0, max_bytes=100_000))
    assert not list(tmp_path.iterdir())


def test_the_server_may_ask_to_wait(fetch, server):
    fetch(status(429, **{"Retry-After": "1"}), whole)
    (_, _, first), (_, _, second) = server.requests
    assert second - first >= 1


def test_a_wait_that_is_too_long_is_a_failure(fetch, server):
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    with pytest.raises(FetchError, match=r"HTTP 503 .*asks to wait 3[56]\d\d s"):
        fetch(status(503, **{"Retry-After": later}))
    fetch(status(503, **{"Retry-After": "soon"}), status(503, **{"Retry-After": "-1"}), whole)


def test_requests_keep_the_pause(fetch, server):
    fetch(status(500), status(500), whole, settings=DownloadSettings(pause=0.2, backoff=0))
    times = [at for _, _, at in server.requests]
    assert min(times[1] - times[0], times[2] - times[1]) >= 0.2


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed(fetch, server, code):
    server.steps["/new"] = [ranged]
    fetch(redirect("/new", code), part=BODY[:10])
    assert ranges(server) == ["bytes=10-", "bytes=10-"]


def test_redirects_that_lead_nowhere(fetch, server):
    with pytest.raises(FetchError, match="too many redirects"):
        fetch(redirect("/report"))
    assert len(server.requests) < 8
    with pytest.raises(FetchError, match="HTTP 302"):
        fetch(status(302))


@pytest.mark.parametrize("where", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x"])
def test_redirects_out_of_the_web_are_refused(fetch, where):
    with pytest.raises(FetchError, match="redirected to|HTTP 302"):
        fetch(redirect(where))


def test_a_folder_that_cannot_be_written_to_stops_everything(server, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FindingsError, match="cannot be written") as caught:
        Downloader(FAST).fetch(f"{server.address}/report", HASH, tmp_path / "file" / "report.pdf")
    assert not isinstance(caught.value, FetchError)


def catalogue(tmp_path, *addresses):
    rows = []
    for number, address in enumerate(addresses):
        content = f"report {number}".encode()
        rows.append(
            {**GOOD, "address": address, "sha256": sha256(content).hexdigest(), "file": f"stennick/{number}.pdf"}
        )
    return write(tmp_path / "catalogue.csv", rows)


def serve(server, *numbers):
    for number in numbers:
        body = f"report {number}".encode()
        server.steps[f"/{number}"] = [lambda h, body=body: reply(h, 200, {"Content-Length": len(body)}, body)]


def test_every_report_is_accounted_for(server, tmp_path):
    serve(server, 0, 1, 2)
    path = catalogue(tmp_path, *(f"{server.address}/{n}" for n in range(4)), "")
    output = tmp_path / "reports"
    (output / "mine").mkdir(parents=True)
    (output / "mine" / "a copy.pdf").write_bytes(b"report 1")
    (output / "stennick").mkdir()
    (output / "stennick" / "2.pdf").write_bytes(b"my own notes")
    report = fetch_reports(path, output, settings=FAST)
    assert [entry.file for entry in report.fetched] == ["stennick/0.pdf"]
    assert [entry.file for entry in report.present] == ["stennick/1.pdf"]
    reasons = {entry.file: reason for entry, reason in report.failed}
    assert reasons == {
        "stennick/2.pdf": f"{output / 'stennick' / '2.pdf'} is there with other content; move it away",
        "stennick/3.pdf": "HTTP 404 Not Found",
    }
    assert [entry.file for entry in report.without_address] == ["stennick/4.pdf"]
    assert (output / "stennick" / "2.pdf").read_bytes() == b"my own notes"
    assert not report.complete
    summary = report.summary()
    assert "1 fetched, 1 already there, 2 failed, 1 without address" in summary
    assert "stennick/3.pdf (Stennick, URN 80001, published 2024-05-31): HTTP 404 Not Found" in summary


def test_a_second_run_asks_for_nothing(server, tmp_path):
    serve(server, 0, 1)
    path = catalogue(tmp_path, f"{server.address}/0", f"{server.address}/1")
    assert fetch_reports(path, tmp_path / "reports", settings=FAST).complete
    server.requests.clear()
    report = fetch_reports(path, tmp_path / "reports", settings=FAST)
    assert report.complete
    assert len(report.present) == 2
    assert not server.requests


def test_a_host_out_of_reach_is_given_up(server, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{closed.getsockname()[1]}"
    serve(server, 4)
    path = catalogue(tmp_path, *(f"http://{host}/{n}" for n in range(4)), f"{server.address}/4")
    report = fetch_reports(path, tmp_path / "reports", settings=FAST)
    assert [entry.file for entry in report.fetched] == ["stennick/4.pdf"]
    reasons = [reason for _, reason in report.failed]
    assert reasons[2:] == [f"not tried, since {host} could not be reached"] * 2
    assert all("refused" in reason for reason in reasons[:2])


def test_a_local_copy_is_found_by_its_content(server, tmp_path):
    copies = tmp_path / "copies"
    (copies / "deep" / "er").mkdir(parents=True)
    (copies / "deep" / "er" / "any name.bin").write_bytes(b"report 0")
    (copies / "notes.txt").write_bytes(b"something else")
    path = catalogue(tmp_path, "", f"{server.address}/1")
    report = fetch_reports(path, tmp_path / "reports", source=copies)
    assert not server.requests
    ((entry, reason),) = report.failed
    assert entry.file == "stennick/1.pdf"
    assert reason == f"no file with its SHA-256 ({entry.sha256}) below {copies}"
    copy = tmp_path / "reports" / "stennick" / "0.pdf"
    assert copy.read_bytes() == b"report 0"
    assert copy.stat().st_ino != (copies / "deep" / "er" / "any name.bin").stat().st_ino
    with pytest.raises(UsageError, match="no such folder"):
        fetch_reports(path, tmp_path / "reports", source=tmp_path / "none")


def test_exit_codes_and_words(server, tmp_path, capsys):
    serve(server, 0)
    arguments = ["fetch", "--output", str(tmp_path / "reports"), "--pause", "0", "--catalogue"]
    assert main([*arguments, str(catalogue(tmp_path, f"{server.address}/0"))]) == 0
    assert "1 fetched, 0 already there, 0 failed, 0 without address" in capsys.readouterr().out
    assert main([*arguments, str(catalogue(tmp_path, f"{server.address}/0", ""))]) == 3
    assert "without address" in capsys.readouterr().out
    assert main([*arguments, str(tmp_path / "none.csv")]) == 1
    assert main(["fetch", "--from", str(tmp_path / "none"), "--catalogue", str(catalogue(tmp_path, ""))]) == 2
    assert main(["fetch", "--pause", "-1"]) == 2


@pytest.mark.shared
def test_the_shipped_catalogue_is_served_by_the_folder_beside(shared, tmp_path):
    report = fetch_reports(PROJECT / "data" / "catalogue.csv", tmp_path / "reports", source=shared / "reports")
    assert report.complete
    assert len(report.fetched) == len(list(Path(tmp_path, "reports").rglob("*.pdf"))) == 163
