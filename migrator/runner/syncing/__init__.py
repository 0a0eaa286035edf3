"""Keeps Auther in step with the application, for users who are at home there."""
