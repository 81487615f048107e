"""What the scheduler knows: wall-clock times, series and schedules. No I/O but the zones' files."""
