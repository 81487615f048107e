"""The signoff command: up, demo, and what operators need."""
