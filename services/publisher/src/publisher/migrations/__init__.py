"""The publisher's schema, one line of history."""
