"""PostgreSQL, content, auth, the object store and the platforms, as the ports see them."""
