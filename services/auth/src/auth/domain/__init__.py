"""The words and rules of auth. No I/O."""
