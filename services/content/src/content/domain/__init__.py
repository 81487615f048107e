"""What a post is and what may happen to it. No I/O."""
