"""What the use cases need from outside: the database, password hashing, the platforms, the vault."""
