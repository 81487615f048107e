"""How a person says which dead letters are meant. Imports little: the command reads it at every start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from cyclopts import Parameter, validators

IDS_MAX = 1_000
"""More than one types. Each is looked up by itself; who means more uses a filter."""


def _duration(_: Any, tokens: Sequence[Any]) -> timedelta:
    from kit.settings import SettingError, read_duration  # noqa: PLC0415

    try:
        return read_duration(tokens[0].value)
    except SettingError as error:
        raise ValueError(str(error)) from None


def _token(_: Any, value: str | None) -> None:
    if value is not None and not (value.isascii() and value.replace("-", "").isalnum()):
        raise ValueError("a consumer is called like publisher-auth")


Age = Annotated[timedelta | None, Parameter(converter=_duration)]
LetterId = Annotated[int, Parameter(validator=validators.Number(gte=1))]


@Parameter(name="*")
@dataclass(frozen=True)
class LetterFilters:
    """Which dead letters are meant; without any, all of them."""

    consumer: Annotated[str | None, Parameter(validator=_token)] = None
    """Parked by this consumer: publisher-auth."""
    event: Annotated[str | None, Parameter(name="--type")] = None
    """Of this type: post.approved.v1, or post.approved for every version."""
    workspace: UUID | None = None
    """About this workspace (or account, or erasure): the key in the list."""
    older_than: Age = None
    """Parked at least so long ago: 2d, 12h, 90m or 45s."""
    newer_than: Age = None
    """Parked at most so long ago."""


NO_FILTERS = LetterFilters()
