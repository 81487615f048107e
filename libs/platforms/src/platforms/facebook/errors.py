"""Facebook's own error codes beside those of all Meta products (`platforms.meta.errors`).

Of some subcodes different clients tell different things; those are final, with what Facebook tells the person.
"""

from __future__ import annotations

from platforms.meta.errors import ERRORS, Kind, Row, Table

WRONG_OFFSET = (1363037, 1363045)
"""Subcodes of a chunk that is not the one Facebook expects; the answer tells which is."""

_HICCUP = Row(Kind.REPEAT, "the upload stumbled")
_BAD_FILE = Row(Kind.REJECT, "Facebook cannot use the video", "Export it as MP4 (H.264, AAC) and upload it again.")
_BAD_IMAGE = Row(Kind.REJECT, "Facebook cannot use the image", "Export it as JPEG or PNG and upload it again.")
_UPLOAD_FORBIDDEN = Row(Kind.AUTHORISE_AGAIN, "the permission to upload videos is missing")
_LOOK_AT_PAGE = Row(Kind.REJECT, "Facebook refused the post", "Look at the Page, change the post or its settings.")

FACEBOOK_ERRORS: Table = {
    **ERRORS,
    (101, None): Row(Kind.OPERATOR, "Facebook does not know our application"),
    (324, None): Row(Kind.REJECT, "the image is missing or broken", "Upload the image again."),
    (352, None): _BAD_FILE,
    (382, None): Row(Kind.REJECT, "the video is too small", "Export it with more pixels or a longer running time."),
    (389, None): Row(Kind.REPEAT, "Facebook could not fetch the video"),
    (6000, None): Row(Kind.REPEAT, "there was a problem with the upload of the video"),
    (6001, None): Row(Kind.REPEAT, "there was a problem with the upload of the video"),
    **{(None, subcode): _HICCUP for subcode in (1363019, 1363021, 1363030, 1363033, 1363041)},
    **{(None, subcode): Row(Kind.REPEAT, "the chunk was not the expected one") for subcode in WRONG_OFFSET},
    **{(None, subcode): _BAD_FILE for subcode in (1363022, 1363023, 1363024, 1363025, 1363026, 1363031, 1363032)},
    **{(None, subcode): _UPLOAD_FORBIDDEN for subcode in (1363005, 1363042)},
    (None, 1366046): _BAD_IMAGE,
    **{(None, subcode): _LOOK_AT_PAGE for subcode in (1346003, 1349125, 1363047, 1390008, 1609008, 1609010, 2061006)},
    (None, 1366051): Row(
        Kind.LOOK, "these photos are posted already", "Look at the Page; upload the photos again to post them anew."
    ),
    (None, 1404006): Row(
        Kind.REJECT, "Facebook asks for a security check", "Log in at Facebook, pass the check, then schedule anew."
    ),
    (None, 1404078): Row(
        Kind.REJECT,
        "the Page's publishing authorisation is missing",
        "Complete the Page Publishing Authorisation at Facebook, then schedule anew.",
    ),
    (None, 1404102): Row(
        Kind.REJECT,
        "the post breaks Facebook's community standards",
        "Change the post; repeating it makes things worse.",
    ),
    (None, 1404112): Row(
        Kind.REJECT, "the account is limited for now", "Look at the account's support inbox, and wait."
    ),
    (None, 4854002): Row(
        Kind.REJECT, "Facebook wants the person to confirm who they are", "Confirm it at Facebook, then schedule anew."
    ),
}
