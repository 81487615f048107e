"""Bluesky imitated on one port: directory, authorisation server, personal data server, AppView."""
