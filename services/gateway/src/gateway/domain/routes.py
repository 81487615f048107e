"""The public API as one explicit table. A path that is not in it does not exist for the outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from kit.links import TOKEN_CHARACTERS_MAX
from kit.problems import NotFound

JSON_BYTES_MAX = 1024 * 1024
"""No JSON body of the API comes near this; a larger one is a mistake or an attack."""

PHOTO_BYTES_MAX = 5 * 1024 * 1024
"""What auth takes as a photo of a person."""

MEDIA_BYTES_MAX = 512 * 1024 * 1024
"""The largest video that content takes. It streams through, so it costs no memory here."""


ANSWER_SECONDS = 15.0
"""An owner answers in milliseconds; this covers a wait for its database and one for its own neighbour."""

ENDING_ANSWER_SECONDS = 60.0
"""Ending a connection waits for leases that are out (30 s) and tells the platform (10 s), many of them at once."""

WEBHOOK_BYTES_MAX = 256 * 1024
"""Far more than any platform tells at once."""

_TEXTS = {
    "token": re.compile(rf"(?=.{{1,{TOKEN_CHARACTERS_MAX}}}\Z)[\w-]+\.[\w-]+\.[\w-]+", re.ASCII),
    "platform": re.compile(r"[a-z]{1,20}", re.ASCII),
    "code": re.compile(r"[0-9a-f]{32}", re.ASCII),
}
"""What in a path is no UUID, and how it is written: a link's token, a platform, the code of a request for deletion.
Anything else is told nobody."""

PROVIDER_ANSWER_SECONDS = 45.0
"""A sign-in through a provider asks it for endpoints, keys, tokens and a profile, each for 10 seconds at most."""

MEDIA_ANSWER_SECONDS = 120.0
"""After the last byte content still reads through the whole file before it answers."""


class Access(StrEnum):
    """Who may ask: anybody, a person with a session, or who is a member of the workspace in the path, also by a key."""

    OPEN = "open"
    SESSION = "session"
    WORKSPACE = "workspace"


class SessionEffect(StrEnum):
    """What a success does to the session cookie."""

    NONE = "none"
    OPENS = "opens"
    """If the answer brings a session; one that wants something else first does not."""

    CLOSES = "closes"


class BrowserMark(StrEnum):
    """What an operation has to do with the cookie that tells one browser on its way to a provider from others."""

    NONE = "none"
    MADE = "made"
    SHOWN = "shown"


@dataclass(frozen=True)
class Route:
    """One operation. `path` names its ids in braces: `/api/workspaces/{workspace_id}/posts/{post_id}`.

    `streams`: the body that comes; `answer_streams`: the one that goes. Neither is ever held whole.
    `by_platform`: asked by a platform, at a rate of its own; a body may be of any type, and its signature goes with it.
    """

    method: str
    path: str
    owner: str
    access: Access
    body_bytes_max: int = JSON_BYTES_MAX
    streams: bool = False
    answer_streams: bool = False
    session_effect: SessionEffect = SessionEffect.NONE
    browser_mark: BrowserMark = BrowserMark.NONE
    rate_limited: bool = False
    by_platform: bool = False
    answer_seconds: float = ANSWER_SECONDS

    @property
    def name(self) -> str:
        """What a description of the API calls the operation: `post-workspaces-one-members`."""
        words = re.sub(r"\{\w+\}", "one", self.path.removeprefix("/api").lstrip("/")).split("/")
        return "-".join([self.method.lower(), *words])

    @property
    def typed_path(self) -> str:
        """The path with the type of each id said, so that anything else in its place is not found."""
        return re.sub(r"\{(\w+)\}", lambda name: f"{{{name[1]}:{'str' if name[1] in _TEXTS else 'uuid'}}}", self.path)

    def path_for(self, ids: Mapping[str, object]) -> str:
        """The path to ask the owner for, built from parsed ids and never from what the client spelled.

        Raises `kit.problems.NotFound` for a token, a platform or a code that is none.
        """
        if any(name in ids and not written.fullmatch(str(ids[name])) for name, written in _TEXTS.items()):
            raise NotFound()
        return self.path.format_map(ids)


def _auth() -> tuple[Route, ...]:
    connections = "/api/workspaces/{workspace_id}/connections"
    return (
        Route("POST", "/api/accounts", "auth", Access.OPEN, rate_limited=True),
        Route("POST", "/api/accounts/verifications", "auth", Access.OPEN, rate_limited=True),
        Route("POST", "/api/accounts/verifications/requests", "auth", Access.OPEN, rate_limited=True),
        Route("POST", "/api/session", "auth", Access.OPEN, rate_limited=True, session_effect=SessionEffect.OPENS),
        Route("DELETE", "/api/session", "auth", Access.SESSION, session_effect=SessionEffect.CLOSES),
        *_sign_in(),
        Route("GET", "/api/account", "auth", Access.SESSION),
        Route("PATCH", "/api/account", "auth", Access.SESSION),
        Route("GET", "/api/account/export", "auth", Access.SESSION, rate_limited=True),
        Route("POST", "/api/password-resets", "auth", Access.OPEN, rate_limited=True),
        Route("POST", "/api/password-resets/confirmations", "auth", Access.OPEN, rate_limited=True),
        Route("POST", "/api/account/address", "auth", Access.SESSION, rate_limited=True),
        Route("POST", "/api/account/address/confirmations", "auth", Access.OPEN, rate_limited=True),
        Route("PUT", "/api/account/photo", "auth", Access.SESSION, body_bytes_max=PHOTO_BYTES_MAX, streams=True),
        Route("GET", "/api/account/photo", "auth", Access.SESSION),
        Route("DELETE", "/api/account/photo", "auth", Access.SESSION),
        Route(
            "DELETE",
            "/api/account",
            "auth",
            Access.SESSION,
            session_effect=SessionEffect.CLOSES,
            answer_seconds=ENDING_ANSWER_SECONDS,
        ),
        *_members(),
        *_api_keys(),
        Route("POST", f"{connections}/authorisations", "auth", Access.WORKSPACE),
        Route("POST", f"{connections}/authorisations/{{authorisation_id}}/choices", "auth", Access.WORKSPACE),
        Route("GET", "/api/oauth/callback", "auth", Access.SESSION),
        Route("GET", connections, "auth", Access.WORKSPACE),
        Route("GET", f"{connections}/{{connection_id}}/uses", "auth", Access.WORKSPACE),
        Route("GET", f"{connections}/ended", "auth", Access.WORKSPACE),
        Route(
            "DELETE",
            f"{connections}/{{connection_id}}",
            "auth",
            Access.WORKSPACE,
            answer_seconds=ENDING_ANSWER_SECONDS,
        ),
    )


def _sign_in() -> tuple[Route, ...]:
    opens = SessionEffect.OPENS
    return (
        Route("POST", "/api/session/presence", "auth", Access.SESSION, session_effect=opens),
        Route("POST", "/api/session/presence/options", "auth", Access.SESSION),
        Route("POST", "/api/session/second-factor", "auth", Access.OPEN, rate_limited=True, session_effect=opens),
        Route("POST", "/api/session/passkey/options", "auth", Access.OPEN, rate_limited=True),
        Route("POST", "/api/session/passkey", "auth", Access.OPEN, rate_limited=True, session_effect=opens),
        Route("POST", "/api/account/password", "auth", Access.SESSION, session_effect=opens),
        Route("GET", "/api/account/second-factors", "auth", Access.SESSION),
        Route("POST", "/api/account/authenticator-app", "auth", Access.SESSION),
        Route("POST", "/api/account/authenticator-app/confirmation", "auth", Access.SESSION, session_effect=opens),
        Route("DELETE", "/api/account/authenticator-app", "auth", Access.SESSION),
        Route("POST", "/api/account/recovery-codes", "auth", Access.SESSION),
        Route("POST", "/api/account/passkeys/options", "auth", Access.SESSION),
        Route("POST", "/api/account/passkeys", "auth", Access.SESSION, session_effect=opens),
        Route("DELETE", "/api/account/passkeys/{passkey_id}", "auth", Access.SESSION),
        Route("GET", "/api/account/sessions", "auth", Access.SESSION),
        Route("DELETE", "/api/account/sessions", "auth", Access.SESSION),
        Route("DELETE", "/api/account/sessions/{session_id}", "auth", Access.SESSION),
        Route("GET", "/api/account/security-events", "auth", Access.SESSION),
    )


def _api_keys() -> tuple[Route, ...]:
    keys = "/api/workspaces/{workspace_id}/api-keys"
    return (
        Route("POST", keys, "auth", Access.WORKSPACE),
        Route("GET", keys, "auth", Access.WORKSPACE),
        Route("DELETE", f"{keys}/{{key_id}}", "auth", Access.WORKSPACE),
        Route("POST", f"{keys}/{{key_id}}/rotations", "auth", Access.WORKSPACE),
    )


def _members() -> tuple[Route, ...]:
    organisation, workspace = "/api/organisations/{organisation_id}", "/api/workspaces/{workspace_id}"
    member, invitation = f"{workspace}/members/{{account_id}}", f"{workspace}/invitations/{{invitation_id}}"
    return (
        Route("POST", "/api/organisations", "auth", Access.SESSION),
        Route("GET", "/api/organisations", "auth", Access.SESSION),
        Route("GET", organisation, "auth", Access.SESSION),
        Route("PATCH", organisation, "auth", Access.SESSION),
        Route("PUT", f"{organisation}/members/{{account_id}}", "auth", Access.SESSION),
        Route("DELETE", f"{organisation}/members/{{account_id}}", "auth", Access.SESSION),
        Route("POST", "/api/workspaces", "auth", Access.SESSION),
        Route("GET", "/api/workspaces", "auth", Access.SESSION),
        Route("GET", workspace, "auth", Access.WORKSPACE),
        Route("PATCH", workspace, "auth", Access.WORKSPACE),
        Route("DELETE", workspace, "auth", Access.WORKSPACE, answer_seconds=ENDING_ANSWER_SECONDS),
        Route("GET", f"{workspace}/members", "auth", Access.WORKSPACE),
        Route("GET", f"{member}/photo", "auth", Access.WORKSPACE),
        Route("PATCH", member, "auth", Access.WORKSPACE),
        Route("DELETE", member, "auth", Access.WORKSPACE),
        Route("POST", f"{workspace}/ownership", "auth", Access.WORKSPACE),
        Route("POST", f"{workspace}/invitations", "auth", Access.WORKSPACE),
        Route("GET", f"{workspace}/invitations", "auth", Access.WORKSPACE),
        Route("DELETE", invitation, "auth", Access.WORKSPACE),
        Route("POST", f"{invitation}/letters", "auth", Access.WORKSPACE),
        Route("POST", "/api/invitations/acceptances", "auth", Access.SESSION),
    )


def _platforms() -> tuple[Route, ...]:
    """Asked by platforms, and by the people whom they send to us."""
    webhooks, told = "/webhooks/{platform}", partial(Route, "POST", body_bytes_max=WEBHOOK_BYTES_MAX, by_platform=True)
    return (
        Route("GET", webhooks, "auth", Access.OPEN, by_platform=True),
        told(webhooks, "auth", Access.OPEN),
        told(f"{webhooks}/deauthorise", "auth", Access.OPEN),
        told(f"{webhooks}/data-deletion", "auth", Access.OPEN),
        Route("GET", "/deletions/{code}", "auth", Access.OPEN),
    )


def _content() -> tuple[Route, ...]:
    media, posts = "/api/workspaces/{workspace_id}/media", "/api/workspaces/{workspace_id}/posts"
    post = f"{posts}/{{post_id}}"
    return (
        Route(
            "POST",
            media,
            "content",
            Access.WORKSPACE,
            body_bytes_max=MEDIA_BYTES_MAX,
            streams=True,
            answer_seconds=MEDIA_ANSWER_SECONDS,
        ),
        Route("POST", posts, "content", Access.WORKSPACE),
        Route("GET", posts, "content", Access.WORKSPACE),
        Route("GET", post, "content", Access.WORKSPACE),
        Route("PUT", post, "content", Access.WORKSPACE),
        Route("DELETE", post, "content", Access.WORKSPACE),
        Route("POST", f"{post}/submission", "content", Access.WORKSPACE),
        Route("POST", f"{post}/approval", "content", Access.WORKSPACE),
        Route("DELETE", f"{post}/approval", "content", Access.WORKSPACE),
        Route("POST", f"{post}/changes", "content", Access.WORKSPACE),
        # Asked by platforms, which have no session: the token is the permission.
        Route("GET", "/media/{token}", "content", Access.OPEN, answer_streams=True),
        Route("HEAD", "/media/{token}", "content", Access.OPEN),
    )


def _series() -> tuple[Route, ...]:
    series = "/api/workspaces/{workspace_id}/series"
    one = f"{series}/{{series_id}}"
    return (
        Route("POST", f"{series}/preview", "scheduler", Access.WORKSPACE),
        Route("POST", series, "scheduler", Access.WORKSPACE),
        Route("GET", series, "scheduler", Access.WORKSPACE),
        Route("GET", one, "scheduler", Access.WORKSPACE),
        Route("POST", f"{one}/change-from", "scheduler", Access.WORKSPACE),
        Route("POST", f"{one}/pause", "scheduler", Access.WORKSPACE),
        Route("POST", f"{one}/resume", "scheduler", Access.WORKSPACE),
        Route("DELETE", one, "scheduler", Access.WORKSPACE),
    )


def _queues() -> tuple[Route, ...]:
    workspace = "/api/workspaces/{workspace_id}"
    queue = f"{workspace}/connections/{{connection_id}}/queue"
    return (
        Route("PUT", queue, "scheduler", Access.WORKSPACE),
        Route("GET", queue, "scheduler", Access.WORKSPACE),
        Route("POST", f"{workspace}/queue", "scheduler", Access.WORKSPACE),
        Route("PUT", f"{workspace}/spread", "scheduler", Access.WORKSPACE),
        Route("GET", f"{workspace}/spread", "scheduler", Access.WORKSPACE),
        Route("POST", f"{workspace}/blackouts", "scheduler", Access.WORKSPACE),
        Route("GET", f"{workspace}/blackouts", "scheduler", Access.WORKSPACE),
        Route("GET", f"{workspace}/blackouts/conflicts", "scheduler", Access.WORKSPACE),
        Route("DELETE", f"{workspace}/blackouts/{{blackout_id}}", "scheduler", Access.WORKSPACE),
    )


def _delivery() -> tuple[Route, ...]:
    schedules = "/api/workspaces/{workspace_id}/schedules"
    publications = "/api/workspaces/{workspace_id}/publications"
    return (
        Route("POST", schedules, "scheduler", Access.WORKSPACE),
        Route("GET", schedules, "scheduler", Access.WORKSPACE),
        Route("GET", f"{schedules}/{{schedule_id}}", "scheduler", Access.WORKSPACE),
        Route("PATCH", f"{schedules}/{{schedule_id}}", "scheduler", Access.WORKSPACE),
        Route("DELETE", f"{schedules}/{{schedule_id}}", "scheduler", Access.WORKSPACE),
        Route("POST", f"{schedules}/{{schedule_id}}/pause", "scheduler", Access.WORKSPACE),
        Route("POST", f"{schedules}/{{schedule_id}}/resume", "scheduler", Access.WORKSPACE),
        Route("POST", f"{schedules}/pause", "scheduler", Access.WORKSPACE),
        Route("POST", f"{schedules}/resume", "scheduler", Access.WORKSPACE),
        Route("GET", "/api/workspaces/{workspace_id}/connection-forecast", "scheduler", Access.WORKSPACE),
        Route(
            "GET", "/api/workspaces/{workspace_id}/connections/{connection_id}/forecast", "scheduler", Access.WORKSPACE
        ),
        *_series(),
        *_queues(),
        Route(
            "GET", "/api/workspaces/{workspace_id}/connections/{connection_id}/budget", "publisher", Access.WORKSPACE
        ),
        Route("GET", publications, "publisher", Access.WORKSPACE),
        Route("GET", f"{publications}/{{publication_id}}", "publisher", Access.WORKSPACE),
        Route("GET", f"{publications}/{{publication_id}}/attempts", "publisher", Access.WORKSPACE),
        Route("POST", f"{publications}/{{publication_id}}/answer", "publisher", Access.WORKSPACE),
        Route("DELETE", f"{publications}/{{publication_id}}/post", "publisher", Access.WORKSPACE),
        Route("GET", f"{publications}/{{publication_id}}/metrics", "metrics", Access.WORKSPACE),
        Route("GET", "/api/workspaces/{workspace_id}/metrics", "metrics", Access.WORKSPACE),
    )


def _retention() -> tuple[Route, ...]:
    return (
        Route("GET", "/api/erasures/{erasure_id}", "retention", Access.OPEN),
        Route("GET", "/api/certificate-keys", "retention", Access.OPEN),
        Route("GET", "/api/retention-policy", "retention", Access.OPEN),
    )


def _openid() -> tuple[Route, ...]:
    made, shown, opens = BrowserMark.MADE, BrowserMark.SHOWN, SessionEffect.OPENS
    identities = "/api/account/identities"
    return (
        Route("GET", "/api/openid/providers", "auth", Access.OPEN),
        Route("POST", "/api/openid/sign-ins", "auth", Access.OPEN, rate_limited=True, browser_mark=made),
        Route(
            "GET",
            "/api/openid/callback",
            "auth",
            Access.OPEN,
            rate_limited=True,
            browser_mark=shown,
            session_effect=opens,
            answer_seconds=PROVIDER_ANSWER_SECONDS,
        ),
        Route(
            "POST",
            "/api/openid/accounts",
            "auth",
            Access.OPEN,
            rate_limited=True,
            browser_mark=shown,
            session_effect=opens,
        ),
        Route("POST", f"{identities}/authorisations", "auth", Access.SESSION, browser_mark=made),
        Route("POST", "/api/session/presence/authorisations", "auth", Access.SESSION, browser_mark=made),
        Route("GET", identities, "auth", Access.SESSION),
        Route("DELETE", f"{identities}/{{identity_id}}", "auth", Access.SESSION),
    )


ROUTES: tuple[Route, ...] = (*_auth(), *_openid(), *_platforms(), *_content(), *_delivery(), *_retention())

OWNERS: tuple[str, ...] = tuple(sorted({route.owner for route in ROUTES}))
"""The services that the edge must be able to reach."""
