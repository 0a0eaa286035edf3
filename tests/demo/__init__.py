"""`make demo`: a whole cutover on real parts, in a workspace that is left for a look."""
