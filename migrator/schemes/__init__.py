"""Password hash schemes of legacy systems: pure verification."""
