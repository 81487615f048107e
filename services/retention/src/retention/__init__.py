"""Erasures, certificates and backups."""
