"""Tells people elsewhere what happened, without ever being in the way of it."""
