"""What the migration remembers: ledger, checkpoints, locks."""
