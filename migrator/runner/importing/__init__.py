"""The work of phase 1."""
