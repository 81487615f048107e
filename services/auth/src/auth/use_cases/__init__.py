"""What auth can do, one verb phrase each."""
