"""What a person can do wrong with posts and media, each with its own code over HTTP."""

from __future__ import annotations

from http import HTTPStatus

from kit.problems import Conflict, NotFound, Problem


class PostMissing(NotFound):
    title = "There is no such post here"


class NothingLinked(NotFound):
    """The link is expired, forged, or its object is gone. Which of them is nobody's business."""

    title = "There is nothing at this address"


class RangeOutside(Problem):
    """The range that was asked for begins beyond the object's end."""

    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    code = "range-outside"
    title = "The file ends before the range begins"

    def __init__(self, size_bytes: int) -> None:
        super().__init__(headers={"Content-Range": f"bytes */{size_bytes}"})


class RevisionMissing(NotFound):
    title = "There is no such revision here"


class RevisionOutdated(Conflict):
    """The decision names another revision than the post's newest."""

    code = "revision-outdated"
    title = "The post was changed meanwhile; look at its newest revision"


class WrongState(Conflict):
    """The step does not follow from the post's state, which `state` tells."""

    code = "wrong-state"
    title = "The post is not in a state that allows this"


class TooManyRevisions(Conflict):
    code = "too-many-revisions"
    title = "The post has as many revisions as one may have; start a new post"


class PlatformRules(Problem):
    """A platform would refuse the post; `errors` names every place."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "platform-rules"
    title = "A platform would not take this post"


class MediaTooLarge(Problem):
    """`limit_bytes` is what the declared type may have."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "media-too-large"
    title = "The file is too large"


class MediaNotUnderstood(Problem):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "media-not-understood"
    title = "The file is not an image or video of the type it is said to be"
