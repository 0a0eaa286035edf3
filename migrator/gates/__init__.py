"""Gates: measurement, bound, duration. Pure."""
