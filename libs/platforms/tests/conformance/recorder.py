"""Listens to the tests' HTTP client, and fails the test whose calls deviate."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sandbox.faults import CONTROL_PREFIX, PLANNED
from sandbox.server import Sandbox

from libs.platforms.tests.conformance.exchange import Answered, Deviation, Sent, Specification, deviations, media_type
from libs.platforms.tests.conformance.specifications import specification_of, table_of
from libs.platforms.tests.conformance.table import Difference, line_for

STRUCTURED = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/related", "")
"""What is read. Any other body is a file, perhaps a stream that can be read only once."""


class Recorder:
    """Every exchange with one platform's address, judged. Without a specification it lets everything pass."""

    def __init__(self, base_url: str, specification: Specification | None, table: Sequence[Difference]) -> None:
        self._base = urlsplit(base_url)
        self._specification = specification
        self._table = table
        self._looking = True
        self._used: set[Difference] = set()
        self.found: dict[Deviation, None] = {}
        self.exchanges = 0

    async def on_request(self, request: httpx.Request) -> None:
        if self._is_judged(request):
            self._judge(await _sent(request), None)

    async def on_answer(self, answer: httpx.Response) -> None:
        """Read the whole answer; a connection that breaks meanwhile is the client's matter, as it would be later."""
        if self._is_judged(answer.request):
            body = await answer.aread()
            if PLANNED not in answer.headers:
                self._judge(await _sent(answer.request), Answered(answer.status_code, _lower(answer.headers), body))

    @contextmanager
    def listening_to(self, client: httpx.AsyncClient) -> Iterator[None]:
        before = client.event_hooks
        client.event_hooks = {
            "request": [*before["request"], self.on_request],
            "response": [*before["response"], self.on_answer],
        }
        yield
        client.event_hooks = before

    @contextmanager
    def not_looking(self) -> Iterator[None]:
        """For calls that are wrong on purpose."""
        self._looking = False
        try:
            yield
        finally:
            self._looking = True

    def unused(self) -> list[Difference]:
        """Entries of the table that nothing so far has needed. None without a specification, which needs no table."""
        return [entry for entry in self._table if entry not in self._used] if self._specification else []

    def report(self) -> str:
        """Every deviation once, each with the line that would allow it."""
        lines = [f"{deviation}\n    {line_for(deviation)}" for deviation in self.found]
        return "\n".join([f"{len(lines)} deviations from the published specification:", *lines])

    def _is_judged(self, request: httpx.Request) -> bool:
        here = request.url.host == self._base.hostname and request.url.port == self._base.port
        return self._looking and here and not request.url.path.startswith(CONTROL_PREFIX)

    def _judge(self, sent: Sent, answered: Answered | None) -> None:
        if self._specification is None:
            return
        self.exchanges += answered is not None
        for deviation in deviations(self._specification, sent, answered):
            allowed = [entry for entry in self._table if entry.covers(deviation)]
            self._used.update(allowed)
            if not allowed:
                self.found.setdefault(deviation)


def checked(platform: str) -> tuple[Any, Any]:
    """The fixtures `http` (the shared one, checked against what this platform published) and `recorder`."""

    @pytest.fixture
    def recorder(sandbox: Sandbox) -> Recorder:
        return Recorder(sandbox.base_urls[platform], specification_of(platform), table_of(platform))

    @pytest.fixture
    async def http(http: httpx.AsyncClient, recorder: Recorder) -> AsyncIterator[httpx.AsyncClient]:
        with held_against(recorder, http):
            yield http

    return http, recorder


@contextmanager
def held_against(recorder: Recorder, client: httpx.AsyncClient) -> Iterator[None]:
    """Fail the test at the end of the block for everything that the client's calls have shown."""
    with recorder.listening_to(client):
        yield
    if recorder.found:
        pytest.fail(recorder.report(), pytrace=False)


async def _sent(request: httpx.Request) -> Sent:
    headers = _lower(request.headers)
    body: bytes | None = None
    if media_type(headers) in STRUCTURED:
        body = await request.aread()
    query = list(request.url.params.multi_items())
    return Sent(request.method, request.url.path, query, headers, body)


def _lower(headers: httpx.Headers) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}
