"""The `signoff` command. Each subcommand imports what it needs when it is called, so that all of them start fast."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter, validators

from signoff.auditing import audit
from signoff.letter_filters import NO_FILTERS, LetterFilters, LetterId
from signoff.parameters import DATA, Data, DryRun, Yes
from signoff.people import accounts, notify

EXIT_USAGE = 2

Port = Annotated[
    int | None,
    Parameter(validator=validators.Number(gte=1, lte=65_535), help="The gateway's port; a free one if left out."),
]
CertificateFile = Annotated[str, Parameter(allow_leading_hyphen=True)]
Replicas = Annotated[str | None, Parameter(help="How many servers hold each stream: 1, 3 or 5. Or NATS_REPLICAS.")]
MaxAge = Annotated[str | None, Parameter(help="How long an event is kept, at most 30d. Or NATS_MAX_AGE.")]
DuplicateWindow = Annotated[
    str | None,
    Parameter(help="How long an event that is published again is recognised: 2m. Or NATS_DUPLICATE_WINDOW."),
]
Limit = Annotated[
    int | None,
    Parameter(
        validator=validators.Number(gte=1),
        help="How many at most; if left out, 100 in a table and all of them in JSON.",
    ),
]
AsJson = Annotated[bool, Parameter(name="--json", negative=(), help="One JSON array instead of a table.")]
Everything = Annotated[bool, Parameter(name="--all", negative=(), help="All of them; needed where nothing narrows.")]

app = App(name="signoff", help="Run Signoff, show it, and look after it.", version_flags=[])
topology = App(name="topology", help="The streams and consumers on NATS.")
dlq = App(name="dlq", help="Dead letters: events that a consumer gave up on. See docs/dead-letters.md.")
clock = App(name="clock", help="The movable clock of a development system.")
certificate = App(name="certificate", help="Signed proofs that something was erased.")
keys = App(name="keys", help="What services prove to each other who they are with.")
vault = App(name="vault", help="What wraps the keys of stored tokens. See docs/vault.md.")
for group in (topology, dlq, clock, certificate, keys, vault, audit, accounts, notify):
    app.command(group)


@app.command
def up(*, split: bool = False, sandbox: bool = False, data: Data = DATA, port: Port = None) -> int:
    """Start the whole system and keep it up until Ctrl-C.

    Parameters
    ----------
    split
        Run each service as a process of its own.
    sandbox
        Run imitations of the social platforms beside it and connect to those.
    """
    from signoff.up import up as run_up  # noqa: PLC0415

    return run_up(data, port=port, split=split, sandbox=sandbox)


@app.command
def demo(*, split: bool = False) -> int:
    """Show one post from sign-up to the proof that it is forgotten, on a system of its own, and check every step.

    Parameters
    ----------
    split
        Run each service as a process of its own.
    """
    from signoff.demo.run import demo as run_demo  # noqa: PLC0415

    return run_demo(split=split)


@app.command
def migrate(*, data: Data = DATA) -> int:
    """Bring every database to what the code needs: the embedded ones, or those at DATABASE_OWNER_URL_<SERVICE>."""
    from signoff.operate import migrate_databases  # noqa: PLC0415

    return migrate_databases(data)


@topology.command
def apply(
    *,
    data: Data = DATA,
    replicas: Replicas = None,
    max_age: MaxAge = None,
    duplicate_window: DuplicateWindow = None,
    prune: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Make NATS hold what the contracts say: at NATS_URL, or the embedded one. Print what that took.

    Parameters
    ----------
    prune
        Delete consumers that are in no contract any more. A stream is never deleted.
    """
    from signoff.operate import apply_topology  # noqa: PLC0415

    return apply_topology(data, _choices(replicas, max_age, duplicate_window), prune=prune)


@topology.command
def diff(
    *,
    data: Data = DATA,
    replicas: Replicas = None,
    max_age: MaxAge = None,
    duplicate_window: DuplicateWindow = None,
    as_json: Annotated[bool, Parameter(name="--json", negative=(), help="One JSON array instead of lines.")] = False,
) -> int:
    """Print each field in which NATS differs from the contracts; code 1 if any does. Changes nothing."""
    from signoff.operate import diff_topology  # noqa: PLC0415

    return diff_topology(data, _choices(replicas, max_age, duplicate_window), as_json=as_json)


def _choices(replicas: str | None, max_age: str | None, duplicate_window: str | None) -> dict[str, str]:
    """What stands in the command counts more than what stands in the environment."""
    named = {"NATS_REPLICAS": replicas, "NATS_MAX_AGE": max_age, "NATS_DUPLICATE_WINDOW": duplicate_window}
    return {name: value for name, value in named.items() if value is not None}


@dlq.command(name="list")
def list_letters(
    *, filters: LetterFilters = NO_FILTERS, limit: Limit = None, as_json: AsJson = False, data: Data = DATA
) -> int:
    """List dead letters, oldest first, and count them for each consumer."""
    from signoff.dead_letters import list_letters as run_list  # noqa: PLC0415

    return run_list(filters, limit=limit, as_json=as_json, data=data)


