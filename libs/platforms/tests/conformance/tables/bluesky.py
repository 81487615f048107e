"""Where Bluesky does otherwise than its lexicons say, and what no lexicon covers."""

from __future__ import annotations

from libs.platforms.tests.conformance.table import Difference

WRITES = "POST /xrpc/com.atproto.repo.*"
PUT = "POST /xrpc/com.atproto.repo.putRecord"


def _outside(route: str, where: str) -> Difference:
    return Difference(route, "request", "", "unknown_route", f"No lexicon covers it, but {where}.")


def _error(name: str, status: int, reason: str, *, route: str = WRITES, shown_at: str = PUT) -> Difference:
    rule, example = f"error_name:{name}", {"error": name, "message": "why"}
    return Difference(route, "answer", "/body/error", rule, reason, example=example, status=status, shown_at=shown_at)


DIFFERENCES: tuple[Difference, ...] = (
    _outside("GET /did:plc:*", "the specification of did:plc, the directory's interface"),
    _outside("GET */.well-known/oauth-protected-resource", "RFC 9728"),
    _outside("GET */.well-known/oauth-authorization-server", "RFC 8414"),
    _outside("POST /oauth/par", "RFC 9126"),
    _outside("* /oauth/authorize", "RFC 6749 and the page that a person sees"),
    _outside("POST /oauth/token", "RFC 6749 and RFC 9449"),
    _outside("POST /oauth/revoke", "RFC 7009"),
    _outside("GET /profile/*", "it is the web application's page of a post"),
    _error("use_dpop_nonce", 401, "RFC 9449 names it, and a server repeats the word as its error."),
    _error("invalid_token", 401, "RFC 6750 names it, and a server repeats the word as its error."),
    _error("invalid_dpop_proof", 401, "RFC 9449 names it, and a server repeats the word as its error."),
    _error("BlobNotFound", 400, "The reference server answers it for a file that it does not have (any more)."),
    _error("ScopeMissingError", 403, "The reference server answers it when the person did not grant what is needed."),
    _error("AccountTakedown", 401, "The reference server answers it to every call of such an account."),
)
