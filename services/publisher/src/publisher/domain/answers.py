"""What a person can say about a publication that waits for one, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

from contracts.scheduler import WHEN_MISSED_HOLD
from kit.problems import Conflict, Invalid
from platforms.registry import POST_HOSTS

from publisher.domain.publication import Publication, State

WINDOW_ANEW = timedelta(hours=1)
"""Who lets a post go out late means now; it is not retried for days."""

ANSWER_UNTIL = timedelta(days=7)
"""Later nobody tells an old post from a repeated one, and what the platforms keep of an upload is long gone."""

TOLD_BY_PERSON = "told_by_person"
TRIED_AGAIN = "tried_again_by_person"
GIVEN_UP = "given_up_by_person"


class Answer(StrEnum):
    """`is_there`: the post can be seen. `try_again`: it cannot, let it go out now. `give_up`: it shall not go out."""

    IS_THERE = "is_there"
    TRY_AGAIN = "try_again"
    GIVE_UP = "give_up"


ANSWERS: Mapping[State, frozenset[Answer]] = MappingProxyType(
    {
        State.NEEDS_ATTENTION: frozenset(Answer),
        State.MISSED: frozenset({Answer.TRY_AGAIN, Answer.GIVE_UP}),
        State.FAILED: frozenset({Answer.TRY_AGAIN}),
    }
)
"""Where a person is asked, and what may be answered. Nowhere else is there anything to decide."""


class NothingToDecide(Conflict):
    """The publication went on, or this answer does not fit where it stands."""

    code = "nothing-to-decide"
    title = "The publication does not wait for this answer"


class AnswerTooLate(Conflict):
    code = "answer-too-late"
    title = "This post is too old to try again; schedule it anew"


class PostElsewhere(Invalid):
    """Whose account it is on cannot be told by an address alone."""

    code = "post-elsewhere"
    title = "This is not the address of a post on its platform"


def answers_to(publication: Publication, now: datetime) -> frozenset[Answer]:
    """What a person may answer now."""
    fitting = ANSWERS.get(publication.state, frozenset())
    return fitting - {Answer.TRY_AGAIN} if now > publication.due_at + ANSWER_UNTIL else fitting


def answered_by_person(publication: Publication, answer: Answer, now: datetime, *, url: str | None) -> Publication:
    """What becomes of it. Raises `NothingToDecide`, `AnswerTooLate`, `PostElsewhere`."""
    if answer not in ANSWERS.get(publication.state, frozenset()):
        raise NothingToDecide()
    if answer not in answers_to(publication, now):
        raise AnswerTooLate()
    if url is not None:
        _check_address(publication.platform, url)
    match answer:
        case Answer.IS_THERE:
            return publication.become(
                State.PUBLISHED,
                code=TOLD_BY_PERSON,
                published_at=publication.attempted_at or now,
                url=url,
                # The platform may tell its id by now, without which it is neither measured nor taken off.
                next_at=now,
            )
        case Answer.TRY_AGAIN:
            # The journal remembers what is out of a thread: it goes on behind it.
            again = publication.become(State.STAGING, code=TRIED_AGAIN, due=True, next_at=now, failures=0)
            return replace(
                again,
                forgiven=publication.attempts,
                publish_until=max(publication.window_ends_at, now + WINDOW_ANEW),
                when_missed=WHEN_MISSED_HOLD,
            )
        case Answer.GIVE_UP:
            return publication.become(State.FAILED, code=GIVEN_UP, next_at=None)


def _check_address(platform: str | None, url: str) -> None:
    """Members follow it, so it leads to the platform, also in a browser, which takes a backslash for a slash."""
    hosts = POST_HOSTS.get(platform or "", ())
    try:
        address = urlsplit(url.replace("\\", "/"))
        host = address.hostname or ""
    except ValueError:
        host = ""
    fits = any(host == each or host.endswith("." + each) for each in hosts)
    if not fits or not address.path.strip("/"):
        detail = f"Posts of this platform are seen at {', '.join(hosts)}."
        raise PostElsewhere(detail, errors=[{"pointer": "/url", "detail": detail}])
