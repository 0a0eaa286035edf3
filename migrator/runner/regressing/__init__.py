"""What takes the stage back by itself, where the configuration says so."""
