"""The work of phase 2: generated files, and the switch."""
