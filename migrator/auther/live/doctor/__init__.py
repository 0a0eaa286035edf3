"""Looks at a live Auther from outside: what is there, what it means, and who provides what is missing."""
