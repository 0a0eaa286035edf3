"""SQL that removes the legacy path and takes it back. Pure."""
