"""The history of retention's database."""
