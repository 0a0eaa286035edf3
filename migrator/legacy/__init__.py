"""The legacy side: where users come from."""
