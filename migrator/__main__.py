"""`python -m migrator` is `migrator`."""

from migrator.cli.main import main

if __name__ == "__main__":
    main()
