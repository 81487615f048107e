"""Accounts, workspaces, members, sessions, connections and the token vault."""
