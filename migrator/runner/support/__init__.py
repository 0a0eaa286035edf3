"""What the support desk asks about one person."""
