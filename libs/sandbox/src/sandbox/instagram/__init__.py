"""An imitated Instagram with Instagram Login: containers that take their time, posts, stories, comments, counts."""
