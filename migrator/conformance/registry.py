"""All cases; adding a group is one file and one line here."""

from __future__ import annotations

from migrator.conformance.cases import (
    conflicts,
    csrf,
    doors,
    exchange,
    headers,
    key_set,
    login,
    newcomers,
    observation,
    people,
    renewal,
    switch,
    table,
    tokens,
)

CASES = (
    *table.CASES,
    *tokens.CASES,
    *headers.CASES,
    *conflicts.CASES,
    *csrf.CASES,
    *people.CASES,
    *login.CASES,
    *renewal.CASES,
    *doors.CASES,
    *exchange.CASES,
    *newcomers.CASES,
    *switch.CASES,
    *observation.CASES,
    *key_set.CASES,
)
