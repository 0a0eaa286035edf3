"""A legacy user as rows for Auther. Pure."""
