"""The history of auth's database."""
