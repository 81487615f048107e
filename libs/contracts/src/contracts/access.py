"""Who may do what in a workspace: one table of actions and roles that every service checks against.

docs/permissions.md is written from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a member is in one workspace."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    APPROVER = "approver"
    VIEWER = "viewer"


class Permission(StrEnum):
    """One thing that can be allowed. The value is what a passport and a problem say."""

    WORKSPACE_READ = "workspace.read"
    WORKSPACE_UPDATE = "workspace.update"
    WORKSPACE_DELETE = "workspace.delete"
    OWNERSHIP_TRANSFER = "ownership.transfer"
    MEMBER_MANAGE = "member.manage"
    API_KEY_MANAGE = "api_key.manage"
    CONNECTION_READ = "connection.read"
    CONNECTION_MANAGE = "connection.manage"
    BRAND_WRITE = "brand.write"
    POST_READ = "post.read"
    POST_WRITE = "post.write"
    POST_APPROVE = "post.approve"
    SCHEDULE_WRITE = "schedule.write"
    PUBLICATION_RESOLVE = "publication.resolve"
    PUBLICATION_REMOVE = "publication.remove"
    METRICS_READ = "metrics.read"
    REPORT_WRITE = "report.write"
    USAGE_READ = "usage.read"
    EXPORT_REQUEST = "export.request"
    ERASURE_READ = "erasure.read"


@dataclass(frozen=True)
class Rule:
    """One line of the table: what the permission lets a member do, and which roles have it."""

    permission: Permission
    allows: str
    roles: frozenset[Role]


_OWNER = frozenset({Role.OWNER})
_ADMINS = _OWNER | {Role.ADMIN}
_AUTHORS = _ADMINS | {Role.EDITOR}
_REVIEWERS = _ADMINS | {Role.APPROVER}
_TEAM = _AUTHORS | _REVIEWERS
_EVERYBODY = frozenset(Role)

RULES: tuple[Rule, ...] = (
    Rule(Permission.WORKSPACE_READ, "see the workspace, its settings, its brand kit and who is in it", _EVERYBODY),
    Rule(Permission.WORKSPACE_UPDATE, "change its name, time zone, voice guidelines and settings", _ADMINS),
    Rule(Permission.WORKSPACE_DELETE, "delete it with everything in it", _OWNER),
    Rule(Permission.OWNERSHIP_TRANSFER, "hand one's ownership to another member", _OWNER),
    Rule(Permission.MEMBER_MANAGE, "invite people, change roles up to one's own, remove members", _ADMINS),
    Rule(Permission.API_KEY_MANAGE, "make, list and revoke API keys", _ADMINS),
    Rule(Permission.CONNECTION_READ, "see which accounts on which platforms are connected", _EVERYBODY),
    Rule(Permission.CONNECTION_MANAGE, "connect and disconnect accounts on platforms", _ADMINS),
    Rule(Permission.BRAND_WRITE, "change logo and brand assets", _AUTHORS),
    Rule(Permission.POST_READ, "see posts, schedules and publications", _EVERYBODY),
    Rule(Permission.POST_WRITE, "write posts, upload media, submit for review", _AUTHORS),
    Rule(Permission.POST_APPROVE, "approve posts, ask for changes, withdraw an approval", _REVIEWERS),
    Rule(Permission.SCHEDULE_WRITE, "schedule and publish what is approved, and cancel it", _TEAM),
    Rule(Permission.PUBLICATION_RESOLVE, "retry a failed publication, or say what became of an unknown one", _TEAM),
    Rule(Permission.PUBLICATION_REMOVE, "take a published post off its platform again", _AUTHORS),
    Rule(Permission.METRICS_READ, "see how posts did, and reports on it", _EVERYBODY),
    Rule(Permission.REPORT_WRITE, "make reports and share them with clients", _TEAM),
    Rule(Permission.USAGE_READ, "see who did what in the workspace", _EVERYBODY),
    Rule(Permission.EXPORT_REQUEST, "export everything the workspace holds", _ADMINS),
    Rule(Permission.ERASURE_READ, "follow the erasures of what was in it", _ADMINS),
)

PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {role: frozenset(rule.permission for rule in RULES if role in rule.roles) for role in Role}
)

PERSONAL = frozenset(
    {
        Permission.WORKSPACE_DELETE,
        Permission.OWNERSHIP_TRANSFER,
        Permission.MEMBER_MANAGE,
        Permission.API_KEY_MANAGE,
        Permission.POST_APPROVE,
    }
)
"""What an API key can never have: a program that got lost must not let others in or make itself more keys, and a seal
says that a person has looked."""


def covers(one: Role, other: Role) -> bool:
    """Whether who is `one` may do everything that `other` may, and so may give that role to others."""
    return PERMISSIONS[other] <= PERMISSIONS[one]
