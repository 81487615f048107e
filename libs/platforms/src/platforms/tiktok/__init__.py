"""TikTok: Login Kit v2, Content Posting API (direct post of video), Display API, webhooks."""
