"""Pinterest: API v5."""
