"""The answers of Bluesky's servers, as far as they are looked at. Fields they add are ignored."""

from __future__ import annotations

from typing import Any

import msgspec


class Service(msgspec.Struct, frozen=True):
    id: str = ""
    endpoint: object = msgspec.field(name="serviceEndpoint", default=None)


class DidDocument(msgspec.Struct, frozen=True):
    """A DID document. Its first `at://` alias is the handle the account claims."""

    id: str
    aliases: list[str] = msgspec.field(name="alsoKnownAs", default_factory=list)
    service: list[Service] = []

    def handle(self) -> str | None:
        return next((alias[5:].lower() for alias in self.aliases if alias.startswith("at://")), None)

    def server(self) -> str | None:
        endpoints = (service.endpoint for service in self.service if service.id.endswith("#atproto_pds"))
        endpoint = next(endpoints, None)
        return endpoint.rstrip("/") if isinstance(endpoint, str) else None


class ProtectedResource(msgspec.Struct, frozen=True):
    authorization_servers: list[str] = []


class ServerMetadata(msgspec.Struct, frozen=True):
    """The endpoints of an authorisation server (RFC 8414)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    pushed_authorization_request_endpoint: str
    revocation_endpoint: str


class Tokens(msgspec.Struct, frozen=True):
    access_token: str
    token_type: str
    sub: str
    expires_in: int = 0
    refresh_token: str | None = None
    scope: str = ""


class Profile(msgspec.Struct, frozen=True, rename="camel"):
    handle: str | None = None
    display_name: str | None = None
    avatar: str | None = None


class PostView(msgspec.Struct, frozen=True, rename="camel"):
    uri: str
    cid: str = ""
    like_count: int | None = None
    reply_count: int | None = None
    repost_count: int = 0
    quote_count: int = 0


class PostViews(msgspec.Struct, frozen=True):
    posts: list[PostView] = []


class Record(msgspec.Struct, frozen=True):
    uri: str
    value: dict[str, Any] = {}


class Records(msgspec.Struct, frozen=True):
    records: list[Record] = []
    cursor: str | None = None


class ServiceToken(msgspec.Struct, frozen=True):
    token: str


class UploadLimits(msgspec.Struct, frozen=True, rename="camel"):
    """`error` says why not, in a word."""

    can_upload: bool
    error: str | None = None


class Upload(msgspec.Struct, frozen=True, rename="camel"):
    """A begun upload: so many parts, each but the last of so many bytes."""

    job_id: str
    part_size_bytes: int
    part_count: int


class FinishedUpload(msgspec.Struct, frozen=True, rename="camel"):
    """The job that processes the video; of a file it knows, the video service names the earlier one."""

    completed_job_id: str


class Job(msgspec.Struct, frozen=True, rename="camel"):
    """How far a video is. As soon as there is a blob it can be used, whatever the state says."""

    state: str = ""
    blob: dict[str, Any] | None = None
    failure_code: str | None = None


class JobAnswer(msgspec.Struct, frozen=True, rename="camel"):
    job_status: Job
