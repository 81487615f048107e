"""The imitated Threads: containers fetched by address, shown once, found in lists, measured, told of by webhooks."""
