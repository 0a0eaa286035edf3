"""Signs an application's users in at Auther. See README.md.

Generated once; yours to read, change and own. Nothing is imported here: Django loads this package
before its models.
"""
