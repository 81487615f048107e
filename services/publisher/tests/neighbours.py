"""content and auth as the publisher meets them: sealed revisions, stored media, lent grants."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from contracts.leases import DeadGrant, Lease, LeaseAnswer, LeaseRefusal, LeaseRequest, LeaseReturn, lease_context
from contracts.sealing import Seal, SealedMedia, SealedRevision, SealedVariant, seal_message
from kit.clock import MovableClock
from kit.ids import new_id
from kit.keys import SigningKey, TrustedKeys
from kit.passport import Passports, service
from kit.problems import EXCEPTION_HANDLERS, Unavailable
from kit.secret import Secret
from litestar import Litestar, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody
from platforms import grants
from platforms.shape import Grant


def store_media(
    object_store_url: str, content: bytes, *, sealed_as: bytes | None = None, kind: str = "image"
) -> SealedMedia:
    """Put bytes into the object store, sealed with their digest or with that of other bytes."""
    media_id, meant = new_id(), sealed_as if sealed_as is not None else content
    key = f"media/{media_id}"
    file = Path(object_store_url.removeprefix("file://")) / key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return SealedMedia(
        media_id=media_id,
        object_key=key,
        kind=kind,
        content_type="video/mp4" if kind == "video" else "image/jpeg",
        size_bytes=len(meant),
        sha256=hashlib.sha256(meant).hexdigest(),
        width=1080,
        height=1920,
        duration_seconds=12.5 if kind == "video" else None,
        alt_text="A red door in a white wall",
    )


@dataclass
class Content:
    """Revisions by id, sealed with content's own key."""

    key: SigningKey
    passports: Passports
    revisions: dict[UUID, SealedRevision] = field(default_factory=dict)
    down: bool = False

    def approve(
        self,
        workspace_id: UUID,
        connection_ids: tuple[UUID, ...],
        *,
        text: str = "Hello",
        platform: str = "bluesky",
        media: tuple[SealedMedia, ...] = (),
        settings: dict[str, Any] | None = None,
        key: SigningKey | None = None,
    ) -> SealedRevision:
        revision = SealedRevision(
            workspace_id=workspace_id,
            post_id=new_id(),
            revision_id=new_id(),
            variants=tuple(
                SealedVariant(
                    connection_id=connection_id, platform=platform, text=text, media=media, settings=settings or {}
                )
                for connection_id in connection_ids
            ),
        )
        approved_by, approved_at = (new_id(),), datetime.now(UTC)
        signature = (key or self.key).sign(seal_message(revision.content_hash(), approved_by, approved_at))
        seal = Seal(
            content_hash=revision.content_hash(),
            approved_by=approved_by,
            approved_at=approved_at,
            signature=base64.urlsafe_b64encode(signature).rstrip(b"=").decode(),
        )
        return self.keep(revision.model_copy(update={"seal": seal}))

    def keep(self, revision: SealedRevision) -> SealedRevision:
        self.revisions[revision.revision_id] = revision
        return revision

    def withdraw(self, revision: SealedRevision) -> None:
        self.keep(revision.model_copy(update={"seal": None}))

    def app(self) -> Litestar:
        @post("/internal/revisions", status_code=200, guards=[service("publisher")])
        async def revisions(data: JSONBody[dict[str, Any]]) -> list[dict[str, Any]]:
            if self.down:
                raise Unavailable()
            asked = {(name["workspace_id"], name["revision_id"]) for name in data["revisions"]}
            return [
                found.model_dump(mode="json")
                for found in self.revisions.values()
                if (str(found.workspace_id), str(found.revision_id)) in asked
            ]

        return _app([revisions], self.passports)


