"""What the scheduler knows: wall-clock times and schedules. No I/O."""
