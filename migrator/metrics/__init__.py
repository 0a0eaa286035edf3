"""Measurements of the drain, one provider a file."""
