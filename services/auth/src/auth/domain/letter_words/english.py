"""Letters in English."""

from __future__ import annotations

from collections.abc import Mapping

from auth.domain.letter_words.words import Words
from auth.domain.letters import LetterKind

CLOSING = "Signoff sent this by itself; nobody reads answers to it."

WORDS: Mapping[LetterKind, Words] = {
    LetterKind.VERIFY_ADDRESS: Words(
        "Confirm your e-mail address",
        (
            "Somebody, hopefully you, signed up to Signoff with this e-mail address.",
            "If it was you, open this link within a day to confirm it: {link}",
            "If it was not you, do not open the link. Without it there will be no account.",
        ),
    ),
    LetterKind.ADDRESS_KNOWN: Words(
        "You have an account already",
        (
            "Somebody, perhaps you, wanted to use this e-mail address for an account at Signoff. It belongs to yours"
            " already, so nothing was changed.",
            "If it was you, sign in as usual: {web}. If you forgot your password, you can ask for a new one there.",
        ),
    ),
    LetterKind.APPROVAL_WAITING: Words(
        "A new account waits for approval",
        (
            "{email} signed up and confirmed the address. The account waits until you approve or refuse it.",
            "The account's id: {account_id}",
        ),
    ),
    LetterKind.ACCOUNT_APPROVED: Words(
        "Your account is approved",
        ("Your account at Signoff was approved. You can sign in from now on: {web}",),
    ),
    LetterKind.ACCOUNT_REFUSED: Words(
        "Your account was not approved",
        ("Your account at Signoff was not approved. What you told us when you signed up is being erased.",),
    ),
    LetterKind.RESET_PASSWORD: Words(
        "Choose a new password",
        (
            "Somebody, hopefully you, asked for a new password for your account at Signoff.",
            "If it was you, open this link within 30 minutes and choose one: {link}",
            "If it was not you, you need not do anything: your password stays as it is.",
        ),
    ),
    LetterKind.PASSWORD_CHANGED: Words(
        "Your password was changed",
        (
            "The password of your account at Signoff was changed, and every other session was ended.",
            "If it was not you, choose a new one now: {web}",
        ),
    ),
    LetterKind.CHANGE_ADDRESS: Words(
        "Confirm your new e-mail address",
        (
            "Somebody, hopefully you, wants to use this e-mail address for their account at Signoff.",
            "If it was you, open this link within a day to confirm it: {link}",
            "If it was not you, do not open the link. Without it nothing is changed.",
        ),
    ),
    LetterKind.ADDRESS_CHANGE_ASKED: Words(
        "Your e-mail address is about to change",
        (
            "Somebody who knows your password asked to change the e-mail address of your account at Signoff. It changes"
            " as soon as the new address is confirmed.",
            "If it was not you, change your password now; that stops it: {web}",
        ),
    ),
    LetterKind.ADDRESS_CHANGED: Words(
        "Your e-mail address was changed",
        (
            "Your account at Signoff has a new e-mail address. This one is not used any more.",
            "If it was not you, write to whoever runs Signoff for you, at once.",
        ),
    ),
    LetterKind.NEW_SIGN_IN: Words(
        "A new sign-in to your account",
        (
            "Somebody, hopefully you, signed in to your account at Signoff from a device that was not seen before.",
            "When: {at}",
            "Device: {device}",
            "From: {place}",
            "If it was not you, change your password now; that ends every other session: {web}",
        ),
    ),
    LetterKind.LOCKED_OUT: Words(
        "Sign-in to your account is paused",
        (
            "Somebody tried wrong passwords for your account at Signoff too often. Sign-in is paused for a while.",
            "It opens again at {until}.",
            "If it was not you, your password has held, and you need not do anything.",
        ),
    ),
    LetterKind.SECOND_FACTOR_CHANGED: Words(
        "How you sign in was changed",
        (
            "A second factor of your account at Signoff was added, removed or replaced.",
            "What was changed: {change}",
            "If it was not you, change your password and look at your second factors now: {web}",
        ),
    ),
    LetterKind.IDENTITY_LINKED: Words(
        "There is another way to sign in",
        (
            "From now on your account at Signoff can be signed in to through this provider: {provider}",
            "If it was not you, sign in, unlink the provider and end all other sessions now: {web}",
        ),
    ),
    LetterKind.INVITATION: Words(
        "You are invited to Signoff",
        (
            "You are invited to work with others at Signoff.",
            "Who invites you: {inviter}",
            "Organisation: {organisation}",
            "Workspace: {workspace}",
            "Your role: {role}",
            "To accept, open this link within a week: {link}",
            "If you do not know who this is, do not open it.",
        ),
    ),
    LetterKind.OWNERSHIP_TRANSFERRED: Words(
        "Ownership was transferred",
        (
            "The ownership of something you belong to at Signoff was transferred.",
            "Organisation: {organisation}",
            "Workspace: {workspace}",
            "The new owner: {owner}",
        ),
    ),
    LetterKind.CONNECTION_NEEDS_YOU: Words(
        "A connection needs you",
        (
            "A connection to a platform does not work any more. Nothing is published through it until somebody"
            " authorises it again: {web}",
            "Platform: {platform}",
            "Account: {handle}",
            "Workspace: {workspace}",
        ),
    ),
    LetterKind.CONNECTION_ENDS: Words(
        "A connection ends soon",
        (
            "The authorisation of a connection ends soon, and only a person can renew it: {web}",
            "Platform: {platform}",
            "Account: {handle}",
            "Workspace: {workspace}",
            "It ends at: {ends_at}",
        ),
    ),
    LetterKind.CONNECTION_WAITS: Words(
        "A connection waits for its platform",
        (
            "A platform does not renew our access just now, and what it gave us has run out. Posts wait meanwhile, and"
            " we go on asking. If it lasts, authorising again may help: {web}",
            "Platform: {platform}",
            "Account: {handle}",
            "Workspace: {workspace}",
        ),
    ),
    LetterKind.ACCOUNT_DELETED: Words(
        "Your account is deleted",
        (
            "Your account at Signoff is closed, and what is held about you is being erased.",
            "You can follow the erasure under this number: {erasure_id}",
        ),
    ),
    LetterKind.POLICY_CHANGED: Words(
        "Our privacy policy changes",
        (
            "The privacy policy of Signoff changes.",
            "It holds from {valid_from} on.",
            "{summary}",
            "Read it here: {policy}",
        ),
    ),
    LetterKind.INCIDENT: Words(
        "An incident that concerns you",
        ("Something happened at Signoff that concerns your data.", "{summary}", "What you can do: {advice}"),
    ),
}
