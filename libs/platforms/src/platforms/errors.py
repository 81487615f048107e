"""What can go wrong at a platform, in the six kinds that decide what happens next."""

from __future__ import annotations

from datetime import datetime

from platforms.limits import Per


class PlatformError(Exception):
    """Base of the six kinds. `code` is the platform's own word, `detail` a sentence without secrets."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class RateLimited(PlatformError):
    """Refused before processing; safe to repeat at `until`.

    `per` is who gets nothing more until then: the account, or all of our application. None: it is about this post
    alone, whose media the platform is still processing for example.
    """

    def __init__(self, code: str, detail: str, *, until: datetime, per: Per | None = None) -> None:
        super().__init__(code, detail)
        self.until = until
        self.per = per


class Transient(PlatformError):
    """Failed before processing; safe to repeat soon."""


class OutcomeUnknown(PlatformError):
    """No answer to a call that may have had its effect. Never repeated blindly."""


class ReauthorisationNeeded(PlatformError):
    """The grant is dead or too narrow: the person must authorise again."""


class Rejected(PlatformError):
    """The platform will not take this post. `advice` says what the person can do."""

    def __init__(self, code: str, detail: str, *, advice: str) -> None:
        super().__init__(code, detail)
        self.advice = advice


class Misconfigured(PlatformError):
    """Our application is set up wrongly at the platform; an operator must act."""
