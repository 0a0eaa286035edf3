"""Tests, the demo and the benchmarks, all on real parts."""
