"""The AsyncAPI 3.0 document of the whole bus, derived from the registry and the topology."""

from __future__ import annotations

from typing import Any

from contracts.event import Event
from contracts.json_schema import URN_PREFIX, schema_of
from contracts.registry import EVENTS, is_told
from contracts.topology import CONSUMERS, STREAM_MAX_AGE, producers_of, stream_of

_ID = {"type": "string", "format": "uuid"}


def document() -> dict[str, Any]:
    """Channels, messages and who sends and receives what."""
    events = [EVENTS[name] for name in sorted(EVENTS)]
    return {
        "asyncapi": "3.0.0",
        "id": "urn:signoff:events",
        "info": {
            "title": "Signoff events",
            "version": "1",
            "description": "Facts that Signoff's services tell each other over NATS JetStream, as CloudEvents 1.0 in"
            f" binary mode. Streams keep them for {STREAM_MAX_AGE.days} days. Each event has a version of its own,"
            " the last part of its name.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "nats": {
                "host": "{address}",
                "protocol": "nats",
                "description": "One NATS cluster with JetStream; NATS_URL says where.",
                "variables": {"address": {"default": "127.0.0.1:4222"}},
            }
        },
        "channels": {event.name(): _channel(event) for event in events},
        "operations": _operations(events),
        "components": {
            "messages": {event.name(): _message(event) for event in events},
            "schemas": _schemas(events),
        },
    }


def _channel(event: type[Event]) -> dict[str, Any]:
    return {
        "address": f"{event.name()}.{{key}}",
        "servers": [{"$ref": "#/servers/nats"}],
        "messages": {"event": {"$ref": f"#/components/messages/{event.name()}"}},
        "parameters": {"key": {"description": f"The event's {event.key_field}."}},
        "x-jetstream-stream": stream_of(event).name,
    }


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event.name(),
        "summary": summary(event),
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/CloudEvent"},
                {
                    "properties": {
                        "ce-type": {"const": event.name()},
                        "ce-dataschema": {"const": URN_PREFIX + event.name()},
                    }
                },
            ]
        },
        "payload": {"$ref": f"#/components/schemas/{event.name()}"},
    }


def _operations(events: list[type[Event]]) -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for event in filter(is_told, events):
        for service in producers_of(event):
            operations[f"{service}.send.{event.name()}"] = _operation("send", event)
    for consumer in CONSUMERS.values():
        for event in consumer.arriving:
            operations[f"{consumer.service}.receive.{event.name()}"] = _operation("receive", event) | {
                "x-jetstream-consumer": consumer.name
            }
    return dict(sorted(operations.items()))


def _operation(action: str, event: type[Event]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{event.name()}"},
        "messages": [{"$ref": f"#/channels/{event.name()}/messages/event"}],
    }


def _schemas(events: list[type[Event]]) -> dict[str, Any]:
    schemas: dict[str, Any] = {"CloudEvent": _envelope()}
    for event in events:
        schema = schema_of(event, definitions="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        # The document is one resource; an id or dialect of its own would detach a schema from its references.
        schemas[event.name()] = {key: item for key, item in schema.items() if key not in {"$id", "$schema"}}
    return schemas


def _envelope() -> dict[str, Any]:
    fields = {
        "ce-specversion": {"const": "1.0"},
        "ce-id": _ID | {"description": "The event's id; the same id again is the same fact, be it in another version."},
        "ce-type": {"type": "string"},
        "ce-source": {"type": "string", "description": "The service that told it: `/signoff/<service>`."},
        "ce-subject": _ID | {"description": "The id of what the event is about; its events are in order."},
        "ce-time": {"type": "string", "format": "date-time"},
        "ce-dataschema": {"type": "string"},
        "content-type": {"const": "application/json"},
        "Nats-Msg-Id": {
            "type": "string",
            "description": "The ce-id, followed by `.v<N>` on an older version that is told beside the newest;"
            " JetStream drops repetitions by it.",
        },
    }
    trace = {"traceparent": {"type": "string", "description": "W3C trace context."}}
    return {"type": "object", "properties": fields | trace, "required": sorted(fields)}


def summary(event: type[Event]) -> str:
    """The first paragraph of the event's docstring, on one line."""
    return " ".join((event.__doc__ or "").split("\n\n")[0].split())
