"""One client per social platform. No state."""
