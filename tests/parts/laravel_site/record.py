"""`python -m tests.parts.laravel_site.record`: writes tests/data/laravel.sql and laravel_plaintext.csv anew."""

import csv
import os
import subprocess

from tests.parts.dump import DATA
from tests.parts.laravel_site import LaravelSite
from tests.parts.postgres import debian_15, start_postgres


def record() -> None:
    """Let Laravel fill a database, and keep it together with what Laravel answered."""
    server = start_postgres(debian_15())
    try:
        dsn = server.create_database("laravel")
        made = LaravelSite(dsn).make()
        options = ["--no-owner", "--no-privileges", "--file", DATA / "laravel.sql"]
        environment = {**os.environ, "PGPASSWORD": server.password}
        subprocess.run([debian_15() / "pg_dump", *options, dsn], env=environment, check=True)
    finally:
        server.stop()
    with (DATA / "laravel_plaintext.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, made[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)


if __name__ == "__main__":
    record()
