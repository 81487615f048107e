"""Letters on their way: real SMTP, encrypted and not, with a server that refuses, goes away and comes back."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import psycopg
import pytest
from auth.adapters.mail import FolderPost
from auth.adapters.post import create_post
from auth.domain.letters import KEEP_TRYING, LONGEST_PAUSE, Letter, LetterKind, ProofPurpose
from auth.domain.sessions import hash_of
from auth.ports.letters import Post, SmtpServer
from auth.ports.store import Transactions
from auth.use_cases.sending import LEASE, send_due
from kit.clock import MovableClock
from kit.database import Scope
from kit.secret import Secret
from kit.testing import wait_for
from kit.testing.authority import Authority
from kit.testing.collector import Collector, SeenCount

from services.auth.tests.client import sign_up_body
from services.auth.tests.conftest import StartAuth
from services.auth.tests.mailbox import TAKEN, Mailbox, Received, answering
from services.auth.tests.test_connecting import counts

Rows = psycopg.Connection[Any]
EMAIL = "owner@example.com"
SENDER = "Signoff <no-reply@agency.example>"
WEB = "https://web.example"

Send = Callable[..., Awaitable[int]]


@pytest.fixture
def send(transactions: Transactions, mailbox: Mailbox) -> Send:
    """Write letters, then send what is due: `await send(Letter(…), post=…)`."""

    async def write_and_send(*letters: Letter, post: Post | None = None) -> int:
        async with transactions(Scope.nobody()) as store:
            for letter in letters:
                await store.letters.add(letter, at=store.now())
        return await send_due(transactions, post=post or plain(mailbox), web_url=WEB)

    return write_and_send


def plain(mailbox: Mailbox) -> Post:
    return create_post(SmtpServer("127.0.0.1", mailbox.port, plain=True), None, sender=SENDER)


def invitation(email: str = EMAIL, **facts: str) -> Letter:
    return Letter(LetterKind.INVITATION, email, facts=facts)


def about(kind: LetterKind = LetterKind.PASSWORD_CHANGED, email: str = EMAIL, **facts: str) -> Letter:
    return Letter(kind, email, facts=facts)


@pytest.mark.promise("P90")
async def test_a_letter_says_what_it_is_and_whose(send: Send, mailbox: Mailbox, superuser: Rows):
    await send(invitation(inviter="Ada", workspace="Sunrise", role="editor", language="de-AT"))
    [letter] = mailbox.received
    message = letter.message
    assert letter.recipients == [EMAIL]
    assert (message["From"], message["To"], message["Subject"]) == (SENDER, EMAIL, "Sie sind zu Signoff eingeladen")
    assert (message["Auto-Submitted"], message["Content-Language"]) == ("auto-generated", "de")
    assert message["Message-ID"].endswith("@agency.example>")
    assert "Arbeitsbereich: Sunrise" in letter.text
    assert "Organisation" not in letter.text
    assert f"{WEB}/#/invitation?token={letter.token}" in letter.text
    shown = letter.html
    assert f'<a href="{WEB}/#/invitation?token={letter.token}"' in shown
    assert ("http" in shown.replace(WEB, ""), "<img" in shown) == (False, False)
    assert counts(superuser, "letter") == [0]


async def test_a_language_without_words_falls_back_to_english(send: Send, mailbox: Mailbox):
    await send(about(language="fr"))
    assert mailbox.received[0].message["Subject"] == "Your password was changed"


async def test_what_people_call_things_stays_what_they_call_it(send: Send, mailbox: Mailbox):
    await send(invitation(workspace="<b>{link}</b>\r\nBcc: all@example.com"))
    [letter] = mailbox.received
    assert "Workspace: <b>{link}</b> Bcc: all@example.com\r\n" in letter.text
    assert "&lt;b&gt;{link}&lt;/b&gt;" in letter.html
    assert (letter.recipients, letter.message["Bcc"]) == ([EMAIL], None)


async def test_no_letter_that_waits_holds_a_token(send: Send, mailbox: Mailbox, superuser: Rows):
    seen: list[Received] = []
    mailbox.answer = answering(seen, "451 later")
    await send(invitation())
    (waiting,) = superuser.execute("SELECT letter::text FROM letter").fetchone() or ("",)
    (proof,) = superuser.execute("SELECT proof::text FROM proof").fetchone() or ("",)
    token = seen[0].token
    assert token not in waiting + proof
    assert hash_of(Secret(token)).hex() in proof


async def test_a_request_reads_neither_letters_nor_proofs(send: Send, transactions: Transactions, mailbox: Mailbox):
    mailbox.answer = lambda _: "451 later"
    await send(invitation())
    async with transactions(Scope.nobody()) as store:
        execute = store.letters._transaction.execute  # type: ignore[attr-defined]
        assert [await execute(f"SELECT 1 FROM {table}") for table in ("letter", "letter_sent", "proof")] == [0, 0, 0]  # noqa: S608


async def test_a_repeated_letter_is_recognised_and_each_link_is_good_until_one_is_used(
    send: Send, mailbox: Mailbox, transactions: Transactions, clock: MovableClock
):
    """The server takes the first one, and its answer says otherwise."""
    taken: list[Received] = []
    mailbox.answer = answering(taken, "451 later", TAKEN)
    await send(invitation())
    assert await send() == 0
    clock.advance(timedelta(seconds=31))
    assert await send() == 1
    first, second = taken
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert first.token != second.token
    async with transactions(Scope.nobody()) as store:
        hashes = [hash_of(Secret(each.token)) for each in taken]
        found = [await store.proofs.find(each, ProofPurpose.INVITATION) for each in hashes]
        assert [each.address for each in found if each] == [EMAIL, EMAIL]
        assert await store.proofs.find(hashes[0], ProofPurpose.RESET_PASSWORD) is None
        assert await store.proofs.take(hashes[0], ProofPurpose.INVITATION) == found[0]
        assert [await store.proofs.take(each, ProofPurpose.INVITATION) for each in hashes] == [None, None]


async def test_what_the_server_will_never_take_is_dropped_and_what_it_takes_later_is_not(
    send: Send, mailbox: Mailbox, superuser: Rows, caplog: pytest.LogCaptureFixture
):
    mailbox.greet = lambda address: "550 unknown" if address.startswith("no") else TAKEN
    mailbox.answer = lambda letter: "554 spam" if "spam" in letter.text else TAKEN
    with caplog.at_level(logging.ERROR, "letters"):
        await send(about(email="nobody@example.com"), about(LetterKind.INCIDENT, summary="spam"), about())
    assert [letter.kind for letter in mailbox.received] == ["password_changed"]
    assert counts(superuser, "letter") == [0]
    dropped = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    assert [(each["event"], each["code"]) for each in dropped] == [
        ("letter_dropped", "smtp-550"),
        ("letter_dropped", "smtp-554"),
    ]
    mailbox.greet = lambda _: "450 greylisted"
    await send(about())
    assert counts(superuser, "letter") == [1]


async def test_a_server_that_is_away_gets_its_letters_later_and_in_the_end_none(
    send: Send, mailbox: Mailbox, superuser: Rows, clock: MovableClock, free_port: int
):
    away = create_post(SmtpServer("127.0.0.1", free_port, plain=True), None, sender=SENDER)
    await send(about(), about(), post=away)
    assert counts(superuser, "letter") == [2]
    clock.advance(timedelta(minutes=1))
    assert await send() == 2
    assert (len(mailbox.received), mailbox.connections) == (2, 1)
    await send(about(), post=away)
    attempts = 1
    for _ in range(200):
        if counts(superuser, "letter") == [0]:
            break
        clock.advance(LONGEST_PAUSE)
        attempts += await send(post=away)
    assert counts(superuser, "letter") == [0]
    assert KEEP_TRYING / LONGEST_PAUSE - 2 <= attempts <= KEEP_TRYING / LONGEST_PAUSE + 8


async def test_a_letter_whose_sender_died_is_anothers_after_a_while(
    send: Send, mailbox: Mailbox, transactions: Transactions, clock: MovableClock
):
    async with transactions(Scope.worker()) as store:
        await store.letters.add(about(), at=store.now())
        await store.letters.claim(now=store.now(), until=store.now() + LEASE, limit=1)
    assert await send() == 0
    clock.advance(LEASE)
    assert await send() == 1
    assert len(mailbox.received) == 1


async def test_a_defect_in_one_letter_does_not_hold_up_the_others(send: Send, mailbox: Mailbox, superuser: Rows):
    class Broken(FolderPost):
        def _write(self, name: str, content: bytes) -> None:
            raise RuntimeError("secret words of the letter")

    post = Broken(Path("nowhere"), sender=SENDER)
    assert await send(about(), about(), post=post) == 2
    assert superuser.execute("SELECT attempts FROM letter WHERE due_at > written_at").fetchall() == [(1,), (1,)]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@asynccontextmanager
async def encrypted(authority: Authority, *, implicit: bool) -> AsyncIterator[Mailbox]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*authority.issue("mail"))
    async with Mailbox(tls=tls, implicit=implicit, password="right") as mailbox:
        yield mailbox


def server(mailbox: Mailbox, authority: Authority | None, **changes: Any) -> Post:
    known: dict[str, Any] = {
        "user": "signoff",
        "password": Secret("right"),
        "ca_file": authority.ca_file if authority else None,
    }
    return create_post(SmtpServer("127.0.0.1", mailbox.port, **(known | changes)), None, sender=SENDER)


@pytest.mark.promise("P23")
@pytest.mark.parametrize("implicit", [False, True])
async def test_mail_travels_encrypted_to_a_server_that_is_who_it_says(
    send: Send, authority: Authority, tmp_path: Path, superuser: Rows, clock: MovableClock, implicit: bool
):
    async with encrypted(authority, implicit=implicit) as mailbox:
        await send(about(), post=server(mailbox, None, implicit_tls=implicit))
        assert (mailbox.received, counts(superuser, "letter")) == ([], [1])
        clock.advance(timedelta(minutes=5))
        wrong = server(mailbox, authority, implicit_tls=implicit, password=Secret("wrong"))
        assert await send(post=wrong) == 1
        # Credentials are mended by an operator; the letters wait for it.
        assert (mailbox.received, counts(superuser, "letter")) == ([], [1])
        clock.advance(timedelta(minutes=5))
        assert await send(post=server(mailbox, authority, implicit_tls=implicit)) == 1
        [letter] = mailbox.received
    assert (letter.encrypted, letter.user) == (True, "signoff")


@pytest.mark.promise("P23")
async def test_a_server_without_encryption_gets_no_letter(send: Send, mailbox: Mailbox, superuser: Rows):
    await send(about(), post=server(mailbox, None))
    assert (mailbox.received, counts(superuser, "letter")) == ([], [1])


async def test_a_folder_holds_letters_for_its_owner_only(send: Send, tmp_path: Path):
    folder = tmp_path / "mail"
    await send(about(), post=FolderPost(folder, sender=SENDER))
    [file] = folder.iterdir()
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert (file.suffix, message["To"]) == (".eml", EMAIL)
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


async def test_letters_that_are_given_up_are_counted_where_an_operator_looks(
    start: StartAuth, mailbox: Mailbox, superuser: Rows
):
    mailbox.greet = lambda _: "550 unknown"
    with Collector() as collector:
        async with start(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as auth:
            for name in ("one", "two"):
                await auth.ask("POST", "/api/accounts", sign_up_body(f"{name}@example.com"), expect=202)
            await wait_for(lambda: counts(superuser, "letter") == [0])
        reason = {"kind": "verify_address", "code": "smtp-550"}
        assert collector.counts == [SeenCount("auth", "signoff.letters.dropped", reason, 2)]
        assert not any(b"@example.com" in body for body in collector.bodies)
