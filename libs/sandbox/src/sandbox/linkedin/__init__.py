"""LinkedIn, imitated: the versioned REST API."""
