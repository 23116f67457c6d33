"""Does an import need more memory for a larger file, and what if it is interrupted? The command itself, in a process.

Ten times the calls must not need noticeably more than what a few megabytes of reading ahead take. `make soak` reads
half a gigabyte of each form.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TextIO

import pytest
from openpyxl import Workbook

pytestmark = [pytest.mark.slow, pytest.mark.soak]

CALLS = 6_000
"""More than the calls whose legs an import waits for."""
SOAK = float(os.environ.get("RICHIAMO_SOAK_SECONDS", "5")) >= 600
HALF_A_GIGABYTE = 500_000_000
SPARE_MEGABYTES = 24
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Ingest(ThreadingHTTPServer):
    """Takes everything, and knows which calls it was sent; `held` stops it after a part."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.bodies = 0
        self.seen: set[bytes] = set()
        self.go_on = threading.Event()
        self.go_on.set()
        self.busy = threading.Event()


class Answer(BaseHTTPRequestHandler):
    server: Ingest
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies += 1
        ids = re.findall(rb'"unique_id":\s*"([^"]+)"', body)
        self.server.seen.update(ids)
        self.server.busy.set()
        self.server.go_on.wait()
        answer = json.dumps({"accepted": len(ids), "duplicates": 0, "refused": []}).encode()
        self.send_response(202)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Quietly."""


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with Ingest() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.go_on.set()
        server.shutdown()


def row(number: int) -> dict[str, str]:
    begins = NOON + timedelta(seconds=number)
    return {
        "unique_id": f"{int(begins.timestamp())}.{number}",
        "source_type": "ibl",
        "start_datetime": f"{begins:%Y-%m-%d %H:%M:%S}",
        "caller": f"050{number:07d}",
        "called": "0509876543",
        "detail_destination_type": "queue",
        "detail_destination_name": "Vendite",
        "detail_exit_cause": "CANCELED",
        "account_code": f"{number:x}" * 12,
    }


def as_json(file: TextIO, numbers: range) -> None:
    file.writelines(("," if number else "[") + json.dumps(row(number)) for number in numbers)
    file.write("]")


def as_xml(file: TextIO, numbers: range) -> None:
    file.write("<?xml version='1.0'?><cdr>")
    file.writelines(
        "<row>" + "".join(f"<{name}>{value}</{name}>" for name, value in row(number).items()) + "</row>"
        for number in numbers
    )
    file.write("</cdr>")


def as_csv(file: TextIO, numbers: range) -> None:
    file.write("#" + ",".join(row(0)) + "\n")
    file.writelines(",".join(row(number).values()) + "\n" for number in numbers)


def as_queue_log(file: TextIO, numbers: range) -> None:
    for number in numbers:
        at = int(NOON.timestamp()) + number
        file.write(f"{at}|{at}.{number}|Vendite|NONE|ENTERQUEUE||050{number:07d}|1\n")
        file.write(f"{at + 9}|{at}.{number}|Vendite|NONE|ABANDON|1|1|9\n")


TEXTS: dict[str, Callable[[TextIO, range], None]] = {
    "json": as_json,
    "xml": as_xml,
    "csv": as_csv,
    "queue_log": as_queue_log,
}


def write(folder: Path, form: str, calls: int) -> Path:
    path = folder / f"{calls}.{form}"
    if form == "xlsx":
        workbook = Workbook(write_only=True)
        sheet = workbook.create_sheet()
        sheet.append([*row(0)])
        for number in range(calls):
            sheet.append([*row(number).values()])
        workbook.save(path)
    else:
        with path.open("w") as file:
            TEXTS[form](file, range(calls))
    return path


def start(file: Path, ingest: Ingest) -> "subprocess.Popen[bytes]":
    command = str(Path(sys.executable).parent / "richiamo")
    elsewhere = {
        "RICHIAMO_NATS_URL": "nats://127.0.0.1:1",
        "RICHIAMO_DATABASE_URL": "postgresql://127.0.0.1:1/none",
        "RICHIAMO_INGEST_PORT": str(ingest.server_address[1]),
    }
    return subprocess.Popen([command, "import", str(file)], env=os.environ | elsewhere, stderr=subprocess.PIPE)


def peak_megabytes(file: Path, ingest: Ingest) -> float:
    process = start(file, ingest)
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    return usage.ru_maxrss / 1024


@pytest.mark.parametrize("form", [*TEXTS, "xlsx"])
def test_ten_times_the_calls_take_no_more_memory(form: str, ingest: Ingest, tmp_path: Path) -> None:
    small = write(tmp_path, form, CALLS)
    times = 10 if not SOAK or form == "xlsx" else HALF_A_GIGABYTE // small.stat().st_size
    few = peak_megabytes(small, ingest)
    bodies = ingest.bodies
    large = write(tmp_path, form, CALLS * times)
    many = peak_megabytes(large, ingest)
    print(f"{form}: {few:.0f} MB for {small.stat().st_size:,} bytes, {many:.0f} MB for {large.stat().st_size:,}")
    assert ingest.bodies - bodies >= (bodies - 2) * times
    assert many - few < SPARE_MEGABYTES


def test_what_was_interrupted_is_repeated(ingest: Ingest, tmp_path: Path) -> None:
    file = write(tmp_path, "json", 2_000)
    ingest.go_on.clear()
    process = start(file, ingest)
    assert ingest.busy.wait(30)
    process.send_signal(signal.SIGINT)
    ingest.go_on.set()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert len(ingest.seen) < 2_000
    assert peak_megabytes(file, ingest) > 0
    assert len(ingest.seen) == 2_000
