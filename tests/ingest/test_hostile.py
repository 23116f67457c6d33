"""Does every reader at the PBX's edge bear every hostile body, in bounded memory and with a sentence that says where?

Each body is read in a process of its own, whose memory is measured: from before the body is made until it is read.
"""

import multiprocessing
import os
import re
import resource
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from richiamo_ingest.kalliope.notification import read_notification
from tests.ingest.hostile import FORMS, MB, NOW, READERS, said

SOAK = float(os.environ.get("RICHIAMO_SOAK_SECONDS", "5")) >= 600
PEAK_MEGABYTES = 96
"""Of the body and what is made of it; a body over HTTP has 8 MB, a file without end 64."""
SPARE_BYTES = 1 << 30
READ = r"\A\Z"
"""Nothing is refused: what the fault is about is put right or let be."""

WORDS: Mapping[str, Mapping[str, str]] = {
    "notice as JSON": {
        "a list": "is a list",
        "broken off": "begins like JSON but is not: .*line 1 column",
        "too deep": "nested too deep",
        "too long a field": "unique_id is longer than 128",
        "NUL": "control character at: line 1 column",
        "another code page": READ,
    },
    "notice as XML": {
        "broken off": "not XML: .*line 1, column",
        "too deep": "not XML: .*line 1, column",
        "too long a field": "unique_id is longer than 128",
        "entities": "not XML: .*entity",
        "NUL": "not XML: .*line 1, column",
        "another code page": READ,
    },
    "notice as AVP": {
        "no pairs": "neither JSON nor XML nor attribute-value pairs",
        "too many fields": "neither JSON nor XML nor attribute-value pairs",
        "too long a field": "unique_id is longer than 128",
        "NUL": READ,
        "another code page": "neither JSON nor XML nor attribute-value pairs",
        "UTF-16": "neither JSON nor XML nor attribute-value pairs",
    },
    "JSON": {
        "empty": "empty|neither JSON",
        "broken off": "Call 2 of the JSON ends or breaks in the middle",
        "too deep": "Call 1 of the JSON is nested too deep",
        "a call without end": "Call 1 of the JSON ends or breaks in the middle",
        "an object without end": "no array of calls, and larger than|not: .*line 1 column",
        "too many fields": "[01]: The call has more than 500 fields",
        "a dense call": READ,
        "too many rows": "more than 200,000 rows",
        "too long a field": "0: The unique_id is longer than 128",
        "NUL": "Call 1 of the JSON ends or breaks in the middle",
        "another code page": READ,
        "UTF-16": "UTF-16",
        "two arrays": "Something follows the array",
    },
    "XML": {
        "broken off": "not XML: .*line 1, column",
        "too deep": "deeper than 16 elements, on line 1",
        "a call without end": "No call ends within 524,288 bytes after byte 0",
        "elements without a call": "20,000 elements hold no call, up to line 1",
        "comments without end": "No call ends within",
        "attributes without end": "No call ends within",
        "too many fields": "0: The call has more than 500 fields",
        "too many names": "more than 2,000 different names, on line 1",
        "too many rows": "more than 200,000 rows",
        "too long a field": "0: The unique_id is longer than 128",
        "entities": "document type or entities",
        "a document type": "document type or entities",
        "a file of the server": "document type or entities",
        "NUL": "not XML: .*line 1, column",
        "another code page": "not XML: .*encoding, line 1, column",
        "an encoding that lies": "not XML: .*line 1, column",
    },
    "CSV": {
        "no names": "first line names no unique_id",
        "a line without end": "begins on line 3 is longer than 65,536",
        "names without end": "begins on line 1 is longer than 65,536",
        "a quotation without end": "begins on line 2 is longer than .* a quotation mark may be missing",
        "a row of many lines": "begins on line 2 is longer than 65,536",
        "too many fields": "Line 2 has 601 columns",
        "too many rows": "more than 200,000 rows",
        "too long a field": "0: The unique_id is longer than 128",
        "NUL": READ,
        "another code page": READ,
        "UTF-16": "UTF-16",
    },
    "XLSX": {
        "broken off": "is not, or is damaged",
        "a bomb": "unreasonable size",
        "too many parts": "1,107 parts; 1,000 are the most",
        "styles without end": "xl/styles.xml of the workbook is larger than",
        "too many texts": "more than 1,000,000 texts",
        "texts too large": "texts are larger than",
        "a text without end": "No text ends within",
        "a row without end": "No row ends within",
        "a cell without end": "No row ends within",
        "no row without end": "No row ends within",
        "too many fields": "Row 1 has 600 columns",
        "a far column": "Row 1 has a cell in column 16,384",
        "a far row": "No row of the first sheet names",
        "too many rows": "more than 1,048,576 rows",
        "entities": "damaged|entities",
        "a document type": "document type or entities",
        "texts that are not there": "is not, or is damaged",
    },
    "queue_log": {
        "broken off": "(2|line 3): This is no whole line of queue_log",
        "a line without end": "(2|line 3): The line is longer than 8192",
        "too many fields": "(2|line 3): The line is longer than 8192",
        "too many rows": "more than 200,000 lines",
        "too long a field": "(2|line 3): The callid is longer than 128",
        "NUL": READ,
        "another code page": READ,
        "UTF-16": "(0|line 1): This is no whole line of queue_log",
    },
    "Master.csv": {
        "broken off": "(1|line 2): The line has 10 of",
        "a line without end": "(1|line 2): The line is longer than 8192",
        "a quotation without end": "(1|line 2): The (line|record) has",
        "too many fields": "(1|line 2): The line is longer than 8192",
        "too long a field": "(1|line 2): The uniqueid is longer than 128",
        "NUL": READ,
        "another code page": READ,
    },
    "AMI": {
        "empty": READ,
        "broken off": READ,
        "a line without end": "a line without an end",
        "too many fields": "a message without an end",
        "a message without end": "a message without an end",
        "too long a field": "unique_id is longer than 128",
        "NUL": READ,
        "another code page": READ,
        "many channels": READ,
    },
}
STREAMED = {
    ("file, JSON", "too many rows"): "0: The unique_id of the call is missing",
    ("file, XML", "too many rows"): READ,
    ("file, CSV", "too many rows"): READ,
    ("file, queue_log", "too many rows"): READ,
}
"""A file may be of any length: it is sent on in parts."""
LONG = {
    *((reader, "too many rows") for reader in ("records, XML", "records, CSV", "file, XML", "file, CSV", "file, XLSX")),
    ("file, XLSX", "too many texts"),
}
"""Some seconds each: by `make soak`."""

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.ingest.hostile"])


