"""The work of phase 4."""
