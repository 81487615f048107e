"""Threads: containers that are made, processed and shown, one post after the other."""
