"""The scheduler's schema, one line of history."""
