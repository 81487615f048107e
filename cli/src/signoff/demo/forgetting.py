"""The second half of the demo: disconnect, delete, let time pass, and prove that nothing is left."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg
from contracts.leases import LeaseAnswer, LeaseRequest
from kit.certificates import CertificateInvalid, verify_certificate
from kit.keys import SigningKey, TrustedKeys
from kit.passport import Passports
from psycopg import sql

from signoff.demo.person import emptied, eventually
from signoff.demo.stage import Stage
from signoff.installation import STORES

SECRET_TABLES = ("grant", "data_key")
"""Parts of the names of the tables in which auth keeps tokens."""


async def disconnect(stage: Stage) -> None:
    """The token is gone when the answer is there."""
    stage.line.chapter("Disconnect: the token dies first")
    connection_id = stage.connections["tiktok"]
    secrets_before = await asyncio.to_thread(_secrets_of, stage, connection_id)
    stage.line.act("owner", "disconnects TikTok")
    ended = await stage.owner.ask("DELETE", f"{stage.workspace}/connections/{connection_id}")
    stage.erasures["connection"] = ended["erasure_id"]
    revoked = len(stage.sandbox.truth.revocations("tiktok"))
    stage.line.check("TikTok confirmed the end", expected=True, found=ended["platform_confirmed"])
    stage.line.check("TikTok was told once", expected=1, found=revoked)
    answer = await _ask_for_lease(stage, connection_id)
    codes = [refusal.code for refusal in answer.refused]
    stage.line.judge(
        "No service can get the token any more",
        expected="refused",
        found=", ".join(codes) or "a lease",
        passed=bool(codes) and not answer.leases,
    )
    secrets = await asyncio.to_thread(_secrets_of, stage, connection_id)
    stage.gone("auth's key and ciphertext of it are destroyed", before=secrets_before, after=secrets)


def _secrets_of(stage: Stage, connection_id: str) -> dict[str, int]:
    """What auth's two databases hold of a connection's tokens, and of the keys that open them."""
    return {
        table: count
        for store in ("auth", "auth_keys")
        for table, count in _rows_with(stage, connection_id, store, SECRET_TABLES).items()
    }


async def _ask_for_lease(stage: Stage, connection_id: str) -> LeaseAnswer:
    """Ask auth for the grant as the publisher would, in its name."""
    installation = stage.system.surroundings.installation
    key = SigningKey.load("publisher", installation.signing_key("publisher"))
    passports = Passports(key, TrustedKeys.load(installation.trusted_keys), stage.system.clock)
    body = LeaseRequest(connection_ids=(UUID(connection_id),)).model_dump(mode="json")
    async with stage.system.client("auth") as auth:
        headers = {"Authorization": f"Bearer {passports.issue_own()}"}
        answer = await auth.post("/internal/leases", json=body, headers=headers)
    return LeaseAnswer.model_validate_json(answer.content)


async def delete_account(stage: Stage) -> None:
    """The owner leaves; what is theirs alone goes with them."""
    stage.line.chapter("The owner leaves")
    media_before, events_before = _media_files(stage), await stage.observer.events_of(stage.workspace_id)
    stage.traces = await _traces(stage, *_told(stage))
    stage.line.act("owner", "deletes the account")
    answer = await stage.owner.ask("DELETE", "/api/account", expect=202, json={"password": stage.owner.password})
    for entry in answer["erasures"]:
        stage.erasures[entry["subject_kind"]] = entry["erasure_id"]
    stage.line.check("Two duties to forget are open", expected={"account", "workspace"}, found=_opened(answer))
    credentials = {"email": stage.owner.email, "password": stage.owner.password}
    status = await stage.owner.status("POST", "/api/session", json=credentials)
    stage.line.check("The owner cannot sign in any more", expected=401, found=status)
    revoked = len(stage.sandbox.truth.revocations("bluesky"))
    stage.line.check("Bluesky was told too", expected=1, found=revoked)
    for kind in ("account", "workspace"):
        erasure = await _done(stage, kind)
        tasks = [f"{task['service']} {sum(task['erased'].values())}" for task in erasure["tasks"]]
        stage.line.note(f"{kind}: erased {', '.join(tasks)}")
        waiting = [task["service"] for task in erasure["tasks"] if task["state"] != "done"]
        stage.line.check(f"Every service has erased the {kind}", expected=[], found=waiting)
    stage.gone("No media file is left", before=media_before, after=_media_files(stage))
    events = await stage.observer.events_of(stage.workspace_id)
    stage.gone("No stream holds an event of the workspace", before=events_before, after=events)


def _media_files(stage: Stage) -> int:
    return sum(file.is_file() for file in (stage.system.surroundings.installation.path / "objects").rglob("*"))


def _told(stage: Stage) -> tuple[str, ...]:
    """What would tell of the owner and the brand, wherever it lay."""
    return (stage.owner.email, stage.text, stage.handles["tiktok"], stage.handles["bluesky"])


def _opened(answer: dict[str, Any]) -> set[str]:
    return {entry["subject_kind"] for entry in answer["erasures"]}


async def let_a_month_pass(stage: Stage) -> None:
    """What was derived from the ended connection goes before day 30."""
    stage.line.chapter("30 days later")
    stage.line.act("clock", "29 days pass: what came from TikTok is due")
    stage.system.clock.advance(timedelta(days=29))
    erasure = await _done(stage, "connection")
    done, due = (datetime.fromisoformat(erasure[name]) for name in ("completed_at", "due_at"))
    expected, found = f"before {due:%d %b %H:%M}", f"{done:%d %b %H:%M}"
    stage.line.judge("It is gone before the promise ends", expected=expected, found=found, passed=done < due)
    stage.line.act("clock", "one more day passes")
    stage.system.clock.advance(timedelta(days=1))
    traces = await _traces(stage, *_told(stage))
    stage.gone("No database knows the address, the text, the accounts", before=stage.traces, after=traces)


async def _traces(stage: Stage, *traces: str) -> dict[str, int]:
    """Rows of any table of any service that hold one of the texts."""
    found: dict[str, int] = {}
    for service in STORES:
        for trace in traces:
            rows = await asyncio.to_thread(_rows_with, stage, trace, service, ())
            found |= {f"{service}.{table}": count for table, count in rows.items()}
    return found


async def let_the_backups_expire(stage: Stage) -> None:
    """Backups taken before rotate out, and the certificates become final."""
    stage.line.chapter("90 days later")
    before = _backup_files(stage)
    ids = (stage.workspace_id, *stage.connections.values())
    ids_before = await _traces(stage, *ids)
    stage.line.act("clock", "another 60 days pass")
    stage.system.clock.advance(timedelta(days=60))

    async def backups_left() -> int:
        return len(before & _backup_files(stage))

    async def ids_left() -> dict[str, int]:
        return await _traces(stage, *ids)

    with stage.line.waiting("until the old backups are destroyed"):
        for kind in stage.erasures:
            await _done(stage, kind, final=True)
        backups_after, ids_after = await emptied(backups_left), await emptied(ids_left)
    stage.gone("No file of a backup from before is left", before=len(before), after=backups_after)
    stage.gone("No database knows even their random ids", before=ids_before, after=ids_after)
    keys = await stage.editor.ask("GET", "/api/certificate-keys")
    for kind, erasure_id in stage.erasures.items():
        certificate = (await stage.editor.ask("GET", f"/api/erasures/{erasure_id}"))["certificate"]
        stage.line.check(
            f"The {kind}'s final certificate is genuine", expected="genuine", found=_verdict(certificate, keys)
        )
    stage.line.check("An altered certificate is not", expected="refused", found=_verdict(_altered(certificate), keys))
    stage.line.check("No event was given up on", expected=0, found=await stage.observer.dead_letters())


def _backup_files(stage: Stage) -> set[Path]:
    return {file for file in (stage.system.surroundings.installation.path / "backups").rglob("*") if file.is_file()}


def _verdict(certificate: str, keys: dict[str, Any]) -> str:
    try:
        document = verify_certificate(certificate, keys)
    except CertificateInvalid:
        return "refused"
    return "genuine" if document.get("final") is True else f"not final: {json.dumps(document)}"


def _altered(certificate: str) -> str:
    header, payload, signature = certificate.split(".")
    return ".".join([header, ("A" if payload[0] != "A" else "B") + payload[1:], signature])


async def _done(stage: Stage, kind: str, *, final: bool = False) -> dict[str, Any]:
    """The erasure of a kind of subject once it is done, or final."""
    wanted = ("final",) if final else ("done", "final")

    async def done() -> dict[str, Any] | None:
        erasure: dict[str, Any] | None = await stage.editor.find(f"/api/erasures/{stage.erasures[kind]}")
        return erasure if erasure and erasure["state"] in wanted else None

    return await eventually(done, what=f"the erasure of the {kind} to be {wanted[0]}")


def _rows_with(stage: Stage, trace: str, service: str, tables: tuple[str, ...]) -> dict[str, int]:
    """How many rows of a service's tables hold a text anywhere; only tables whose names contain one of `tables`."""
    postgres = stage.system.surroundings.addresses.postgres
    assert postgres is not None
    url = urlunsplit(urlsplit(postgres.superuser_url)._replace(path=f"/{service}"))
    found = {}
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in names:
            if tables and not any(part in name for part in tables):
                continue
            query = sql.SQL("SELECT count(*) FROM {} AS every WHERE every::text ILIKE %s").format(sql.Identifier(name))
            row = connection.execute(query, (f"%{trace}%",)).fetchone()
            if row and row[0]:
                found[str(name)] = int(row[0])
    return found
