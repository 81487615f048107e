"""X: API v2 with OAuth 2.0. Posts, threads, polls, chunked media, metrics, activity webhooks."""
