"""Generated dual-path middleware, one target a file."""
