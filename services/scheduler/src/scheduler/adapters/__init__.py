"""The scheduler's rows and its neighbour content."""
