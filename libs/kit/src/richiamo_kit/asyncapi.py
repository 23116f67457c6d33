"""Which events run through NATS, of what shape, and who may write and read them? As an AsyncAPI 3 document.

Made from the language of events, the stream CDR's record and the rights of the services; `make asyncapi` writes it to
`docs/asyncapi.json`. FastStream's own document knows the questions between services alone, and neither their payload
nor any event.
"""

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, get_args

from pydantic import TypeAdapter

from richiamo_events import subjects, wire
from richiamo_events.language import CallerEvent, Fact, OperatorChanged, SettingsChanged
from richiamo_events.records import RECORD
from richiamo_kit.store import access, streams
from richiamo_kit.store.memory import matches

_Json = dict[str, Any]

_SCHEMAS = "#/components/schemas/"
_RECORD = "call_record"
_CHANGE = "rows_changed"


@dataclass(frozen=True, slots=True)
class _Channel:
    """Subjects of one stream; `address` may hold one parameter, whose meaning `parameter` is."""

    address: str
    stream: str
    holds: str
    messages: Sequence[str]
    parameter: str = ""


def _types(*classes: type[Any]) -> list[str]:
    """The wire types of classes of the language, in the order of the catalogue."""
    return [name for name, (cls, _) in wire.TYPES.items() if cls in classes]


_CHANNELS: Mapping[str, _Channel] = {
    "caller": _Channel(
        f"{subjects.ROOT}.caller.{{caller}}",
        streams.EVENTS,
        "Everything about one caller who lost a call, in order. The last position on it guards the next decision.",
        _types(*get_args(CallerEvent)),
        "A random id; the number behind it is in the caller directory alone.",
    ),
    "elsewhere": _Channel(
        f"{subjects.ROOT}.elsewhere.{{share}}",
        streams.EVENTS,
        "Calls of numbers that never lost one.",
        _types(*get_args(Fact)),
        "Two hexadecimal digits: 256 subjects share these callers.",
    ),
    "withheld": _Channel(
        subjects.WITHHELD, streams.EVENTS, "Calls without a number: counted, never a caller.", _types(*get_args(Fact))
    ),
    "operator": _Channel(
        f"{subjects.OPERATORS.removesuffix('>')}{{username}}",
        streams.EVENTS,
        "Users as they are now.",
        _types(OperatorChanged),
        "The user's name.",
    ),
    "settings": _Channel(subjects.SETTINGS, streams.EVENTS, "The site's settings.", _types(SettingsChanged)),
    "call-records": _Channel(
        streams.CDR_SUBJECTS.replace(">", "{pbx}"),
        streams.CDR,
        "Call records as the PBX told them, with numbers; forgotten after the retention (45 days).",
        [_RECORD],
        "The PBX's name.",
    ),
    "changes": _Channel(
        streams.CHANGES_SUBJECT,
        streams.CHANGES,
        "Which rows of the worklist differ, after each commit of its view; in memory, for an hour.",
        [_CHANGE],
    ),
}

_TRACEPARENT = {"type": "string", "description": "W3C Trace Context, when the writer was traced"}
_HEADERS: Mapping[str, _Json] = {
    "Nats-Msg-Id": {"type": "string", "description": "Subject and `ce-id`: a repeat is stored once"},
    "ce-specversion": {"type": "string", "const": "1.0"},
    "ce-id": {"type": "string", "description": "The same for the same cause"},
    "ce-type": {"type": "string", "enum": list(wire.TYPES)},
    "ce-dataversion": {"type": "string", "description": "The version of the shape; unknown ones are refused"},
    "ce-source": {"type": "string", "const": wire.SOURCE},
    "ce-time": {"type": "string", "format": "date-time", "description": "When it happened"},
    "ce-actor": {"type": "string", "description": "A user, `system`, or `pbx:` and its name"},
    "ce-correlationid": {"type": "string", "description": "The call or the command it belongs to"},
    "ce-causationid": {"type": "string"},
    "ce-datacontenttype": {"type": "string", "const": "application/json"},
}
_MORE_HEADERS: Mapping[str, _Json] = {
    "ce-recordedtime": {
        "type": "string",
        "format": "date-time",
        "description": "When the log first took it, in a log that was restored",
    },
    "traceparent": _TRACEPARENT,
}
_ROWS_CHANGED: _Json = {
    "type": "object",
    "description": "`callers` may have other rows at `position`; with `resync` anybody may: read the lists again.",
    "properties": {
        "position": {"type": "integer", "description": "Up to where the view holds the log"},
        "callers": {"type": "array", "items": {"type": "string"}},
        "resync": {"type": "boolean"},
    },
    "required": ["position"],
    "additionalProperties": False,
}


