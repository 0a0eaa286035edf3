"""Accepts an application's own sessions and Auther's tokens side by side. See README.md.

Generated once; yours to read, change and own. Nothing is imported here: Django loads this package
before its models.
"""