def measured(reader: str, fault: str, folder: Path, answer: Connection) -> None:
    """Read one body; answer what was refused of it and the bytes that it took."""
    pages, resident = (int(shown) for shown in Path("/proc/self/statm").read_text().split()[:2])
    most = pages * resource.getpagesize() + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    words = said(reader, fault, folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    answer.send((words, peak - resident * resource.getpagesize()))


def grown(answer: Connection) -> None:
    """Read names that were never seen before, again and again; answer by how many bytes the process grew."""
    before = after = 0
    for body in range(200):
        names = "".join(f"<n{body}x{number}/>" for number in range(5_000))
        read_notification(f"<a>{names}</a>".encode(), {}, pbx="main", received_at=NOW)
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        before, after = before or resident, resident
    answer.send(after - before)


def test_names_that_are_not_seen_again_are_forgotten() -> None:
    ours, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=grown, args=(theirs,))
    process.start()
    theirs.close()
    taken = ours.recv()
    process.join()
    assert taken < 16 * MB, f"{taken / MB:.0f} MB"


def test_every_fault_of_every_form_has_its_words() -> None:
    assert {form: set(bodies) for form, bodies in FORMS.items()} == {form: set(words) for form, words in WORDS.items()}


@pytest.mark.parametrize(
    ("reader", "fault"),
    [
        (reader, fault)
        for reader, (form, _) in READERS.items()
        for fault in FORMS[form]
        if SOAK or (reader, fault) not in LONG
    ],
)
def test_it_is_refused_in_words_and_in_bounded_memory(reader: str, fault: str, tmp_path: Path) -> None:
    words = STREAMED.get((reader, fault)) or WORDS[READERS[reader][0]][fault]
    ours, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=measured, args=(reader, fault, tmp_path, theirs))
    process.start()
    theirs.close()
    refused, taken = ours.recv()
    process.join()
    assert re.search(words, refused), refused
    assert taken < PEAK_MEGABYTES * MB, f"{taken / MB:.0f} MB"
