"""The imitated identity services: handles, the DID directory, and the well-known documents."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get

from sandbox.bluesky.answers import AnyRequest, XrpcError, json_response
from sandbox.bluesky.state import BlueskyState
from sandbox.bluesky.xrpc import Methods


def create_router(methods: Methods, state: BlueskyState) -> Router:
    """Routes that lead from a handle to the authorisation server."""

    @methods.query("com.atproto.identity.resolveHandle")
    def resolve_handle(request: AnyRequest) -> Response[bytes]:
        account = state.account_of(request.query_params.get("handle", ""))
        if account is None:
            raise XrpcError(400, "InvalidRequest", "Unable to resolve handle")
        return json_response({"did": account.did})

    @get("/{did:str}", sync_to_thread=False)
    def did_document(request: AnyRequest) -> Response[bytes]:
        did = str(request.path_params["did"])
        account = state.accounts.get(did)
        if account is None:
            return json_response({"message": f"DID not registered: {did}"}, status=404)
        service = {
            "id": "#atproto_pds",
            "type": "AtprotoPersonalDataServer",
            "serviceEndpoint": state.base_url,
        }
        return json_response({"id": did, "alsoKnownAs": [f"at://{account.handle}"], "service": [service]})

    @get("/.well-known/oauth-protected-resource", sync_to_thread=False)
    def protected_resource() -> Response[bytes]:
        return json_response(
            {
                "resource": state.base_url,
                "authorization_servers": [state.base_url],
                "scopes_supported": [],
                "bearer_methods_supported": ["header"],
            }
        )

    @get("/.well-known/oauth-authorization-server", sync_to_thread=False)
    def authorisation_server() -> Response[bytes]:
        return json_response(_metadata(state.base_url))

    return Router("/", route_handlers=[did_document, protected_resource, authorisation_server])


def _metadata(base_url: str) -> dict[str, Any]:
    return {
        "issuer": base_url,
        "authorization_endpoint": f"{base_url}/oauth/authorize",
        "token_endpoint": f"{base_url}/oauth/token",
        "pushed_authorization_request_endpoint": f"{base_url}/oauth/par",
        "revocation_endpoint": f"{base_url}/oauth/revoke",
        "jwks_uri": f"{base_url}/oauth/jwks",
        "scopes_supported": ["atproto", "transition:generic", "transition:email", "transition:chat.bsky"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "require_pushed_authorization_requests": True,
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
    }
