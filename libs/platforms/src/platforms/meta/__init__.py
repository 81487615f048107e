"""What Facebook, Instagram and Threads share on the wire: the Graph API's ways, tokens, errors, limits, webhooks."""
