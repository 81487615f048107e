"""What is known of each platform's authorisation, as its documentation has it, for tests that walk through all nine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Known:
    """One platform: what may be asked, how a grant is renewed, and what the sandbox's first account looks like.

    `needed` is what publishing and metrics cannot do without, `optional` what is asked besides. `dead` is how the
    platform answers a renewal with a dead token: status and body.
    """

    needed: frozenset[str]
    account: dict[str, Any]
    token_route: str
    dead: tuple[int, Any]
    optional: frozenset[str] = frozenset()
    pkce: bool = False
    revokes: bool = True
    separator: str = " "
    rotates: bool = False


_GOOGLE = "https://www.googleapis.com/auth/"
_META_DEAD = {"error": {"message": "Error validating access token", "type": "OAuthException", "code": 190}}

NINE: dict[str, Known] = {
    "tiktok": Known(
        needed=frozenset({"user.info.basic", "user.info.profile", "video.publish", "video.list"}),
        separator=",",
        pkce=True,
        rotates=True,
        token_route="POST /v2/oauth/token/",
        dead=(400, {"error": "invalid_grant", "error_description": "Refresh token is invalid or expired."}),
        account={"account_id": "sandbox-open-id-one", "handle": "brand_one", "account_type": None},
    ),
    "instagram": Known(
        needed=frozenset(
            {
                "instagram_business_basic",
                "instagram_business_content_publish",
                "instagram_business_manage_comments",
                "instagram_business_manage_insights",
            }
        ),
        separator=",",
        revokes=False,
        token_route="GET /refresh_access_token",
        dead=(400, _META_DEAD),
        account={"union_id": "26000000000000001", "handle": "brand_one", "account_type": "Business"},
    ),
    "facebook": Known(
        needed=frozenset(
            {
                "pages_show_list",
                "pages_manage_posts",
                "pages_manage_engagement",
                "pages_read_engagement",
                "pages_read_user_content",
                "read_insights",
            }
        ),
        optional=frozenset({"business_management"}),
        separator=",",
        token_route="POST /v26.0/oauth/access_token",
        dead=(400, _META_DEAD),
        account={"union_id": "10220000000000001", "handle": "brand.one", "account_type": "Brand"},
    ),
    "threads": Known(
        needed=frozenset(
            {
                "threads_basic",
                "threads_content_publish",
                "threads_manage_insights",
                "threads_manage_replies",
                "threads_read_replies",
            }
        ),
        optional=frozenset({"threads_delete"}),
        separator=",",
        revokes=False,
        token_route="GET /refresh_access_token",
        dead=(400, _META_DEAD),
        account={"account_id": "25000000000000001", "handle": "brand_one", "account_type": None},
    ),
    "x": Known(
        needed=frozenset({"tweet.read", "tweet.write", "users.read", "media.write", "offline.access"}),
        pkce=True,
        rotates=True,
        token_route="POST /2/oauth2/token",
        dead=(400, {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}),
        account={"account_id": "2244994945", "handle": "brand_one", "account_type": None},
    ),
    "linkedin": Known(
        needed=frozenset(
            {
                "r_basicprofile",
                "w_member_social",
                "r_member_postAnalytics",
                "r_organization_social",
                "w_organization_social",
                "rw_organization_admin",
            }
        ),
        token_route="POST /oauth/v2/accessToken",
        dead=(
            400,
            {
                "error": "invalid_request",
                "error_description": "The provided authorization grant or refresh token is invalid, expired or"
                " revoked.",
            },
        ),
        account={"union_id": "urn:li:person:3871ef10b7", "handle": "brand_one", "account_type": "member"},
    ),
    "youtube": Known(
        needed=frozenset({f"{_GOOGLE}youtube.force-ssl"}),
        optional=frozenset({f"{_GOOGLE}yt-analytics.readonly"}),
        pkce=True,
        token_route="POST /token",
        dead=(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}),
        account={"handle": "@brand_one", "display_name": "Brand One", "account_type": None},
    ),
    "bluesky": Known(
        needed=frozenset(
            {
                "atproto",
                "repo:app.bsky.feed.post?action=create&action=update",
                "repo:app.bsky.feed.threadgate?action=create",
                "repo:app.bsky.feed.postgate?action=create",
                "blob:image/*",
                "rpc:com.atproto.repo.uploadBlob?aud=*",
                "rpc:app.bsky.video.getUploadLimits?aud=*",
            }
        ),
        optional=frozenset(
            {
                "repo:app.bsky.feed.post?action=delete",
                "repo:app.bsky.feed.threadgate?action=delete",
                "repo:app.bsky.feed.postgate?action=delete",
            }
        ),
        pkce=True,
        rotates=True,
        token_route="POST /oauth/token",
        dead=(400, {"error": "invalid_grant", "error_description": "Refresh token replayed"}),
        account={"account_id": "did:plc:bbslyu3mt4aa4wn455fijvck", "handle": "brand.test", "account_type": None},
    ),
    "pinterest": Known(
        needed=frozenset({"user_accounts:read", "boards:read", "boards:write", "pins:read", "pins:write"}),
        separator=",",
        revokes=False,
        rotates=True,
        token_route="POST /v5/oauth/token",
        dead=(400, {"code": 283, "message": "Invalid grant"}),
        account={"handle": "brand_one", "account_type": "business"},
    ),
}
