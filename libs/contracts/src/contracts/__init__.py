"""What Signoff's services say to each other: events, versions, topology. No I/O.

Importing any part loads every owner's module, so that the registry is complete whoever asks it first.
"""

from contracts import auth, content, metrics, publisher, retention, scheduler

__all__ = ["auth", "content", "metrics", "publisher", "retention", "scheduler"]
