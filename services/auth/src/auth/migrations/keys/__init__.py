"""The database of keys: a history of its own."""
