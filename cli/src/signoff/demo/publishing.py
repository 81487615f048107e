"""The first half of the demo: from sign-up to a post that is out, exactly once, exactly as approved."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.sealing import seal_message
from kit.keys import BadSignature, TrustedKeys
from sandbox.consent import give_consent
from sandbox.truth import Post

from signoff.demo.media import make_image, make_video
from signoff.demo.person import Person, eventually
from signoff.demo.stage import ZONE, Stage

PLATFORMS = {"tiktok": "TikTok", "bluesky": "Bluesky"}
"""What is connected, and how it writes itself."""

HANDLES = {"bluesky": "brand.test"}
"""Where the platform wants to know the account before it shows its page."""

AHEAD = timedelta(seconds=4)
"""How long before its time the post is scheduled: long enough to see it wait."""


async def sign_up(stage: Stage) -> None:
    """Two people, one workspace."""
    stage.line.chapter("Two people and a workspace")
    for person in (stage.owner, stage.editor):
        stage.line.act(person.who, "signs up, follows the link in the letter and signs in")
        await _join(stage, person)
    stage.line.act("owner", "opens the workspace “Sunrise” and invites the editor by mail")
    made = await stage.owner.ask(
        "POST", "/api/workspaces", expect=201, json={"name": "Sunrise", "time_zone": str(ZONE)}
    )
    stage.workspace_id = made["workspace_id"]
    invitation = {"email": stage.editor.email, "role": "editor"}
    await stage.owner.ask("POST", f"{stage.workspace}/invitations", expect=201, json=invitation)
    stage.line.act("editor", "follows the link in the letter")
    await stage.editor.accept_invitation(stage.system.surroundings.installation.mail)
    async with Person("stranger", "", stage.system.gateway_url) as stranger:
        status = await stranger.status("GET", f"{stage.workspace}/posts")
    stage.line.check("Without a session nobody gets in", expected=401, found=status)


async def _join(stage: Stage, person: Person) -> None:
    mail = stage.system.surroundings.installation.mail
    await person.sign_up(mail, full_name=person.who.title(), time_zone=str(ZONE), language="en")
    answer = await person.sign_in()
    if person is stage.owner:
        found = sorted(answer)
        stage.line.check(
            "The session's token is in the cookie alone", expected=["account_id", "expires_at"], found=found
        )


async def connect(stage: Stage) -> None:
    """Both platforms, through their own consent pages."""
    stage.line.chapter("Two platforms, each authorised on its own page")
    for platform, name in PLATFORMS.items():
        stage.line.act("owner", f"connects {name} and allows what is asked on its page")
        wish = {"platform": platform} | ({"handle": HANDLES[platform]} if platform in HANDLES else {})
        path = f"{stage.workspace}/connections/authorisations"
        started = await stage.owner.ask("POST", path, expect=201, json=wish)
        callback = await give_consent(stage.owner.http, started["authorisation_url"])
        connection = await stage.owner.ask("GET", callback.removeprefix(stage.system.gateway_url))
        stage.connections[platform] = connection["connection_id"]
        stage.handles[platform] = connection["handle"]
        stage.line.note(f"@{connection['handle']} · {connection['state']} · scopes: {', '.join(connection['scopes'])}")
    listed = (await stage.owner.ask("GET", f"{stage.workspace}/connections"))["connections"]
    states = {entry["platform"]: entry["state"] for entry in listed}
    stage.line.check("Both connections are active", expected=dict.fromkeys(PLATFORMS, "active"), found=states)


async def write_and_review(stage: Stage) -> None:
    """A video, an image, a post; submitted by one person, approved by another."""
    stage.line.chapter("A post, and the signature that lets it out")
    video = await _upload(stage, "video/mp4", make_video())
    image = await _upload(stage, "image/jpeg", make_image())
    stage.line.act("editor", "writes a post with a variant for each platform and submits it")
    body = _post(stage, video["media_id"], image["media_id"])
    saved = await stage.editor.ask("POST", f"{stage.workspace}/posts", expect=201, json=body)
    revision = {"revision_id": saved["revision_id"]}
    path = f"{stage.workspace}/posts/{saved['post_id']}"
    too_early = await stage.owner.status("POST", f"{stage.workspace}/schedules", json=_schedule(stage, saved, None))
    stage.line.judge(
        "What is not approved cannot be scheduled", expected="4xx", found=str(too_early), passed=400 <= too_early < 500
    )
    await stage.editor.ask("POST", f"{path}/submission", json=revision)
    status = await stage.editor.status("POST", f"{path}/approval", json=revision)
    stage.line.check("An editor cannot approve", expected=403, found=status)
    stage.line.act("owner", "reads it and approves exactly this revision")
    stage.post = await stage.owner.ask("POST", f"{path}/approval", json=revision)
    seal = _approved(stage)["seal"]
    stage.line.note(f"seal {seal['signature'][:12]}… over content {seal['content_hash'][:12]}…")
    stage.line.check("The seal is content's signature over it", expected="genuine", found=_seal_verdict(stage, seal))


async def _upload(stage: Stage, content_type: str, data: bytes) -> dict[str, Any]:
    stage.line.act("editor", f"uploads {content_type}, {len(data) / 1000:.0f} kB")
    headers = {"Content-Type": content_type}
    stored: dict[str, Any] = await stage.editor.ask(
        "POST", f"{stage.workspace}/media", expect=201, content=data, headers=headers
    )
    about = [f"{stored['width']}×{stored['height']}", f"sha256 {stored['sha256'][:12]}…"]
    if stored["duration_seconds"]:
        about.insert(1, f"{stored['duration_seconds']:g} s")
    stage.line.note(" · ".join(about))
    return stored


def _post(stage: Stage, video_id: str, image_id: str) -> dict[str, Any]:
    tiktok = {
        "connection_id": stage.connections["tiktok"],
        "text": f"{stage.text} #sunrise",
        "media": [{"media_id": video_id}],
        "settings": {"privacy_level": "PUBLIC_TO_EVERYONE"},
    }
    bluesky = {
        "connection_id": stage.connections["bluesky"],
        "text": f"{stage.text} https://example.com #sunrise",
        "media": [{"media_id": image_id, "alt_text": "A pale sun above green hills"}],
        "settings": {"langs": ["en"]},
    }
    return {"title": "Sunrise", "variants": [tiktok, bluesky]}


def _approved(stage: Stage) -> dict[str, Any]:
    revision: dict[str, Any] = stage.post["revisions"][0]
    return revision


def _seal_verdict(stage: Stage, seal: dict[str, Any]) -> str:
    trusted = TrustedKeys.load(stage.system.surroundings.installation.trusted_keys)
    approved_at = datetime.fromisoformat(seal["approved_at"])
    message = seal_message(seal["content_hash"], [UUID(id_) for id_ in seal["approved_by"]], approved_at)
    signature = base64.urlsafe_b64decode(seal["signature"] + "=" * (-len(seal["signature"]) % 4))
    try:
        trusted.verify("content", message, signature)
    except BadSignature as error:
        return str(error)
    return "genuine"


def _schedule(stage: Stage, post: dict[str, Any], at: datetime | None) -> dict[str, Any]:
    wish = {
        "post_id": post["post_id"],
        "revision_id": post["revision_id"],
        "connection_ids": list(stage.connections.values()),
        "time_zone": str(ZONE),
    }
    return wish | ({"at": at.replace(tzinfo=None).isoformat(timespec="seconds")} if at else {})


async def publish(stage: Stage) -> None:
    """Schedule by the clock on the wall, and see both posts appear."""
    stage.line.chapter("Out at the second, once")
    due = (stage.system.clock.now() + AHEAD).astimezone(ZONE).replace(microsecond=0)
    stage.line.act("owner", f"schedules it for {due:%H:%M:%S} in {ZONE}")
    made = await stage.owner.ask(
        "POST", f"{stage.workspace}/schedules", expect=201, json=_schedule(stage, stage.post, due)
    )
    stage.line.check("The wall clock in Berlin is the instant meant", expected=due, found=_instant(made["due_at"]))

    async def out() -> list[dict[str, Any]] | None:
        path = f"{stage.workspace}/publications?schedule_id={made['schedule_id']}"
        found: list[dict[str, Any]] = (await stage.editor.ask("GET", path))["publications"]
        ended = [entry for entry in found if entry["state"] in ("failed", "needs_attention", "cancelled")]
        told = [entry for entry in found if entry["state"] == "published" and entry["platform_post_id"]]
        return found if ended or len(told) == len(PLATFORMS) else None

    with stage.line.waiting(f"until {due:%H:%M:%S}, and until TikTok has looked at the video"):
        entries = await eventually(out, what="both publications")
    for entry in entries:
        stage.publications[entry["platform"]] = entry
        stage.line.note(f"{entry['platform']}: {entry['state']} as {entry['platform_post_id']} · {entry['url']}")
    for platform in PLATFORMS:
        _compare_with_truth(stage, platform, due)


def _compare_with_truth(stage: Stage, platform: str, due: datetime) -> None:
    entry, line = stage.publications[platform], stage.line
    truth = stage.sandbox.truth.posts(platform)
    name = PLATFORMS[platform]
    line.check(f"{name} has it exactly once", expected="1 post, 1 write", found=_counted(truth))
    if not truth:
        return
    line.check(f"{name} shows the post we say it shows", expected=truth[0].post_id, found=entry["platform_post_id"])
    variant = next(v for v in _approved(stage)["variants"] if v["platform"] == platform)
    line.check(f"{name} has the text that was approved", expected=variant["text"], found=truth[0].text)
    line.check(
        f"{name} has the bytes that were approved",
        expected=[media["sha256"] for media in variant["media"]],
        found=[media.sha256 for media in truth[0].media],
    )
    late = (truth[0].posted_at - due).total_seconds()
    line.judge(f"{name} got it on time", expected="0 to 3 s after", found=f"{late:+.2f} s", passed=0 <= late <= 3)


def _counted(truth: list[Post]) -> str:
    return f"{len(truth)} post, {sum(post.writes for post in truth)} write"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def measure(stage: Stage) -> None:
    """Numbers are taken while the clock runs ahead, and they grow."""
    stage.line.chapter("Numbers that grow")
    first = await _views(stage, at_least=1)
    stage.line.act("clock", "a day passes; access tokens run out and are renewed meanwhile")
    stage.system.clock.advance(timedelta(days=1))
    second = await _views(stage, at_least=2)
    for platform, name in PLATFORMS.items():
        grown = sum(second[platform]) > sum(first[platform])
        found = f"{sum(first[platform])} → {sum(second[platform])}"
        stage.line.judge(f"{name}'s numbers grew", expected="more", found=found, passed=grown)


async def _views(stage: Stage, *, at_least: int) -> dict[str, list[int]]:
    """The newest numbers of each publication, once so many snapshots of it were taken."""
    numbers = ("views", "likes", "comments", "shares", "impressions")
    newest: dict[str, list[int]] = {}
    for platform, entry in stage.publications.items():
        path = f"{stage.workspace}/publications/{entry['publication_id']}/metrics"

        async def taken(path: str = path) -> list[dict[str, Any]] | None:
            answer = await stage.editor.find(path)
            snapshots: list[dict[str, Any]] = answer["snapshots"] if answer else []
            return snapshots if len(snapshots) >= at_least else None

        snapshots = await eventually(taken, what=f"{at_least} snapshots of {platform}")
        last = max(snapshots, key=lambda snapshot: str(snapshot["taken_at"]))
        newest[platform] = [last[name] or 0 for name in numbers]
        shown = ", ".join(f"{last[name]} {name}" for name in numbers if last[name] is not None)
        stage.line.note(f"{platform}: {shown}")
    return newest
