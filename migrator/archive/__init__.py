"""Files that hold removed tables: written once, proven by restoring, opened without this program."""
