"""What a run tells, what fails in it and what is killed when: all of it follows from one seed."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

PRODUCER, CONSUMERS = "content", ("scheduler", "publisher")
SERVICES = (PRODUCER, *CONSUMERS)
NATS, POSTGRES = "nats", "postgres"
LEADS = "leads"
"""The database sessions by whose locks processes agree which of them works, cut off as by an administrator or a
network. The processes live on, and the one that led has to notice."""

FACTS_PER_POST = 20
POSTS_AT_ONCE = 8
"""So few, that the events of one post follow each other closely: only then can a restart swap them."""

FAULTY_SHARE = 0.05
"""How many of the facts fail at a consumer, once or twice, before they succeed."""

ROUNDS_TOGETHER = 3
"""After so many rounds nothing more is told until all is quiet. As long as something comes, it also brings on what was
left lying before it; only in quiet is that seen."""

SECOND_VICTIM_SHARE = 0.3
AGAIN_SHARE = 0.2

DOWN_SECONDS_MAX = 1.5
"""How long a victim is down at most. Longer would be waiting: what piles up meanwhile is handled in no time."""

AGAIN_SECONDS_MAX = 1.0
"""How long after its start a victim is killed again: a service's start takes about as long."""


@dataclass(frozen=True)
class Commit:
    """Facts about one post that are committed together. The last fact about a post has the post's own id."""

    post_id: UUID
    fact_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class Round:
    """One strike: who is killed, at how many committed facts, and for how long."""

    after_facts: int
    victims: tuple[str, ...]
    down_seconds: float
    again_after_seconds: float | None

    def __str__(self) -> str:
        again = f", and again {self.again_after_seconds:.2f} s after that" if self.again_after_seconds else ""
        return f"{self.after_facts:>6,} facts   {' + '.join(self.victims):<26} down {self.down_seconds:.2f} s{again}"


@dataclass(frozen=True)
class Plan:
    """One run. The seed decides everything but how the machine's processes race each other."""

    seed: int
    commits: tuple[Commit, ...]
    faults: dict[str, dict[UUID, int]]
    processes: tuple[str, ...]
    rounds: tuple[Round, ...]

    @property
    def facts(self) -> int:
        return sum(len(commit.fact_ids) for commit in self.commits)

    def parts(self) -> Iterator[tuple[Sequence[Commit], Sequence[Round]]]:
        """Rounds that follow each other under load, and what is told in them."""
        left = deque(self.commits)
        told = 0
        for first in range(0, len(self.rounds), ROUNDS_TOGETHER):
            rounds = self.rounds[first : first + ROUNDS_TOGETHER]
            until = self.facts * (first + len(rounds)) / len(self.rounds)
            commits = []
            while left and told < until:
                commits.append(left.popleft())
                told += len(commits[-1].fact_ids)
            yield commits, rounds

    @classmethod
    def of(cls, seed: int, *, rounds: int, facts_per_round: int, replicas: int) -> Plan:
        """Each process is struck in turn, and each of the others as often as a service, in an order of chance."""
        chance = random.Random(seed)
        processes = tuple(f"{service}-{number}" for service in SERVICES for number in range(1, replicas + 1))
        deck = [*processes, *(NATS, POSTGRES, LEADS) * replicas]
        commits = tuple(_commits(chance, posts=-(-rounds * facts_per_round // FACTS_PER_POST)))
        fact_ids = [fact_id for commit in commits for fact_id in commit.fact_ids]
        return cls(
            seed=seed,
            commits=commits,
            faults={service: _faults(chance, fact_ids) for service in CONSUMERS},
            processes=processes,
            rounds=tuple(_rounds(chance, rounds, facts_per_round, deck)),
        )


def _commits(chance: random.Random, *, posts: int) -> Iterator[Commit]:
    waiting = [UUID(int=chance.getrandbits(128), version=4) for _ in range(posts)]
    left = dict.fromkeys(waiting, FACTS_PER_POST)
    active = [waiting.pop() for _ in range(min(POSTS_AT_ONCE, posts))]
    while active:
        post_id = chance.choice(active)
        size = min(chance.choices((1, 2, 3), weights=(6, 3, 1))[0], left[post_id])
        left[post_id] -= size
        facts = [UUID(int=chance.getrandbits(128), version=4) for _ in range(size)]
        if not left[post_id]:
            facts[-1] = post_id
            active.remove(post_id)
            active += [waiting.pop()] if waiting else []
        yield Commit(post_id, tuple(facts))


def _faults(chance: random.Random, fact_ids: Sequence[UUID]) -> dict[UUID, int]:
    return {fact_id: chance.choice((1, 2)) for fact_id in fact_ids if chance.random() < FAULTY_SHARE}


def _rounds(chance: random.Random, rounds: int, facts_per_round: int, deck: Sequence[str]) -> Iterator[Round]:
    drawn: list[str] = []
    for number in range(rounds):
        drawn = drawn or chance.sample(deck, len(deck))
        victims = [drawn.pop()]
        if chance.random() < SECOND_VICTIM_SHARE:
            victims.append(chance.choice([name for name in deck if name not in victims]))
        yield Round(
            after_facts=int((number + chance.random()) * facts_per_round),
            victims=tuple(victims),
            down_seconds=chance.uniform(0, DOWN_SECONDS_MAX),
            again_after_seconds=chance.uniform(0, AGAIN_SECONDS_MAX) if chance.random() < AGAIN_SHARE else None,
        )


def service_of(process: str) -> str:
    """The service that a process is one of: `scheduler` of `scheduler-2`; what is no process stands for itself."""
    return process.partition("-")[0]
