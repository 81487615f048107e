"""Posts in numbers: an organisation's in batches, a member's one number at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from platforms.errors import ReauthorisationNeeded, Rejected
from platforms.linkedin.accounts import Accounts, is_organisation
from platforms.linkedin.answers import MemberCounts, PostsById, Statistics, Totals
from platforms.linkedin.api import LinkedInApi, encoded, listed
from platforms.linkedin.errors import ROLE_CODES
from platforms.shape import Call, Counts, Profile

_SHARE = "urn:li:share:"
_MEMBER_METRICS = {
    "impressions": "IMPRESSION",
    "reach": "MEMBERS_REACHED",
    "shares": "RESHARE",
    "likes": "REACTION",
    "comments": "COMMENT",
}


class Reading:
    """The reading half of the LinkedIn client."""

    def __init__(self, api: LinkedInApi, accounts: Accounts) -> None:
        self._api = api
        self._accounts = accounts

    async def profile(self, call: Call) -> Profile:
        return await self._accounts.profile(call)

    async def insights(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        if is_organisation(call.grant.account_id):
            return await self._of_organisation(call, post_ids)
        found = {urn: await self._of_member(call, urn) for urn in post_ids}
        return {urn: counts for urn, counts in found.items() if counts is not None}

    async def _of_organisation(self, call: Call, post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """A post without any activity is left out of the statistics, and so is one that is gone: posts are read too."""
        there = await self._api.get(call, f"posts?ids={listed(*post_ids)}", PostsById, method="BATCH_GET")
        kept = [urn for urn in post_ids if urn in there.results]
        shares = [urn for urn in kept if urn.startswith(_SHARE)]
        others = [urn for urn in kept if not urn.startswith(_SHARE)]
        totals: dict[str, Totals] = {}
        for name, urns in (("shares", shares), ("ugcPosts", others)):
            if urns:
                totals |= await self._statistics(call, name, urns)
        return {urn: _counts(totals.get(urn, Totals())) for urn in kept}

    async def _statistics(self, call: Call, name: str, urns: Sequence[str]) -> dict[str, Totals]:
        organisation = encoded(call.grant.account_id)
        path = (
            "organizationalEntityShareStatistics?q=organizationalEntity"
            f"&organizationalEntity={organisation}&{name}={listed(*urns)}"
        )
        try:
            told = await self._api.get(call, path, Statistics, method="FINDER")
        except ReauthorisationNeeded as error:
            if error.code not in ROLE_CODES:
                raise
            # Whoever may post and read may still not count, and to authorise again would change nothing of it.
            raise Rejected(
                "statistics_denied",
                "LinkedIn shows an organisation's statistics to its administrators only",
                advice="Have an administrator of the page connect it.",
            ) from None
        return {each.share or each.ugc_post: each.total_share_statistics for each in told.elements}

    async def _of_member(self, call: Call, urn: str) -> Counts | None:
        """None if the post is gone."""
        kind = "share" if urn.startswith(_SHARE) else "ugc"
        told: dict[str, int | None] = {}
        try:
            for name, metric in _MEMBER_METRICS.items():
                path = (
                    f"memberCreatorPostAnalytics?q=entity&entity=({kind}:{encoded(urn)})"
                    f"&queryType={metric}&aggregation=TOTAL"
                )
                answer = await self._api.get(call, path, MemberCounts, method="FINDER")
                told[name] = answer.elements[0].count if answer.elements else 0
        except Rejected as error:
            if error.code in ("NOT_FOUND", "404"):
                return None
            raise
        return Counts(**told)


def _counts(totals: Totals) -> Counts:
    return Counts(
        likes=totals.like_count,
        comments=totals.comment_count,
        shares=totals.share_count,
        impressions=totals.impression_count,
        reach=totals.unique_impressions_count,
        clicks=totals.click_count,
    )