@dataclass
class Scheduler:
    """What was to go out, as a test tells it."""

    passports: Passports
    due: list[dict[str, Any]] = field(default_factory=list)

    def plans(self, workspace_id: UUID, schedule_id: UUID, connection_id: UUID, due_at: datetime, **facts: Any) -> None:
        target = {"workspace_id": workspace_id, "schedule_id": schedule_id, "connection_id": connection_id}
        state = {"schedule_state": "done", "state": "published", "publication_id": None}
        named = {name: str(value) for name, value in target.items()}
        self.due.append(named | {"due_at": due_at.isoformat()} | state | facts)

    def app(self) -> Litestar:
        guards = [service("publisher")]

        @post("/internal/due", status_code=200, guards=guards)
        async def due(data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
            since, until = (datetime.fromisoformat(data[name]) for name in ("since", "until"))
            found = [each for each in self.due if since <= datetime.fromisoformat(each["due_at"]) < until]
            return {"due": found, "next": None}

        @post("/internal/due/of", status_code=200, guards=guards)
        async def of(data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
            return {"due": [each for each in self.due if each["schedule_id"] in data["schedule_ids"]], "next": None}

        return _app([due, of], self.passports)


@dataclass
class Auth:
    """Lends sealed grants, and counts what is out. `asked`: the connections of each request."""

    trusted: TrustedKeys
    passports: Passports
    clock: MovableClock
    workspaces: dict[UUID, UUID] = field(default_factory=dict)
    grants: dict[UUID, Grant] = field(default_factory=dict)
    refusals: dict[UUID, str] = field(default_factory=dict)
    out: set[UUID] = field(default_factory=set)
    asked: list[set[UUID]] = field(default_factory=list)
    dead: list[tuple[UUID, str]] = field(default_factory=list)

    def connect(self, workspace_id: UUID, grant: Grant | None = None) -> UUID:
        connection_id = new_id()
        self.workspaces[connection_id] = workspace_id
        self.grants[connection_id] = grant or Grant(
            account_id="did:plc:someone",
            access_token=Secret(f"token-of-{connection_id}"),
            refresh_token=None,
            scopes=(),
            expires_at=self.clock.now() + timedelta(hours=1),
            refresh_expires_at=None,
        )
        return connection_id

    def app(self) -> Litestar:
        guards = [service("publisher")]

        @post("/internal/leases", status_code=200, guards=guards)
        async def leases(data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
            request = LeaseRequest.model_validate(data)
            self.asked.append(set(request.connection_ids))
            refused = [
                LeaseRefusal(connection_id=c, code=self.refusals.get(c, "unknown"))
                for c in request.connection_ids
                if c in self.refusals or c not in self.grants
            ]
            away = {refusal.connection_id for refusal in refused}
            lent = tuple(self._lend(c) for c in request.connection_ids if c not in away)
            return LeaseAnswer(leases=lent, refused=tuple(refused)).model_dump(mode="json")

        @post("/internal/leases/returns", status_code=204, guards=guards)
        async def returns(data: JSONBody[dict[str, Any]]) -> None:
            self.out -= set(LeaseReturn.model_validate(data).lease_ids)

        @post("/internal/connections/{connection_id:uuid}/dead", status_code=204, guards=guards)
        async def dead(connection_id: FromPath[UUID], data: JSONBody[dict[str, Any]]) -> None:
            self.dead.append((connection_id, DeadGrant.model_validate(data).code))
            self.refusals[connection_id] = "reauth_required"

        return _app([leases, returns, dead], self.passports)

    def _lend(self, connection_id: UUID) -> Lease:
        lease_id = new_id()
        self.out.add(lease_id)
        sealed = self.trusted.seal(
            "publisher",
            grants.dump(self.grants[connection_id], with_refresh=False),
            context=lease_context(lease_id, connection_id),
        )
        return Lease(
            lease_id=lease_id,
            connection_id=connection_id,
            workspace_id=self.workspaces[connection_id],
            platform="bluesky",
            handle="someone.example",
            sealed=base64.b64encode(sealed).decode(),
            expires_at=self.clock.now() + timedelta(seconds=30),
        )


def _app(handlers: list[Any], passports: Passports) -> Litestar:
    return Litestar(
        handlers, exception_handlers=EXCEPTION_HANDLERS, state=State({"passports": passports}), openapi_config=None
    )
