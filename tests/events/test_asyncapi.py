"""Is the published description of the event streams true? Valid AsyncAPI, up to date, and every frozen event fits it."""

import asyncio
import json
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from richiamo_events import wire
from richiamo_events.ids import CallerId
from richiamo_kit import asyncapi
from richiamo_queue.changes import Changes
from tests.kit.events import shown

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "asyncapi.json"
CHECK = Path(sysconfig.get_path("scripts")) / "check-jsonschema"


def problems(schema: Path, instance: Path) -> str:
    """What does not fit, in words; empty when all does."""
    done = subprocess.run([CHECK, "--schemafile", schema, instance], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode else ""


def test_it_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == asyncapi.page(), "run make asyncapi"


def test_it_is_valid_asyncapi() -> None:
    assert problems(HERE / "asyncapi-3.0.0.schema.json", DOCUMENT) == ""


def test_every_reference_leads_somewhere() -> None:
    document = asyncapi.document()

    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [found for one in part.values() for found in references(one)]
        return [found for one in part for found in references(one)] if isinstance(part, list) else []

    for reference in references(document):
        there: Any = document
        for name in reference.removeprefix("#/").split("/"):
            assert name in there, reference
            there = there[name]


def test_every_type_of_the_log_is_in_it_on_a_channel() -> None:
    document = asyncapi.document()
    on_channels = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert set(wire.TYPES) <= on_channels == set(document["components"]["messages"])
    assert {
        name: one["x-dataversion"] for name, one in document["components"]["messages"].items() if name in wire.TYPES
    } == {name: newest for name, (_, newest) in wire.TYPES.items()}


def test_it_says_who_may_write_and_read() -> None:
    operations = asyncapi.document()["operations"]
    assert {"ingest-send-caller", "queue-send-caller", "callback-tracker-receive-call-records"} <= set(operations)
    assert {"gateway-send-operator", "gateway-send-settings", "queue-send-changes", "gateway-receive-changes"} <= set(
        operations
    )
    assert not {"reporting-send-caller", "gateway-send-caller", "gateway-receive-call-records"} & set(operations)


@pytest.mark.parametrize("broken", [False, True])
def test_every_frozen_event_its_headers_and_a_change_fit_it(tmp_path: Path, broken: bool) -> None:
    document = asyncapi.document()
    messages = document["components"]["messages"]
    told: list[bytes] = []

    async def publish(body: bytes) -> None:
        told.append(body)

    changes = Changes(publish)
    asyncio.run(_tell(changes))
    instances = {
        name: json.loads((HERE / "snapshots" / f"{name}.v{newest}.json").read_text())
        for name, (_, newest) in wire.TYPES.items()
    }
    instances |= {
        "EventHeaders": wire.encode(shown("a", "1"))[0],
        "changed": json.loads(told[0]),
        "all": json.loads(told[1]),
    }
    if broken:
        instances["caller.call_missed"]["rank"] = "legs"
    references = {name: messages[name]["payload"]["$ref"] for name in wire.TYPES}
    references |= {
        "EventHeaders": "#/components/schemas/EventHeaders",
        "changed": messages["rows_changed"]["payload"]["$ref"],
        "all": messages["rows_changed"]["payload"]["$ref"],
    }
    schema = {
        "type": "object",
        "properties": {name: {"$ref": reference} for name, reference in references.items()},
        "required": list(references),
        "additionalProperties": False,
        "components": document["components"],
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    (tmp_path / "instances.json").write_text(json.dumps(instances))
    found = problems(tmp_path / "schema.json", tmp_path / "instances.json")
    assert bool(found) is broken, found


async def _tell(changes: Changes) -> None:
    await changes.tell(7, frozenset({CallerId("a")}))
    await changes.tell(8, None)
