"""What the scheduler does, one file a verb."""
