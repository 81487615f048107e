"""Everything is killed at random under load: what is told, what is killed, and how one sees that nothing was lost."""
