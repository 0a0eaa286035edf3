"""Auther's authorization models: whether what we grant exists there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from migrator.auther.ways.database import Run
from migrator.auther.ways.sql_target import SqlTarget
from migrator.core.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrator.auther.interface import Target

_QUERIES = load("migrator.auther.ways", "models.sql")


def unknown_relations(target: Target, wanted: Iterable[tuple[str, str]]) -> list[str]:
    """Name what is to be granted and does not exist in Auther's models.

    Args:
        target: Where the models cannot be read, as behind the plugin, nothing is found.
        wanted: (entity type, relation).

    Raises:
        DependencyError: The database does not answer.
    """
    pairs = list(wanted)
    if not pairs or not isinstance(target, SqlTarget):
        return []
    if not target.layout.tuples:
        return ["there is no table access_tuples, so no role can be written"]
    ask = target.database.ask
    if not ask(Run(_QUERIES["has_models"]))[0][0][0]:
        return []
    models = {kind: _relations(text) for kind, text in ask(Run(_QUERIES["models"]))[0]}
    return [fault for kind, relation in pairs if (fault := _fault(models, kind, relation))]


def _fault(models: dict[str, frozenset[str]], kind: str, relation: str) -> str:
    if kind not in models:
        known = ", ".join(sorted(models)) or "none"
        return f"there is no authorization model for {kind}; there are: {known}"
    if relation not in models[kind]:
        known = ", ".join(sorted(models[kind])) or "none"
        return f"the model of {kind} has no relation {relation}; it has: {known}"
    return ""


def _relations(definition: Any) -> frozenset[str]:
    try:
        relations = json.loads(definition)["relations"]
    except (TypeError, ValueError, KeyError):
        return frozenset()
    return frozenset(relations) if isinstance(relations, dict) else frozenset()
