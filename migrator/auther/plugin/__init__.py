"""The better-auth plugin, and what the migrator shares with it: secrets, sealed values, events."""
