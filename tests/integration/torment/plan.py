"""What is posted where, what each platform does to it, and who is killed when: all of it follows from one seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, cycle, islice
from typing import Any

from tests.integration.chaos.plan import NATS, POSTGRES

PUBLISHERS = ("publisher", "publisher-2")
OFTEN = ("scheduler", *PUBLISHERS, NATS, POSTGRES)
NOW_AND_THEN = ("auth", "content")
NOW_AND_THEN_SHARE = 0.2
SECOND_VICTIM_SHARE = 0.25
AGAIN_SHARE = 0.2

PAUSE_SECONDS_MAX = 3.0
"""From the moment a few posts are scheduled to the strike: they are staged, due or at their visible step by then."""

DOWN_SECONDS_MAX = 1.5
AGAIN_SECONDS_MAX = 1.0
AHEAD_SECONDS_MAX = 6
"""A post is due at once, or so much later: then it is staged before."""

POSTS_PER_STRIKE = 3

ACCOUNTS = {
    "tiktok": 8,
    "instagram": 2,
    "facebook": 1,
    "threads": 1,
    "x": 2,
    "linkedin": 1,
    "youtube": 1,
    "bluesky": 1,
    "pinterest": 1,
}
"""As many as it takes to post everything within a day's limits of an account."""

POSTS_MAX = {"tiktok": 8 * 14, "instagram": 2 * 45, "youtube": 95, "linkedin": 140, "x": 190, "threads": 240}
"""What one day allows of all accounts; later posts leave the platform out."""

LAST_STEPS = {
    "tiktok": "PUT /video/*",
    "instagram": "POST /*/media_publish*",
    "facebook": "POST /v*/feed*",
    "threads": "POST /*/threads_publish*",
    "x": "POST /2/tweets",
    "linkedin": "POST /rest/posts*",
    "youtube": "PUT /youtube/v3/videos*",
    "bluesky": "POST /xrpc/com.atproto.repo.putRecord",
    "pinterest": "POST /v5/pins",
}
"""The requests that make a post visible."""

FAULT_SHARES = {
    "reset_before": 0.09,
    "reset_after": 0.09,
    "answer": 0.06,
    "answer_after": 0.05,
    "too_many": 0.05,
    "delay": 0.06,
    "delay_after": 0.05,
    "expire_token": 0.02,
}
"""How often each strikes a visible step; the rest of them is left alone."""

DELAY_SECONDS_MAX = 1.5


@dataclass(frozen=True)
class Variant:
    """One publication to come. Its text is nobody else's. `account` is the number of the platform's account."""

    platform: str
    account: int
    text: str


@dataclass(frozen=True)
class Post:
    """What is scheduled at once, and how long before its time."""

    number: int
    variants: tuple[Variant, ...]
    ahead_seconds: int


@dataclass(frozen=True)
class Fault:
    """What hits a visible step, after `skip` that pass. `name` is one of `FAULT_SHARES`, `kind` the sandbox's."""

    name: str
    kind: str
    skip: int
    details: dict[str, Any]


@dataclass(frozen=True)
class Strike:
    """Who is killed, how long after the posts before it were scheduled, and for how long."""

    victims: tuple[str, ...]
    after_seconds: float
    down_seconds: float
    again_after_seconds: float | None

    def __str__(self) -> str:
        again = f", and again after {self.again_after_seconds:.2f} s" if self.again_after_seconds else ""
        return f"{' + '.join(self.victims):<24} after {self.after_seconds:.2f} s, down {self.down_seconds:.2f} s{again}"


