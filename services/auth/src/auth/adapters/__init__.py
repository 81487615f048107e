"""The outside as it is: PostgreSQL, Argon2id, the platforms, the key file."""
