"""The ways into Auther's tables: a database file, a libSQL server, the plugin's endpoint."""
