"""Ruby code as a tree: calls, assignments, texts, each with its line. Comments are no code."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import tree_sitter_ruby
from tree_sitter import Language, Parser

from migrator.application.pieces import Assignment, Call, Lookup, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from migrator.application.pieces import Piece

_TEXTS = frozenset({"string_content", "heredoc_content"})
_NAMES = frozenset({"simple_symbol", "hash_key_symbol"})


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_ruby.language()))


def pieces(code: bytes) -> Iterator[Piece]:
    """Give what stands in a file, in its order; what is no Ruby is passed over."""
    stack: list[tuple[Node, str]] = [(_parser().parse(code).root_node, "")]
    while stack:
        node, inside = stack.pop()
        if node.type == "class":
            inside = _said(node.child_by_field_name("name"))
        found = _piece(node, inside)
        if found is not None:
            yield found
        stack.extend((child, inside) for child in reversed(node.named_children))


def _piece(node: Node, inside: str) -> Piece | None:
    line = node.start_point.row + 1
    if node.type == "call":
        return _call(node, line, inside)
    if node.type == "identifier" and _stands_alone(node):
        return Call(line, _said(node), "", (), (), {}, inside)
    if node.type in {"assignment", "operator_assignment"}:
        return _assignment(node, line, inside)
    if node.type == "element_reference":
        return _lookup(node, line)
    if node.type in _TEXTS or node.type in _NAMES:
        return Text(line, _said(node).strip(":"), node.type in _NAMES)
    return None


def _call(node: Node, line: int, inside: str) -> Call:
    arguments = node.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    return Call(
        line,
        _said(node.child_by_field_name("method")),
        _said(node.child_by_field_name("receiver")),
        tuple(_said(part).lstrip(":") for part in given if part.type == "simple_symbol"),
        tuple(_said(part) for part in given if part.type in {"constant", "scope_resolution"}),
        {
            _said(part.child_by_field_name("key")).strip(":\"'"): _said(
                part.child_by_field_name("value")
            )
            for part in given
            if part.type == "pair"
        },
        inside,
    )


def _stands_alone(node: Node) -> bool:
    """Tell a bare word that may be a call from the names inside other pieces."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "call":
        return parent.child_by_field_name("method") != node
    return parent.type in {"body_statement", "then", "argument_list", "if", "unless", "program"}


def _assignment(node: Node, line: int, inside: str) -> Assignment | None:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is not None and left.type == "element_reference":
        found = _lookup(left, line)
        return Assignment(line, found.object, found.key, _said(right), inside) if found else None
    if left is None or left.type != "call":
        return None
    receiver = _said(left.child_by_field_name("receiver"))
    return Assignment(
        line, receiver, _said(left.child_by_field_name("method")), _said(right), inside
    )


def _lookup(node: Node, line: int) -> Lookup | None:
    keys = node.named_children[1:]
    if len(keys) != 1 or keys[0].type not in {"string", "simple_symbol"}:
        return None
    return Lookup(line, _said(node.child_by_field_name("object")), _said(keys[0]).strip(":\"'"))


def _said(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text.decode(errors="replace")
