"""What stands in source code, whatever its language: calls, assignments, texts, each with its line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """A method call, with or without a receiver; a bare word is one too.

    Attributes:
        receiver: As written, '' without one.
        words: Literal names among the arguments: in Ruby symbols without their colon, else strings.
        constants: Classes and modules among the arguments; outside of Ruby any bare name.
        options: Keyword arguments as written, by name.
        inside: The class whose body it stands in, '' outside of one.
    """

    line: int
    method: str
    receiver: str
    words: tuple[str, ...]
    constants: tuple[str, ...]
    options: dict[str, str]
    inside: str


@dataclass(frozen=True)
class Assignment:
    """`receiver.name = value`, each as written; `receiver[name]` with a constant name is one too."""

    line: int
    receiver: str
    name: str
    value: str
    inside: str


@dataclass(frozen=True)
class Lookup:
    """`object[key]` with a constant key."""

    line: int
    object: str
    key: str


@dataclass(frozen=True)
class Text:
    """The content of a string or of one piece of a heredoc, or (`is_name`) a symbol's or an imported name."""

    line: int
    text: str
    is_name: bool


@dataclass(frozen=True)
class Field:
    """`object.name`, read or written, that is no call."""

    line: int
    object: str
    name: str


Piece = Call | Assignment | Lookup | Text | Field
