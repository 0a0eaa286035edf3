"""Moves an application's own authentication to Auther, in phases that can each be undone."""

__version__ = "0.1.0"
