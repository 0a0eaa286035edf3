"""Auther's webhooks: what a delivery must be to be believed, and the door that takes it."""
