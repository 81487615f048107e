"""The edge for web clients: one API, cookies, limits."""
