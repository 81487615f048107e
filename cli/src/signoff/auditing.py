"""The commands `signoff audit`. What they need is imported when one is called."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from signoff.parameters import DATA, Data

audit = App(name="audit", help="Compare what is believed with what is there. See docs/operating-audits.md.")


@audit.command
def publications(
    *,
    since: Annotated[str, Parameter(help="How far to look back, 7d at most.")] = "24h",
    data: Data = DATA,
    as_json: Annotated[bool, Parameter(name="--json", negative=(), help="One JSON object instead of lines.")] = False,
) -> int:
    """Have the running publisher compare plan, publications and platforms, and print each difference; code 1 if any."""
    from signoff.audits import audit_publications  # noqa: PLC0415

    return audit_publications(data, since, as_json=as_json)
