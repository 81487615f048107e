"""Each row of Facebook's error table, for a step that shows nothing and for the one that shows the post."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from platforms.errors import (
    Misconfigured,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReauthorisationNeeded,
    Rejected,
    Transient,
)
from platforms.facebook.errors import FACEBOOK_ERRORS
from platforms.meta.errors import ERRORS, Key, graph_error
from platforms.wire import Answer

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
Kinds = tuple[type[PlatformError], type[PlatformError]]
WAIT: Kinds = (RateLimited, RateLimited)
AUTHORISE: Kinds = (ReauthorisationNeeded, ReauthorisationNeeded)
REJECT: Kinds = (Rejected, Rejected)
REPEAT: Kinds = (Transient, Transient)
UNCLEAR: Kinds = (Transient, OutcomeUnknown)
LOOK: Kinds = (Rejected, OutcomeUnknown)
OPERATOR: Kinds = (Misconfigured, Misconfigured)

# Written from the sheet a second time, so that a slip in either is seen.
EXPECTED: dict[Key, Kinds] = {
    (1, None): UNCLEAR,
    (2, None): UNCLEAR,
    (3, None): OPERATOR,
    (101, None): OPERATOR,
    **{(code, None): WAIT for code in (4, 17, 32, 341, 613, 80001, 80002)},
    **{(code, None): AUTHORISE for code in (10, 102, 190, *range(200, 300))},
    **{(code, sub): AUTHORISE for code in (102, 190) for sub in (458, 459, 460, 463, 464, 467, 492)},
    **dict.fromkeys(((100, None), (100, 33), (368, None), (803, None), (1609005, None), (None, 1609005)), REJECT),
    (506, None): LOOK,
    (None, 1366051): LOOK,
    **{(code, None): REJECT for code in (324, 352, 382)},
    **{(code, None): REPEAT for code in (389, 6000, 6001)},
    **{(None, sub): REPEAT for sub in (1363019, 1363021, 1363030, 1363033, 1363037, 1363041, 1363045)},
    **{(None, sub): REJECT for sub in (1363022, 1363023, 1363024, 1363025, 1363026, 1363031, 1363032)},
    **{(None, sub): AUTHORISE for sub in (1363005, 1363042)},
    **{(None, sub): REJECT for sub in (1346003, 1349125, 1363047, 1366046, 1390008, 1609008, 1609010, 2061006)},
    **{(None, sub): REJECT for sub in (1404006, 1404078, 1404102, 1404112, 4854002)},
}


def error_of(key: Key, *, visible: bool, status: int = 400) -> PlatformError:
    code, subcode = key
    body = {"code": 100 if code is None else code, "message": "EAABtoken", "fbtrace_id": "Axyz"}
    if subcode is not None:
        body["error_subcode"] = subcode
    return graph_error(
        Answer(status, httpx.Headers(), httpx.Response(status, json={"error": body}).content),
        FACEBOOK_ERRORS,
        now=NOW,
        visible=visible,
    )


def test_the_expectations_cover_the_whole_table() -> None:
    assert set(EXPECTED) == set(FACEBOOK_ERRORS)
    assert set(ERRORS) <= set(FACEBOOK_ERRORS)


@pytest.mark.parametrize("key", EXPECTED, ids=str)
def test_each_code_means_what_the_table_says(key: Key) -> None:
    unseen, visible = error_of(key, visible=False), error_of(key, visible=True)
    assert (type(unseen), type(visible)) == EXPECTED[key]
    assert "EAABtoken" not in str(visible)
    assert "Axyz" in visible.detail
    if isinstance(unseen, Rejected):
        assert unseen.advice


def test_the_code_decides_and_not_the_status() -> None:
    assert isinstance(error_of((80001, None), visible=True, status=500), RateLimited)
    assert isinstance(error_of((190, 463), visible=True, status=200), ReauthorisationNeeded)
