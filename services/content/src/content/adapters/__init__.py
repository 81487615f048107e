"""PostgreSQL, decoders and neighbours behind the ports."""
