"""Runs a service's Alembic migrations as the owner of its database. The only place that needs Alembic at run time.

Each service keeps them in its package, as `<service>/migrations/versions/0001_….py`, one line of history. What it keeps
in a second database, `<service>_<part>`, has a line of its own in `<service>/migrations/<part>/versions`.
The newest revision is known from the file names, so that a start need not import Alembic.
"""

from __future__ import annotations

import sys
from importlib import resources

from kit.secret import Secret
from kit.settings import SettingError


def head(service: str) -> str:
    """The revision that the code needs: the number of the newest migration file."""
    package, *folders = _place(service)
    versions = resources.files(package).joinpath(*folders, "versions")
    numbers = sorted(entry.name.split("_", 1)[0] for entry in versions.iterdir() if entry.name[:4].isdigit())
    if not numbers:
        raise SettingError(f"{service} has no migrations")
    return numbers[-1]


def upgrade(service: str, owner_url: Secret, *, to: str = "head") -> None:
    """Bring a service's database to the newest revision, or `to` another. Blocking; safe to run twice and side by side.

    Stopping at an older revision is for tests: they fill it with data and go on.
    """
    from alembic import command  # noqa: PLC0415  # a start without migrations must not pay for the import
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", ":".join(_place(service)))
    config.attributes["owner_url"] = owner_url
    config.attributes["service"] = service
    command.upgrade(config, to)


def _place(service: str) -> tuple[str, ...]:
    """A package, and the folders in it that lead to the migrations of a database."""
    package, _, part = service.partition("_")
    return (package, "migrations", part) if part else (package, "migrations")


def main(arguments: list[str]) -> int:
    """`python -m kit.migrations auth content …`, with DATABASE_OWNER_URL_<SERVICE> set for each."""
    import os  # noqa: PLC0415

    from kit.settings import Environment  # noqa: PLC0415

    environment = Environment(os.environ)
    for service in arguments:
        upgrade(service, environment.secret(f"DATABASE_OWNER_URL_{service.upper()}"))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SettingError as problem:
        sys.exit(str(problem))
