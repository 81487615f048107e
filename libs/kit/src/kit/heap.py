"""What Python's garbage collector looks through, once a process has started."""

from __future__ import annotations

import gc

COLLECT_AFTER = 10_000
"""Objects made since the last look that bring the next one about: a few megabytes. Python's 700 are less than one
request makes."""


def settle() -> None:
    """Call it when everything is imported and running: what stays for good is never looked through again.

    Half a million objects of modules, schemas and routes would be, some ten times in a burst, for a quarter of a second
    each in which the process does nothing else.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
