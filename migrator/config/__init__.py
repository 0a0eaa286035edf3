"""The file migrator.toml: its model, its loading, its template."""
