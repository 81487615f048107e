"""One table of differences a platform."""
