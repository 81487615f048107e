"""The base of every event: immutable facts in the body, everything about the delivery in the headers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time in an event has an offset")
    return value


Instant = Annotated[datetime, AfterValidator(_aware)]
"""A point in time with an offset, RFC 3339 on the wire."""

Word = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
"""A short machine-readable word such as a reason, a platform or an error code. Never free text."""


class Event(BaseModel):
    """Something that has happened. Carries ids, states and times; never content, tokens, addresses or names.

    Unknown fields are ignored on reading, so that a newer producer may add optional ones.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_timedelta="float")

    type: ClassVar[str]
    version: ClassVar[int]
    owner: ClassVar[str]
    key_field: ClassVar[str]
    aggregate_field: ClassVar[str]

    @classmethod
    def name(cls) -> str:
        """The full name, which is also the CloudEvents type: `post.approved.v1`."""
        return f"{cls.type}.v{cls.version}"

    @classmethod
    def filter_subject(cls) -> str:
        """The subject that matches this event for every key."""
        return f"{cls.name()}.*"

    def subject(self) -> str:
        """Where this event is published. The last token lets a stream be purged of one workspace."""
        return f"{self.name()}.{self.key()}"

    def key(self) -> UUID:
        """The workspace the event belongs to; the account or erasure where there is no workspace."""
        return self._id(self.key_field)

    def aggregate(self) -> UUID:
        """The thing the event is about. Events of one aggregate are delivered in order."""
        return self._id(self.aggregate_field)

    def _id(self, field: str) -> UUID:
        value = getattr(self, field)
        if not isinstance(value, UUID):
            raise TypeError(f"{self.name()}.{field} is not an id")
        return value
