"""The database's history, forward only."""
