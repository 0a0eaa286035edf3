"""The removal 0123456789abcdef as migrations; nothing else is in here."""
