"""Between events and what travels: CloudEvents 1.0 in binary mode, headers for the delivery, JSON for the facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from contracts.event import Event
from contracts.registry import UnknownEvent, class_for
from pydantic import ValidationError

CONTENT_TYPE = "application/json"


class ContractError(Exception):
    """A message that is no event of ours: unknown name, missing header or a body that breaks its schema."""


def headers_of(event: Event, event_id: UUID, *, source: str, at: datetime, newest: bool = True) -> dict[str, str]:
    """The envelope of an event.

    Consumers recognise a repetition by `ce-id`, JetStream by `Nats-Msg-Id`. An older version that is told beside the
    newest shares its `ce-id`, and has a message id of its own, or the stream would drop it.
    """
    own_id, name = str(event_id), event.name()
    return {
        "Nats-Msg-Id": own_id if newest else f"{own_id}.v{event.version}",
        "ce-specversion": "1.0",
        "ce-id": own_id,
        "ce-type": name,
        "ce-source": f"/signoff/{source}",
        "ce-subject": str(event.aggregate()),
        "ce-time": at.isoformat(),
        "ce-dataschema": f"urn:signoff:schema:{name}",
        "content-type": CONTENT_TYPE,
    }


def encode(event: Event) -> bytes:
    return event.model_dump_json(exclude_none=True).encode()


def decode(headers: Mapping[str, str], body: bytes) -> Event:
    """The event a message carries; raises `ContractError`."""
    name = headers.get("ce-type")
    if not name:
        raise ContractError("the message has no ce-type header")
    try:
        return class_for(name).model_validate_json(body)
    except UnknownEvent:
        raise ContractError(f"no event is called {name}") from None
    except ValidationError as error:
        # Only where it is wrong, not what it was: the body of a stranger's message may hold anything.
        places = ", ".join(".".join(map(str, item["loc"])) or "body" for item in error.errors(include_input=False))
        raise ContractError(f"{name} is broken at {places}") from None


def event_id_of(headers: Mapping[str, str]) -> UUID:
    try:
        return UUID(headers["ce-id"])
    except (KeyError, ValueError):
        raise ContractError("the message has no valid ce-id header") from None
