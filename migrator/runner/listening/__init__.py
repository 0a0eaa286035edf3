"""Hears in the server's log who misses what the removal took away."""