def page() -> str:
    """`docs/asyncapi.json`."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def document() -> _Json:
    """The AsyncAPI document: channels, who sends and receives on them, and every message with its schema."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Richiamo: the event streams",
            "version": version("richiamo-events"),
            "description": (
                "What runs through NATS JetStream and may be relied upon: shapes of a version never change. Questions "
                "between services, and streams not named here, are internal. A right is what NATS allows; "
                "`docs/events.md` says which service writes which event."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "log": {
                "host": "127.0.0.1:4222",
                "protocol": "nats",
                "description": "`RICHIAMO_NATS_URL`",
                "security": [{"$ref": "#/components/securitySchemes/service"}],
            }
        },
        "channels": {name: _channel(channel) for name, channel in _CHANNELS.items()},
        "operations": dict(_operations()),
        "components": {
            "securitySchemes": {"service": {"type": "userPassword", "description": "A NATS user of each service"}},
            "messages": dict(_messages()),
            "schemas": _schemas(),
        },
    }


def _channel(channel: _Channel) -> _Json:
    described: _Json = {
        "address": channel.address,
        "description": f"{channel.holds} Stream `{channel.stream}`.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in channel.messages},
    }
    if channel.parameter:
        _, _, rest = channel.address.partition("{")
        described["parameters"] = {rest.rstrip("}"): {"description": channel.parameter}}
    return described


def _operations() -> Iterator[tuple[str, _Json]]:
    """By the rights of each service, so that the document says what NATS really lets through."""
    for service, rights in access.SERVICES.items():
        for name, channel in _CHANNELS.items():
            subject = channel.address.replace("{", "").replace("}", "")
            found = [("send", "may write")] if any(matches(right, subject) for right in rights.writes) else []
            found += [("receive", "reads")] if channel.stream in rights.reads else []
            for action, words in found:
                yield (
                    f"{service}-{action}-{name}",
                    {
                        "action": action,
                        "channel": {"$ref": f"#/channels/{name}"},
                        "title": f"{service} {words}: {name}",
                        "tags": [{"name": service}],
                    },
                )


def _messages() -> Iterator[tuple[str, _Json]]:
    for name, (cls, newest) in wire.TYPES.items():
        yield (
            name,
            {
                "name": name,
                "title": cls.__name__,
                "summary": (inspect.getdoc(cls) or "").partition("\n")[0],
                "headers": {"$ref": f"{_SCHEMAS}EventHeaders"},
                "correlationId": {"location": "$message.header#/ce-correlationid"},
                "payload": {"$ref": f"{_SCHEMAS}{cls.__name__}"},
                "x-dataversion": newest,
            },
        )
    plain = {"type": "object", "properties": {"traceparent": _TRACEPARENT}}
    yield _RECORD, {"name": _RECORD, "headers": plain, "payload": {"$ref": f"{_SCHEMAS}CallRecord"}}
    yield _CHANGE, {"name": _CHANGE, "headers": plain, "payload": {"$ref": f"{_SCHEMAS}RowsChanged"}}


def _schemas() -> _Json:
    adapters = {name: TypeAdapter(cls) for name, (cls, _) in wire.TYPES.items()} | {_RECORD: RECORD}
    _, made = TypeAdapter.json_schemas(
        [(name, "serialization", adapter) for name, adapter in adapters.items()], ref_template=f"{_SCHEMAS}{{model}}"
    )
    headers = {"type": "object", "properties": {**_HEADERS, **_MORE_HEADERS}, "required": list(_HEADERS)}
    return {**made["$defs"], "EventHeaders": headers, "RowsChanged": _ROWS_CHANGED}
