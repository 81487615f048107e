"""Posts, revisions, media, review and approval, seals."""
