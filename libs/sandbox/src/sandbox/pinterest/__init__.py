"""Pinterest, imitated: API v5."""
