"""All cases; adding a group is one file and one line here."""

from __future__ import annotations

from migrator.conformance.cases import table

CASES = (*table.CASES,)
