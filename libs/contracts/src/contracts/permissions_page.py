"""docs/permissions.md: who may do what, for people."""

from __future__ import annotations

from contracts.access import PERSONAL, RULES, Role, Rule
from contracts.markdown import table

_INTRODUCTION = """# Permissions

Written by `make contracts` from `contracts.access`, the table that every service checks requests against; edit there.

A person is one thing in each workspace, and nothing in a workspace they are no member of. Their role is looked up for
every request. Without the permission the answer is 403 with its name in `needs`; who is no member gets 404.
"""

_BESIDES = """Besides:

* Nobody gives a role that may do more than their own, and nobody changes or removes who has one: an admin does not
  touch owners.
* A workspace always has an owner: the last one can neither leave nor be removed or made less, only hand the
  workspace on or delete it.
* Deleting the workspace and handing it on need a recent proof of presence.
* An API key may what it was made for and its person still may, and never """


def page() -> str:
    rows = [_row(rule) for rule in RULES]
    personal = ", ".join(f"`{rule.permission}`" for rule in RULES if rule.permission in PERSONAL)
    besides = _BESIDES + f"{personal}.\n"
    return "\n".join([_INTRODUCTION, table(("permission", "lets a member", *Role), rows), besides])


def _row(rule: Rule) -> tuple[str, ...]:
    return (f"`{rule.permission}`", rule.allows, *("✓" if role in rule.roles else "–" for role in Role))
