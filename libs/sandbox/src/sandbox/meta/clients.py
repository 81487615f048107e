"""The applications a product knows, each with its own secret and its own addresses to be called back at."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Client:
    """A registered application. Without redirect addresses any is accepted, to make a first try easy."""

    client_id: str = "sandbox-client-id"
    client_secret: str = "sandbox-client-secret"  # noqa: S105  # known to everyone on purpose
    redirect_uris: list[str] = field(default_factory=list)
    proof_required: bool = True
    """The application's setting that every call must bring an `appsecret_proof`."""
    webhook_url: str | None = None
    deauthorise_url: str | None = None
    deletion_url: str | None = None
