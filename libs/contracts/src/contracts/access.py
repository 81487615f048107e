"""Who may do what in a workspace: one table of roles and permissions that every service checks against."""

from __future__ import annotations

from collections.abc import Mapping
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
    WORKSPACE_DELETE = "workspace.delete"
    MEMBER_MANAGE = "member.manage"
    CONNECTION_READ = "connection.read"
    CONNECTION_MANAGE = "connection.manage"
    POST_READ = "post.read"
    POST_WRITE = "post.write"
    POST_APPROVE = "post.approve"
    SCHEDULE_WRITE = "schedule.write"
    METRICS_READ = "metrics.read"
    ERASURE_READ = "erasure.read"


_READ = {
    Permission.WORKSPACE_READ,
    Permission.CONNECTION_READ,
    Permission.POST_READ,
    Permission.METRICS_READ,
}
_EDIT = _READ | {Permission.POST_WRITE, Permission.SCHEDULE_WRITE}
_ADMINISTER = _EDIT | {
    Permission.POST_APPROVE,
    Permission.MEMBER_MANAGE,
    Permission.CONNECTION_MANAGE,
    Permission.ERASURE_READ,
}

PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.VIEWER: frozenset(_READ),
        Role.EDITOR: frozenset(_EDIT),
        Role.APPROVER: frozenset(_READ | {Permission.POST_APPROVE, Permission.SCHEDULE_WRITE}),
        Role.ADMIN: frozenset(_ADMINISTER),
        Role.OWNER: frozenset(Permission),
    }
)