@dataclass(frozen=True)
class Plan:
    """One run. The seed decides everything but how the machine's processes race each other."""

    seed: int
    posts: tuple[Post, ...]
    faults: dict[str, tuple[Fault, ...]]
    strikes: tuple[Strike, ...]

    @property
    def publications(self) -> int:
        return sum(len(post.variants) for post in self.posts)

    @property
    def posted(self) -> Counter[str]:
        """How many publications there are on each platform."""
        return Counter(variant.platform for post in self.posts for variant in post.variants)

    @property
    def kills(self) -> Counter[str]:
        """How often each is killed."""
        return Counter(
            victim
            for strike in self.strikes
            for victim in strike.victims * (1 if strike.again_after_seconds is None else 2)
        )

    def met(self, platform: str, steps: int) -> tuple[Fault, ...]:
        """The faults that so many visible steps at a platform meet."""
        reached = accumulate(fault.skip + 1 for fault in self.faults[platform])
        return tuple(fault for fault, at in zip(self.faults[platform], reached, strict=True) if at <= steps)

    @classmethod
    def of(
        cls,
        seed: int,
        *,
        publications: int,
        posts_per_strike: int = POSTS_PER_STRIKE,
        platforms_per_post: int = len(ACCOUNTS),
    ) -> Plan:
        chance = random.Random(seed)
        posts = tuple(_posts(chance, seed, publications, platforms_per_post))
        return cls(
            seed=seed,
            posts=posts,
            faults={platform: tuple(_faults(chance, len(posts))) for platform in LAST_STEPS},
            strikes=tuple(_strikes(chance, -(-len(posts) // posts_per_strike))),
        )

    def rounds(self) -> Iterator[tuple[Sequence[Post], Strike]]:
        """The posts that are scheduled, and the strike that meets them."""
        each = -(-len(self.posts) // len(self.strikes))
        for number, strike in enumerate(self.strikes):
            yield self.posts[number * each : (number + 1) * each], strike


def _posts(chance: random.Random, seed: int, publications: int, width: int) -> Iterator[Post]:
    """Posts for `width` platforms each, all platforms in turn."""
    number, left, turns = 0, publications, cycle(ACCOUNTS)
    while left > 0:
        open_ = [name for name in islice(turns, width) if number < POSTS_MAX.get(name, publications)][:left]
        variants = tuple(
            Variant(name, number % ACCOUNTS[name], f"{name} {number} of {seed}, {chance.getrandbits(48):012x}")
            for name in open_
        )
        ahead = chance.choice((0, chance.randint(1, AHEAD_SECONDS_MAX)))
        yield Post(number, variants, ahead)
        number, left = number + 1, left - len(variants)


def _faults(chance: random.Random, steps: int) -> Iterator[Fault]:
    skip = 0
    names, shares = list(FAULT_SHARES), list(FAULT_SHARES.values())
    for _ in range(steps):
        if chance.random() >= sum(shares):
            skip += 1
            continue
        name = chance.choices(names, weights=shares)[0]
        yield _fault(name, skip, chance)
        skip = 0


def _fault(name: str, skip: int, chance: random.Random) -> Fault:
    match name:
        case "too_many":
            headers = {"Retry-After": "2", "ratelimit-reset": "0", "x-rate-limit-reset": "0"}
            return Fault(name, "answer", skip, {"status": 429, "headers": headers})
        case "answer" | "answer_after":
            return Fault(name, name, skip, {"status": 500})
        case "delay" | "delay_after":
            return Fault(name, name, skip, {"delay_seconds": chance.uniform(0.1, DELAY_SECONDS_MAX)})
        case _:
            return Fault(name, name, skip, {})


def _strikes(chance: random.Random, count: int) -> Iterator[Strike]:
    drawn: list[str] = []
    for _ in range(count):
        drawn = drawn or chance.sample(OFTEN, len(OFTEN))
        victims = [chance.choice(NOW_AND_THEN) if chance.random() < NOW_AND_THEN_SHARE else drawn.pop()]
        if chance.random() < SECOND_VICTIM_SHARE:
            victims.append(chance.choice([name for name in OFTEN if name not in victims]))
        yield Strike(
            victims=tuple(victims),
            after_seconds=chance.uniform(0, PAUSE_SECONDS_MAX),
            down_seconds=chance.uniform(0, DOWN_SECONDS_MAX),
            again_after_seconds=chance.uniform(0, AGAIN_SECONDS_MAX) if chance.random() < AGAIN_SHARE else None,
        )
