"""The calendar and the clock that says due."""
