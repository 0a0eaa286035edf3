"""The plan's SQL as the migrations of other tools. Pure."""
