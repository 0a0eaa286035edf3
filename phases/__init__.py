"""The story of a migration: one module per phase, all of the same shape."""
