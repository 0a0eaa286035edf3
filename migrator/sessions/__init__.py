"""Session stores: how many sessions hold a user, whose they are, when they end."""
