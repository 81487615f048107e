"""Facebook Pages: Facebook Login, posts, photos, videos, reels and stories of Pages, their counts and webhooks."""
