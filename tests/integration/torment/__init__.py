"""Publishing under torment: nine platforms that misbehave, while what publishes to them is killed at random."""
