"""Every request of our clients and every answer of the sandbox, held against what the platforms have published.

A platform's folder of tests uses it with one line in its `conftest.py`:

    from libs.platforms.tests.conformance import checked

    http, recorder = checked("x")  # or "youtube", "pinterest", "bluesky"

From then on the shared `http` fixture looks at each exchange with that platform's sandbox, and a test whose calls
deviate fails with the route, the direction, the place (a JSON pointer) and the rule of every deviation. Places are
`/query/<name>`, `/path/<name>`, `/header/<name>`, `/status`, and `/body` followed by the pointer into the body. What
the specification does not know (a route, a parameter, a status, a property) is a deviation too. Forms, multipart forms
and JSON are read, streams of media are not. An answer that a test planned as a fault is not the sandbox's and let be.

First fix the client or the sandbox. Where the platform really does otherwise than it publishes (its sheet says so), put
a `Difference` with the reason into the platform's table, `tables/<name>.py`; a failing test prints the line to start
from. Route and place may hold `*`. An entry without which the specification would be content fails
`test_specifications.py`; for that, an entry about a value (not about something unknown) has an `example`: the body, or
the query as a dict, with the `status` of an answer.

A test may also ask for `recorder`: at the end of a tour through everything, `recorder.unused()` should be empty. Calls
that a test makes wrong on purpose go through a client of their own, or inside `with recorder.not_looking():`.

The specifications are not ours to copy: they lie in the folder that SIGNOFF_SPECS names. Without it nothing is checked
here, and `test_specifications.py` says so.
"""

from __future__ import annotations

from libs.platforms.tests.conformance.exchange import Answered, Deviation, Sent
from libs.platforms.tests.conformance.recorder import Recorder, checked
from libs.platforms.tests.conformance.table import Difference

__all__ = ["Answered", "Deviation", "Difference", "Recorder", "Sent", "checked"]
