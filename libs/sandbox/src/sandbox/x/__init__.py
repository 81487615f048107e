"""The imitated X: OAuth 2.0, API v2 for posts, media, counts and webhooks."""
