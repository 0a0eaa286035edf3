"""All cases; adding a group is one file and one line here."""

from __future__ import annotations

from migrator.conformance.cases import (
    bent_logins,
    clients,
    conflicts,
    csrf,
    doors,
    exchange,
    failed_exchanges,
    headers,
    json_doors,
    key_set,
    login,
    logout,
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
    *logout.CASES,
    *csrf.CASES,
    *people.CASES,
    *login.CASES,
    *bent_logins.CASES,
    *renewal.CASES,
    *doors.CASES,
    *json_doors.CASES,
    *exchange.CASES,
    *failed_exchanges.CASES,
    *newcomers.CASES,
    *switch.CASES,
    *observation.CASES,
    *clients.CASES,
    *key_set.CASES,
)
