"""The newest better-auth with the plugin; started by `tests.parts.better_auth.start(…, newest=True)`."""
