"""The commands `signoff accounts` and `signoff notify`. What they need is imported when one is called."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from signoff.parameters import DATA, Data, DryRun, Yes

accounts = App(name="accounts", help="What an operator decides about people.")
notify = App(name="notify", help="Write to people: a change of policy, or an incident that concerns them.")

AccountName = Annotated[str, Parameter(help="The account's id or e-mail address.")]
Workspace = Annotated[str | None, Parameter(help="Only the members of this workspace (its id).")]
Connected = Annotated[str | None, Parameter(help="Only members of workspaces connected to this platform.")]
Since = Annotated[str | None, Parameter(help="Only who signed in at this time or later (RFC 3339).")]
Until = Annotated[str | None, Parameter(help="Only who signed in at this time or before.")]


@accounts.command
def waiting(*, data: Data = DATA) -> int:
    """List who signed up and waits for approval, longest first."""
    from signoff.accounts import list_waiting  # noqa: PLC0415

    return list_waiting(data)


@accounts.command
def approve(who: AccountName, *, data: Data = DATA) -> int:
    """Let a person in who waits."""
    from signoff.accounts import approve as run_approve  # noqa: PLC0415

    return run_approve(data, who)


@accounts.command
def refuse(who: AccountName, *, data: Data = DATA) -> int:
    """Erase the account of a person who waits, and tell them."""
    from signoff.accounts import refuse as run_refuse  # noqa: PLC0415

    return run_refuse(data, who)


@accounts.command
def erase(who: AccountName, *, data: Data = DATA, yes: Yes = False) -> int:
    """Erase an account at once with all that only it owns: a child's, or that of a person who asks by mail."""
    from signoff.accounts import erase as run_erase  # noqa: PLC0415

    if not yes and input(f"Erase {who} for good? Type yes: ") != "yes":
        print("nothing was done")
        return 1
    return run_erase(data, who)


@notify.command(name="policy")
def notify_policy(*, summary: str, valid_from: str, policy: str, dry_run: DryRun = False, data: Data = DATA) -> int:
    """Tell everybody that the privacy policy changes.

    Parameters
    ----------
    summary
        What changes, in a sentence or two.
    valid_from
        From when it holds, as people read it.
    policy
        Where it can be read.
    """
    from auth.domain.letters import LetterKind  # noqa: PLC0415

    from signoff.accounts import Addressees  # noqa: PLC0415
    from signoff.accounts import notify as run_notify  # noqa: PLC0415

    facts = {"summary": summary, "valid_from": valid_from, "policy": policy}
    return run_notify(data, LetterKind.POLICY_CHANGED, facts, Addressees(), dry_run=dry_run)


@notify.command(name="incident")
def notify_incident(
    *,
    summary: str,
    advice: str,
    workspace: Workspace = None,
    platform: Connected = None,
    active_from: Since = None,
    active_until: Until = None,
    dry_run: DryRun = False,
    data: Data = DATA,
) -> int:
    """Tell the people whom an incident concerns; without a choice, everybody. With --dry-run, how many they are.

    Parameters
    ----------
    summary
        What happened, in a sentence or two.
    advice
        What a person should do.
    """
    from auth.domain.letters import LetterKind  # noqa: PLC0415

    from signoff.accounts import Addressees  # noqa: PLC0415
    from signoff.accounts import notify as run_notify  # noqa: PLC0415

    concerned = Addressees(workspace, platform, active_from, active_until)
    facts = {"summary": summary, "advice": advice}
    return run_notify(data, LetterKind.INCIDENT, facts, concerned, dry_run=dry_run)
