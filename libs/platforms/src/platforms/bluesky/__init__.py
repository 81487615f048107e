"""Bluesky on the AT Protocol: OAuth with DPoP, records with keys of our own, counts from the AppView."""
