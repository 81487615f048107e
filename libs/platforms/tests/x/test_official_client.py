"""tweepy, as it is but for its address, against the sandbox: it posts, reads back, counts and deletes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import requests
import tweepy
from platforms.shape import Call
from requests.adapters import HTTPAdapter
from sandbox.server import Sandbox

REAL = "https://api.twitter.com"


class Redirected(HTTPAdapter):
    """Its host is written into it, so the sandbox's takes that place on the way out."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url

    def send(self, request: requests.PreparedRequest, *arguments: Any, **more: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace(REAL, self._base_url)
        return super().send(request, *arguments, **more)


def use(base_url: str, token: str) -> dict[str, Any]:
    client = tweepy.Client(token)
    client.session.mount(REAL, Redirected(base_url))
    me = client.get_me(user_auth=False, user_fields=["verified_type"]).data
    first = client.create_tweet(text="One https://example.com", user_auth=False).data
    client.create_tweet(text="Two", in_reply_to_tweet_id=first["id"], user_auth=False)
    poll = {"poll_options": ["a", "b"], "poll_duration_minutes": 60, "reply_settings": "following"}
    client.create_tweet(text="Three", user_auth=False, **poll)
    with pytest.raises(tweepy.Forbidden, match="duplicate"):
        client.create_tweet(text="Three", user_auth=False)
    listed = client.get_users_tweets(me.id, tweet_fields=["created_at", "referenced_tweets"], max_results=5).data
    metrics = client.get_tweets([first["id"]], tweet_fields=["public_metrics", "non_public_metrics"]).data[0]
    client.delete_tweet(listed[0].id, user_auth=False)
    missing = client.get_tweets([listed[0].id]).errors
    return {"me": me, "first": first, "listed": listed, "metrics": metrics, "missing": missing}


async def test_the_common_client_works_unchanged(call: Call, sandbox: Sandbox) -> None:
    found = await asyncio.to_thread(use, sandbox.base_urls["x"], call.grant.access_token.reveal())
    assert (str(found["me"].id), found["me"].username) == (call.grant.account_id, "brand_one")
    assert found["first"]["text"].startswith("One https://t.co/")
    assert [post.text for post in found["listed"]] == ["Three", "Two", found["first"]["text"]]
    assert [str(each.id) for each in found["listed"][1].referenced_tweets] == [found["first"]["id"]]
    assert set(found["metrics"].public_metrics) >= {"retweet_count", "like_count", "impression_count"}
    assert set(found["metrics"].non_public_metrics) >= {"url_link_clicks", "engagements"}
    assert found["missing"][0]["type"].endswith("resource-not-found")
    assert [post.text for post in sandbox.truth.posts("x")] == ["One https://example.com", "Two"]
