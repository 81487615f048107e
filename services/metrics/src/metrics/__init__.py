"""Snapshots of what was published."""