@dlq.command(name="show")
def show_letter(id_: LetterId, *, data: Data = DATA) -> int:
    """Print a dead letter whole, and how to end it.

    Parameters
    ----------
    id_
        Its number in the list.
    """
    from signoff.dead_letters import show_letter as run_show  # noqa: PLC0415

    return run_show(id_, data=data)


@dlq.command
def replay(
    *ids: LetterId,
    filters: LetterFilters = NO_FILTERS,
    everything: Everything = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    data: Data = DATA,
) -> int:
    """Give events to the consumer that gave up on them again, and to no other. Mend what made them fail first.

    Parameters
    ----------
    ids
        Their numbers in the list.
    """
    from signoff.dead_letters import replay_letters  # noqa: PLC0415

    return replay_letters(ids, filters, everything=everything, yes=yes, dry_run=dry_run, data=data)


@dlq.command
def drop(
    *ids: LetterId,
    filters: LetterFilters = NO_FILTERS,
    everything: Everything = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    data: Data = DATA,
) -> int:
    """Delete dead letters for good: their consumer will never hear of these events.

    Parameters
    ----------
    ids
        Their numbers in the list.
    """
    from signoff.dead_letters import drop_letters  # noqa: PLC0415

    return drop_letters(ids, filters, everything=everything, yes=yes, dry_run=dry_run, data=data)


@clock.command
def show(*, data: Data = DATA) -> int:
    """Print the system's time."""
    from signoff.operate import show_clock  # noqa: PLC0415

    return show_clock(data)


@clock.command
def advance(by: str, *, data: Data = DATA) -> int:
    """Move the system's time forward, by 30d, 12h, 90m or 45s. It never goes back.

    Parameters
    ----------
    by
        How far.
    """
    from signoff.operate import advance_clock  # noqa: PLC0415

    return advance_clock(data, by)


@certificate.command
def verify(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)], *, keys: str | None = None, data: Data = DATA
) -> int:
    """Check a certificate's signature and print what it says.

    Parameters
    ----------
    file
        The certificate, or an erasure as the API answers it; - reads standard input.
    keys
        The address or file of the public keys; this installation's if left out.
    """
    from signoff.certificates import verify_certificate  # noqa: PLC0415

    return verify_certificate(file, keys=keys, data=data)


@keys.command(name="list")
def list_keys(*, data: Data = DATA) -> int:
    """List every key that services trust, and which of them are in use."""
    from signoff.service_keys import show as run_show  # noqa: PLC0415

    return run_show(data)


@keys.command
def rotate(*services: str, data: Data = DATA) -> int:
    """Give services new keys while they run. Takes about 40 seconds; tokens of the old keys count for another day.

    Parameters
    ----------
    services
        Their names; all of them if left out.
    """
    from signoff.service_keys import rotate as run_rotate  # noqa: PLC0415

    return run_rotate(data, services)


@keys.command
def distrust(kid: str, *, data: Data = DATA) -> int:
    """Let nothing that a key signed count any more, because somebody else may have it. Rotate its service first.

    Parameters
    ----------
    kid
        Its name in the list.
    """
    from signoff.service_keys import distrust as run_distrust  # noqa: PLC0415

    return run_distrust(data, kid)


@vault.command
def status(
    *,
    data: Data = DATA,
    as_json: Annotated[bool, Parameter(name="--json", negative=(), help="One JSON object instead of lines.")] = False,
) -> int:
    """Print how many keys are wrapped by which key-encryption key, and try the current one; code 1 if some are left."""
    from signoff.vault import show_status  # noqa: PLC0415

    return show_status(data, as_json=as_json)


@vault.command(name="rotate")
def rotate_vault(*, data: Data = DATA) -> int:
    """Bring every key under the current key-encryption key. Safe while auth runs; interrupted, run it again."""
    from signoff.vault import rotate_keys  # noqa: PLC0415

    return rotate_keys(data)


@vault.command(name="new-key")
def new_key(*, data: Data = DATA) -> int:
    """Put a new key before the others of VAULT_KEY_FILE, or of the installation's key file."""
    from signoff.vault import make_key  # noqa: PLC0415

    return make_key(data)


@app.command
def promises(*, root: Annotated[Path, Parameter(help="The folder of the sources.")] = Path()) -> int:
    """Print every promise of docs/promises.yaml with the tests that prove it."""
    from signoff.promises import print_promises  # noqa: PLC0415

    return print_promises(root)


def run() -> None:
    """Entry point. What a person can put right is one line on stderr, never a traceback."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: list[str]) -> int:
    try:
        result = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _complain(" ".join(str(error).split()), EXIT_USAGE)
    except Exception as error:
        if not isinstance(error, _expected_errors()):
            raise
        return _complain(str(error), 1)
    return result if isinstance(result, int) else 0


def _expected_errors() -> tuple[type[Exception], ...]:
    # Imported only when something went wrong.
    from kit.embedded.errors import EmbeddedError  # noqa: PLC0415
    from kit.settings import SettingError  # noqa: PLC0415
    from kit.topology import Drift  # noqa: PLC0415

    return (EmbeddedError, SettingError, Drift)


def _complain(message: str, code: int) -> int:
    print(f"signoff: {message}", file=sys.stderr)
    return code
