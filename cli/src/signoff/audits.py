"""`signoff audit publications`: what was published, held against the plan and against what the platforms show."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from datetime import timedelta
from pathlib import Path

from kit.database import Database, Scope, Units
from kit.ids import new_id
from kit.settings import SettingError, read_duration
from publisher.adapters.audit_rows import BACK_MAX, AuditRows
from publisher.domain.auditing import SETTLED, Difference, Kind
from publisher.ports.auditing import AuditStore, Report, Run

from signoff.opening import with_database

TAKEN_SECONDS = 30.0
"""A publisher that runs looks for audits every two seconds."""

LOOK_SECONDS = 0.5


def audit_publications(data: Path, since: str, *, as_json: bool) -> int:
    """Have the publisher audit that period, wait, and print what it found; code 1 if anything differs."""
    span = read_duration(since)
    if not timedelta() < span <= BACK_MAX:
        raise SettingError(f"--since: from 1s to {BACK_MAX.days}d")
    report = with_database(data, "publisher", lambda database: _carried_out(database, span))
    differences = [each for each in report.findings if each.kind is not Kind.NOT_LOOKED]
    if as_json:
        print(json.dumps(_document(report), indent=2, ensure_ascii=False))
    else:
        _print(report, differences)
    return 1 if differences else 0


async def _carried_out(database: Database, span: timedelta) -> Report:
    units: Units[AuditStore] = Units(database, AuditRows)
    until = database.clock.now() - SETTLED
    run = Run(new_id(), until - span, until, None)
    async with units(Scope.worker()) as store:
        await store.plan(run, asked=True)
    taken_by = time.monotonic() + TAKEN_SECONDS
    while True:
        async with units(Scope.worker()) as store:
            report = await store.report(run.run_id)
            withdrawn = time.monotonic() > taken_by and await store.withdraw(run.run_id)
        if withdrawn or report is None:
            raise SettingError("no publisher took the audit: is the system running?")
        if report.state == "done":
            return report
        await asyncio.sleep(LOOK_SECONDS)


def _print(report: Report, differences: list[Difference]) -> None:
    for each in report.findings:
        print(_line(each))
    counts = report.counts
    print(
        f"{report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC: {counts['planned']:,} planned,"
        f" {counts['publications']:,} publications, {counts['accounts']:,} accounts looked through"
        f" ({counts['listed_in_part']:,} listed in part, {counts['not_looked_at']:,} not at all),"
        f" {counts['strangers']:,} other posts around ours"
    )
    print(f"{len(differences):,} differences" if differences else "no differences")


def _line(finding: Difference) -> str:
    names = [
        f"{name} {value}"
        for name, value in (
            ("publication", finding.publication_id),
            ("schedule", finding.schedule_id),
            ("connection", finding.connection_id),
            ("posts", ", ".join(finding.post_ids)),
        )
        if value
    ]
    return f"{finding.kind} {finding.platform or ''}: {finding.detail} ({'; '.join(names)})".replace(" :", ":")


def _document(report: Report) -> dict[str, object]:
    return json.loads(json.dumps(dataclasses.asdict(report), default=str))  # type: ignore[no-any-return]
