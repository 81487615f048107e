"""The history of metrics' database."""
