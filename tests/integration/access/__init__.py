"""A running system that is asked for everything."""
