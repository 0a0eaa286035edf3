"""The application's OAuth client at Auther."""
