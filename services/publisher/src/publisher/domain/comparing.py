"""The comparisons of an audit. Pure, and nothing of the state machine is used."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from platforms.shape import Shown

from publisher.domain.auditing import (
    ENDS,
    NOT_OUT,
    OVERDUE,
    SETTLED,
    Booked,
    Difference,
    Due,
    Kind,
    Seen,
    Told,
    difference,
)

CUT_TEXT_MIN = 100
"""A listed text of so many letters may be the beginning of ours."""


def compare_plan(due: Iterable[Due], booked: Mapping[tuple[UUID, UUID], Booked], now: datetime) -> Iterator[Difference]:
    """What was to go out, against what we hold for it."""
    for target in due:
        found = booked.get((target.schedule_id, target.connection_id))
        if target.schedule_state == "paused":
            continue
        if target.schedule_state == "scheduled":
            yield _of_target(Kind.NOT_ANNOUNCED, target, "its time has passed and nobody was told")
        elif found is None:
            if target.state != "cancelled":
                yield _of_target(Kind.NO_PUBLICATION, target, f"scheduler has {target.state}, publisher has nothing")
        elif found.state in ENDS and found.state != target.state and found.changed_at < now - SETTLED:
            yield difference(Kind.TOLD_OTHERWISE, found, f"scheduler has {target.state}, publisher {found.state}")


def compare_rows(rows: Iterable[Booked], planned: Collection[tuple[UUID, UUID]]) -> Iterator[Difference]:
    """Our own account, against the plan and itself. `planned` has every schedule of the same period."""
    for row in rows:
        if (row.schedule_id, row.connection_id) not in planned:
            yield difference(Kind.NO_SCHEDULE, row, f"publisher has {row.state}, scheduler has nothing")
        proof = row.platform_post_id or row.evidence or row.code == "told_by_person"
        if row.state == "published" and row.connected and not proof:
            yield difference(Kind.NO_RECEIPT, row, "published, with nothing from the platform to prove it")


def is_late(row: Booked, now: datetime) -> bool:
    """Whether something that has not ended should have."""
    return now > row.last_moment + OVERDUE


def compare_open(rows: Iterable[Booked], plan: Iterable[Due], now: datetime) -> Iterator[Difference]:
    """What is late, however old it is, and is not paused by a person. `plan` has what scheduler says of it."""
    paused = {(each.schedule_id, each.connection_id) for each in plan if each.schedule_state == "paused"}
    for row in rows:
        if (row.schedule_id, row.connection_id) not in paused:
            late = _days(now - row.last_moment)
            yield difference(Kind.STUCK, row, f"still {row.state}, {late} after its last moment")


def missing_posts(rows: Iterable[Booked], listed: Collection[str]) -> list[str]:
    """The posts of receipts that a list does not show, so that they have to be asked for one by one."""
    return [
        row.platform_post_id
        for row in rows
        if row.state == "published" and row.platform_post_id and row.platform_post_id not in listed
    ]


def compare_receipts(
    rows: Iterable[Booked], told: Mapping[UUID, Told], seen: Seen, now: datetime
) -> Iterator[Difference]:
    """What our receipts of one connection name, against what the platform shows."""
    there = {post.post_id for post in seen.posts} | seen.counted
    by_post = defaultdict(list)
    for row in rows:
        if row.state != "published" or row.platform_post_id is None:
            continue
        post_id = row.platform_post_id
        by_post[post_id].append(row)
        if not row.settled(now):
            continue
        if row.removal == "removed" and post_id in there:
            yield difference(Kind.NOT_REMOVED, row, "removed here, and the platform shows it", post_id)
        elif row.removal != "removed" and post_id not in there and not _passes(row, told):
            yield difference(Kind.POST_MISSING, row, "published here, and the platform shows it no more", post_id)
    for post_id, sharing in by_post.items():
        for row in sharing if len(sharing) > 1 else ():
            yield difference(Kind.SHARED, row, f"{len(sharing)} publications name the same post", post_id)


def compare_posts(
    rows: Sequence[Booked], told: Mapping[UUID, Told], posts: Iterable[Shown], claimed: Collection[str]
) -> Iterator[Difference]:
    """What the platform shows of one connection around our publications, against what we know to be ours.

    `claimed` has every name in any receipt of the connection. Of a post that says what a publication of ours says, and
    that no receipt names, one for each name that was never told is taken to be it.
    """
    unnamed = Counter({row.publication_id: row.unnamed for row in rows if row.state == "published"})
    for post in posts:
        if is_claimed(post.post_id, claimed):
            continue
        row = next((row for row in rows if row.around(post.posted_at) and _says(row, told, post)), None)
        if row is None:
            continue
        if row.state in NOT_OUT:
            yield difference(Kind.UNCLAIMED, row, f"{row.state} here, and the platform has such a post", post.post_id)
        elif row.state == "published" and unnamed[row.publication_id] > 0:
            unnamed[row.publication_id] -= 1
        elif row.state == "published":
            names = (row.platform_post_id or "", post.post_id)
            yield difference(Kind.DOUBLE, row, "the platform has another post that says the same", *names)


def strangers(rows: Sequence[Booked], posts: Iterable[Shown], claimed: Collection[str]) -> int:
    """How many posts around ours are not ours: all that is kept of them."""
    near = (post for post in posts if any(row.around(post.posted_at) for row in rows))
    return sum(not is_claimed(post.post_id, claimed) for post in near)


def is_claimed(post_id: str, claimed: Collection[str]) -> bool:
    """Whether a receipt names the post, be it by the end of its address."""
    return post_id in claimed or "/".join(post_id.rsplit("/", 2)[-2:]) in claimed


def _of_target(kind: Kind, target: Due, detail: str) -> Difference:
    return Difference(
        kind, target.workspace_id, detail, schedule_id=target.schedule_id, connection_id=target.connection_id
    )


def _says(row: Booked, told: Mapping[UUID, Told], post: Shown) -> bool:
    known, theirs = told.get(row.publication_id), letters(post.text)
    ours = [letters(text) for text in known.texts] if known else []
    return any(mine == theirs or _begins(mine, theirs) for mine in ours if mine)


def _passes(row: Booked, told: Mapping[UUID, Told]) -> bool:
    known = told.get(row.publication_id)
    return known is not None and known.passing


def _begins(mine: str, theirs: str) -> bool:
    return len(theirs) >= CUT_TEXT_MIN and mine.startswith(theirs)


def letters(text: str) -> str:
    """A text in the form that survives what platforms do to it: its letters and digits, links without their scheme."""
    plain = unicodedata.normalize("NFKC", re.sub(r"https?://", "", html.unescape(text))).casefold()
    return "".join(character for character in plain if character.isalnum())


def _days(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
