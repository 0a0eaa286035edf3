"""Serves the page: read-only, from this process alone."""
