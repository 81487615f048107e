"""The clock's edge."""
