"""YouTube: Google's authorisation, the Data API v3, the Analytics API v2."""
