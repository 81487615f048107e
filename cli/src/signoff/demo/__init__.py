"""`signoff demo`: the whole life of one post, told while it happens and checked against the platforms' own truth."""
