"""Is the migration ready to begin? What was found, what the import would do, and the verdict."""
