"""An imitation of Facebook Pages: login, feed, photos, videos, reels, stories, counts and webhooks."""
