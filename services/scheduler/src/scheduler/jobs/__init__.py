"""What the scheduler does by the clock, one file a loop."""
