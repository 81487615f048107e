"""What the imitated Facebook, Instagram and Threads share: a Graph, its tokens, limits, dialog, uploads, webhooks."""
