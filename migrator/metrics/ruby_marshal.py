"""Reads Ruby's Marshal format 4.8 without loading a class or running any code.

Strings come as bytes, symbols as `Symbol`, hashes as `Hash`, everything that has a class of its own as
`Opaque`. Size, depth and number of values are bounded, so that a hostile row costs little.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 4 * 1024 * 1024
MAX_VALUES = 200_000
MAX_DEPTH = 100
VERSION = b"\x04\x08"

# An integer of up to 4 bytes; small ones are stored 5 further out, up to the largest signed byte.
_WIDEST, _SHORT_OFFSET, _LARGEST = 4, 5, 127
# Almost every string is followed by its encoding: one variable, whose name is :E, new or seen before.
_NEW_ENCODING, _OLD_ENCODING = (b"\x06:\x06ET", b"\x06:\x06EF"), (b"\x06;\x00T", b"\x06;\x00F")

Value = object
T = TypeVar("T")


class MarshalError(ValueError):
    """The bytes are no Marshal 4.8 document, or exceed the bounds."""


@dataclass(frozen=True)
class Symbol:
    """A Ruby symbol."""

    name: bytes


@dataclass(frozen=True)
class Opaque:
    """Something of a class that is not looked into."""

    class_name: bytes


@dataclass
class Hash:
    """A Ruby hash; keys may be anything."""

    pairs: list[tuple[Value, Value]] = field(default_factory=list)


def load(data: bytes) -> Value:
    """Read one document.

    Raises:
        MarshalError: It is damaged, of another version, too large, too deep, or followed by more.
    """
    if len(data) > MAX_BYTES:
        raise MarshalError(f"{len(data)} bytes are more than {MAX_BYTES}")
    reader = _Reader(data)
    if reader.take(len(VERSION)) != VERSION:
        raise MarshalError("not Marshal 4.8")
    value = reader.value(depth=0)
    if not reader.at_end:
        raise MarshalError("bytes are left over")
    return value


class _Reader:
    """Walks the bytes once; keeps the two tables that links refer to.

    Ruby gives an object its number when it begins to read it, except for `_load` objects, which come
    after their instance variables: the order decides what a link means.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._values = data, 0, 0
        self._symbols: list[Symbol] = []
        self._objects: list[Value] = []

    @property
    def at_end(self) -> bool:
        return self._at == len(self._data)

    def take(self, count: int) -> bytes:
        if count < 0 or self._at + count > len(self._data):
            raise MarshalError("cut off")
        self._at += count
        return self._data[self._at - count : self._at]

    def value(self, *, depth: int) -> Value:
        self._values += 1
        if depth > MAX_DEPTH or self._values > MAX_VALUES:
            raise MarshalError("nested too deeply, or too many values")
        at = self._at
        kind = self._data[at : at + 1]
        self._at = at + 1
        read = _READERS.get(kind)
        if read is not None:
            return read(self, depth + 1)
        if kind in _CONSTANTS:
            return _CONSTANTS[kind]
        raise MarshalError(f"unknown type {kind!r}" if kind else "cut off")

    def integer(self) -> int:
        first = self.take(1)[0]
        if _WIDEST < first <= _LARGEST:
            return first - _SHORT_OFFSET
        first -= 0 if first <= _LARGEST else 256
        if first == 0:
            return 0
        if -_WIDEST <= first <= _WIDEST:
            number = int.from_bytes(self.take(abs(first)), "little")
            return number if first > 0 else number - (1 << (8 * -first))
        return first + _SHORT_OFFSET

    def bytes_(self) -> bytes:
        return self.take(self.integer())

    def count(self) -> int:
        number = self.integer()
        # Each element takes a byte at least: a length beyond the end is a lie.
        if not 0 <= number <= len(self._data) - self._at:
            raise MarshalError("cut off")
        return number

    def symbol(self, depth: int) -> Symbol:
        kind = self.take(1)
        if kind == b":":
            return self.new_symbol(depth)
        if kind == b";":
            return self.old_symbol(depth)
        if kind == b"I" and self.take(1) == b":":
            symbol = self.new_symbol(depth)
            self.variables(depth)
            return symbol
        raise MarshalError(f"a symbol was expected, not {kind!r}")

    def new_symbol(self, _depth: int) -> Symbol:
        symbol = Symbol(self.bytes_())
        self._symbols.append(symbol)
        return symbol

    def old_symbol(self, _depth: int) -> Symbol:
        return _at(self._symbols, self.integer())

    def link(self, _depth: int) -> Value:
        return _at(self._objects, self.integer())

    def fixnum(self, _depth: int) -> int:
        return self.integer()

    def bignum(self, _depth: int) -> int:
        sign = self.take(1)
        number = int.from_bytes(self.take(2 * self.count()), "little")
        return self.keep(-number if sign == b"-" else number)

    def string(self, _depth: int) -> bytes:
        return self.keep(self.bytes_())

    def float_(self, _depth: int) -> Opaque:
        self.bytes_()
        return self.keep(Opaque(b"Float"))

    def regexp(self, _depth: int) -> Opaque:
        self.bytes_()
        self.take(1)
        return self.keep(Opaque(b"Regexp"))

    def constant(self, _depth: int) -> Opaque:
        self.bytes_()
        return self.keep(Opaque(b"Module"))

    def array(self, depth: int) -> list[Value]:
        items: list[Value] = self.keep([])
        items.extend(self.value(depth=depth) for _ in range(self.count()))
        return items

    def hash_(self, depth: int) -> Hash:
        found = self.keep(Hash())
        for _ in range(self.count()):
            key = self.value(depth=depth)
            found.pairs.append((key, self.value(depth=depth)))
        return found

    def hash_with_default(self, depth: int) -> Hash:
        found = self.hash_(depth)
        self.value(depth=depth)
        return found

    def subclass(self, depth: int) -> Value:
        self.symbol(depth)
        return self.value(depth=depth)

    def object_(self, depth: int) -> Opaque:
        made = self.keep(Opaque(self.symbol(depth).name))
        self.variables(depth)
        return made

    def wrapped(self, depth: int) -> Opaque:
        made = self.keep(Opaque(self.symbol(depth).name))
        self.value(depth=depth)
        return made

    def loaded(self, depth: int) -> Opaque:
        return self.keep(self.unkept_loaded(depth))

    def unkept_loaded(self, depth: int) -> Opaque:
        made = Opaque(self.symbol(depth).name)
        self.bytes_()
        return made

    def with_variables(self, depth: int) -> Value:
        if self._data[self._at : self._at + 1] == b"u":
            self.take(1)
            made = self.unkept_loaded(depth)
            self.variables(depth)
            return self.keep(made)
        inner = self.value(depth=depth)
        if not self._is_encoding():
            self.variables(depth)
        return inner

    def _is_encoding(self) -> bool:
        """Step over an encoding as it is usually written; the same as reading it as any variable."""
        if self._symbols and self._data.startswith(_OLD_ENCODING, self._at):
            self._at += len(_OLD_ENCODING[0])
        elif self._data.startswith(_NEW_ENCODING, self._at):
            self._symbols.append(Symbol(b"E"))
            self._at += len(_NEW_ENCODING[0])
        else:
            return False
        return True

    def variables(self, depth: int) -> None:
        for _ in range(self.count()):
            self.symbol(depth)
            self.value(depth=depth)

    def keep(self, made: T) -> T:
        self._objects.append(made)
        return made


def _at(table: list[T], index: int) -> T:
    if not 0 <= index < len(table):
        raise MarshalError("a link to nothing")
    return table[index]


_CONSTANTS: dict[bytes, Value] = {b"0": None, b"T": True, b"F": False}
_READERS: dict[bytes, Callable[[_Reader, int], Value]] = {
    b"i": _Reader.fixnum,
    b"l": _Reader.bignum,
    b"f": _Reader.float_,
    b'"': _Reader.string,
    b":": _Reader.new_symbol,
    b";": _Reader.old_symbol,
    b"@": _Reader.link,
    b"I": _Reader.with_variables,
    b"[": _Reader.array,
    b"{": _Reader.hash_,
    b"}": _Reader.hash_with_default,
    b"C": _Reader.subclass,
    b"e": _Reader.subclass,
    b"o": _Reader.object_,
    b"S": _Reader.object_,
    b"U": _Reader.wrapped,
    b"d": _Reader.wrapped,
    b"u": _Reader.loaded,
    b"/": _Reader.regexp,
    b"c": _Reader.constant,
    b"m": _Reader.constant,
    b"M": _Reader.constant,
}
