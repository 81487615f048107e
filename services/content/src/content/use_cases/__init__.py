"""What can be done with posts and media, one verb a function."""
