"""Instagram: professional accounts by Instagram Login, posts, carousels, reels and stories, their counts."""
