"""All benchmarks, one after the other: `python -m tests.benchmarks`."""

from tests.benchmarks import bench_import

BENCHMARKS = (bench_import.main,)

for benchmark in BENCHMARKS:
    benchmark()
