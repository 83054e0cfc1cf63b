"""A post that gains far more views than its channel does."""
