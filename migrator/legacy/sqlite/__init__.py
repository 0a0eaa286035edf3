"""An application's SQLite file."""
