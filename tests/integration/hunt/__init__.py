"""Planting secrets, and looking for them in every byte that was written."""
