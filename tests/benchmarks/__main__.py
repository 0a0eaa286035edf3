"""All benchmarks, one after the other: `python -m tests.benchmarks`."""

from tests.benchmarks import (
    bench_archive,
    bench_dashboard,
    bench_drain,
    bench_endpoint,
    bench_import,
    bench_libsql,
    bench_reconcile,
    bench_removal,
    bench_shim,
    bench_sign_in,
    bench_sync,
)

BENCHMARKS = (
    bench_import.main,
    bench_reconcile.main,
    bench_libsql.main,
    bench_endpoint.main,
    bench_sign_in.main,
    bench_sync.main,
    bench_shim.main,
    bench_archive.main,
    bench_dashboard.main,
    bench_drain.main,
    bench_removal.main,
)

for benchmark in BENCHMARKS:
    benchmark()
