"""Source code of a language that a grammar's table describes, as pieces. Comments are no code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from tree_sitter import Language, Parser

from migrator.application.pieces import Assignment, Call, Field, Lookup, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tree_sitter import Node

    from migrator.application.pieces import Piece

# A field of a node by its name, or a named child by its number; None where there is none.
Part = str | int | None
_QUOTES = "\"'`"


@dataclass(frozen=True)
class Grammar:
    """Which nodes of a tree are which pieces.

    Attributes:
        language: Gives the grammar's own pointer.
        calls: Where receiver and name of a call are; no receiver: the name may be a member itself.
        members: Where object and name of a member are.
        lookups: Where object and key of `object[key]` are.
        assignments: Where target and value are; entries of literal maps and named arguments among them.
        aliases: Where the name and the other name of an import are.
        texts: The content of strings.
        literals: Whole strings, with their quotes.
        names: What a bare name or a class is.
        imports: Imported names that have no quotes.
        classes: Definitions that have a name.
    """

    language: Callable[[], object]
    calls: Mapping[str, tuple[Part, Part]]
    members: Mapping[str, tuple[Part, Part]]
    lookups: Mapping[str, tuple[Part, Part]]
    assignments: Mapping[str, tuple[Part, Part]]
    aliases: Mapping[str, tuple[Part, Part]]
    texts: frozenset[str]
    literals: frozenset[str]
    names: frozenset[str]
    imports: frozenset[str]
    classes: frozenset[str]


def pieces(code: bytes, grammar: Grammar) -> Iterator[Piece]:
    """Give what stands in a file, in its order; what is none of the language is passed over."""
    yield from _Walk(grammar).pieces(_parser(grammar.language).parse(code).root_node)


@cache
def _parser(language: Callable[[], object]) -> Parser:
    return Parser(Language(language()))


class _Walk:
    """One walk through a file. Imports come first in all of these languages, so that other names are known."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._imported: dict[str, str] = {}
        self._piece_of: dict[str, Callable[[Node, str], Piece | None]] = {
            **dict.fromkeys(grammar.aliases, self._alias),
            **dict.fromkeys(grammar.calls, self._call),
            **dict.fromkeys(grammar.members, self._member),
            **dict.fromkeys(grammar.lookups, self._lookup),
            **dict.fromkeys(grammar.assignments, self._assignment),
            **dict.fromkeys(grammar.texts, _text),
            **dict.fromkeys(grammar.imports, _imported_name),
        }

    def pieces(self, root: Node) -> Iterator[Piece]:
        stack: list[tuple[Node, str]] = [(root, "")]
        while stack:
            node, inside = stack.pop()
            if node.type in self._grammar.classes:
                inside = _said(node.child_by_field_name("name"))
            make = self._piece_of.get(node.type)
            piece = make(node, inside) if make else None
            if piece is not None:
                yield piece
            stack.extend((child, inside) for child in reversed(node.named_children))

    def _alias(self, node: Node, _inside: str) -> None:
        name, other = _both(node, self._grammar.aliases)
        self._imported[_said(other)] = _said(name)

    def _member(self, node: Node, _inside: str) -> Field | None:
        parent = node.parent
        called = parent is not None and parent.type in self._grammar.calls
        if called and parent is not None and _both(parent, self._grammar.calls)[1] == node:
            return None
        holder, name = _both(node, self._grammar.members)
        return Field(_line(node), _said(holder), _said(name))

    def _lookup(self, node: Node, _inside: str) -> Lookup | None:
        holder, key = _both(node, self._grammar.lookups)
        if key is None or not self._is_literal(key):
            return None
        return Lookup(_line(node), _said(holder), _said(key).strip(_QUOTES))

    def _call(self, node: Node, inside: str) -> Call:
        holder, called = _both(node, self._grammar.calls)
        if holder is None and called is not None and called.type in self._grammar.members:
            holder, called = _both(called, self._grammar.members)
        method = _said(called)
        given = [_unwrapped(part) for part in _arguments(node)]
        options = [_both(part, self._grammar.assignments) for part in self._options(given)]
        return Call(
            _line(node),
            method if holder is not None else self._imported.get(method, method),
            _said(holder),
            tuple(_said(part).strip(_QUOTES) for part in given if self._is_literal(part)),
            tuple(_said(part) for part in given if part.type in self._grammar.names),
            {_said(name).strip(_QUOTES): _said(value) for name, value in options},
            inside,
        )

    def _options(self, given: list[Node]) -> Iterator[Node]:
        """Named arguments, and what stands in a literal object."""
        for part in given:
            inner = part.named_children if part.type == "object" else [part]
            yield from (one for one in inner if one.type in self._grammar.assignments)

    def _assignment(self, node: Node, inside: str) -> Assignment:
        target, value = _both(node, self._grammar.assignments)
        while target is not None and target.type == "expression_list" and target.named_children:
            target = target.named_children[0]
        holder: Node | None = None
        for parts in (self._grammar.members, self._grammar.lookups):
            if target is not None and target.type in parts:
                holder, target = _both(target, parts)
        return Assignment(
            _line(node), _said(holder), _said(target).strip(_QUOTES), _said(value), inside
        )

    def _is_literal(self, node: Node) -> bool:
        return node.type in self._grammar.literals


def _text(node: Node, _inside: str) -> Text:
    return Text(_line(node), _said(node), is_name=False)


def _imported_name(node: Node, _inside: str) -> Text:
    return Text(_line(node), _said(node), is_name=True)


def _line(node: Node) -> int:
    return node.start_point.row + 1


def _arguments(node: Node) -> list[Node]:
    arguments = node.child_by_field_name("arguments")
    return arguments.named_children if arguments is not None else []


def _unwrapped(node: Node) -> Node:
    """Give what PHP wraps every argument around."""
    is_wrapped = node.type == "argument" and len(node.named_children) == 1
    return node.named_children[0] if is_wrapped else node


def _both(node: Node, parts: Mapping[str, tuple[Part, Part]]) -> tuple[Node | None, Node | None]:
    first, second = parts[node.type]
    return _part(node, first), _part(node, second)


def _part(node: Node, part: Part) -> Node | None:
    if part is None:
        return None
    if isinstance(part, str):
        return node.child_by_field_name(part)
    return node.named_children[part] if part < len(node.named_children) else None


def _said(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text.decode(errors="replace")
