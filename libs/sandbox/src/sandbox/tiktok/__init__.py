"""TikTok imitated: authorisation, direct post by file upload, status over time, display, webhooks."""
