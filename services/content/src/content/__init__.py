"""content: posts and their revisions, media, review and approval, and the seals that publisher verifies."""
