"""The work of phase 3: looks, samples, verdicts, and the guard that asks for them."""
