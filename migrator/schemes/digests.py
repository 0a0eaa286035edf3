"""Bare digests, which only their operator can name: devise-encryptable's and any other by template."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from migrator.core.envelope import NO_PARAMS
from migrator.core.texts import storable
from migrator.schemes import firebase
from migrator.schemes.recipe import MAX_SALT, MAX_STRETCHES, SEPARATORS, Recipe, read, segments_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TEMPLATE = "template"
# Its values look like a salted, peppered SHA-512 in Base64.
_FIREBASE_FORM = Recipe("sha512", "{salt}{password}{pepper}", output="base64")
_LOOP = "--{salt}--{digest}--{password}--{pepper}--"


@dataclass(frozen=True)
class Digest:
    """A scheme of bare digests; with `algorithm`, everything but the rounds is fixed."""

    name: str
    title: str
    algorithm: str = ""
    template: str = ""
    first: str = ""
    bound: str = f"{MAX_STRETCHES:,} rounds"

    @property
    def peppered(self) -> bool:
        """Whether a pepper may take part."""
        return not self.template or "{pepper}" in self.template

    def claim(self, value: str) -> bool:
        """Claim nothing: forty hexadecimal digits may be anything."""
        return False

    def recipe(self, params: Mapping[str, str]) -> Recipe:
        """Give the recipe that an envelope's parameters and this scheme amount to.

        Raises:
            ValueError: A parameter is unknown, missing or out of range.
        """
        if not self.algorithm:
            return read(params)
        if not params.keys() <= {"stretches"}:
            raise ValueError(f"{self.name} takes nothing but stretches")
        fixed = {"algorithm": self.algorithm, "template": self.template, "first": self.first}
        return read({**fixed, **params})

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Work the recipe through and compare."""
        rest = {name: text for name, text in params.items() if name != "salt"}
        try:
            recipe = _recipe(self, tuple(rest.items()))
            digest, salt = recipe.split(value) or ("", None)
            salt = params.get("salt", "") if salt is None else salt
            return bool(digest) and recipe.matches(digest, password, salt=salt, pepper=pepper)
        except ValueError:
            return False


@lru_cache(maxsize=16)
def _recipe(scheme: Digest, params: tuple[tuple[str, str], ...]) -> Recipe:
    return scheme.recipe(dict(params))


DIGESTS: dict[str, Digest] = {
    digest.name: digest
    for digest in (
        Digest("encryptable_sha1", "devise-encryptable `:sha1`", "sha1", _LOOP, "{pepper}"),
        Digest("encryptable_sha512", "devise-encryptable `:sha512`", "sha512", _LOOP, "{pepper}"),
        Digest(
            "restful_authentication_sha1",
            "restful_authentication, devise-encryptable `:restful_authentication_sha1`",
            "sha1",
            "{digest}--{salt}--{password}--{pepper}",
            "{pepper}",
        ),
        Digest("authlogic_sha1", "Authlogic's `Sha1`", "sha1", "{digest}--{salt}", "{password}"),
        Digest(
            "authlogic_sha512",
            "Authlogic's `Sha512`, devise-encryptable `:authlogic_sha512`",
            "sha512",
            "{digest}",
            "{password}{salt}",
        ),
        Digest(
            "clearance_sha1",
            "Clearance's SHA-1, devise-encryptable `:clearance_sha1`",
            "sha1",
            "--{salt}--{password}--",
        ),
        Digest(TEMPLATE, "salted and stretched MD5, SHA-1, SHA-2 and their HMACs by template"),
    )
}


@dataclass(frozen=True)
class Declaration:
    """What an operator declared: values of this form are of this scheme.

    Attributes:
        scheme: A name from `DIGESTS`, or Firebase's.
        given: The parameters, as an envelope carries them.
        recipe: How such values look and what takes part in them.
    """

    scheme: str
    given: tuple[tuple[str, str], ...]
    recipe: Recipe

    @property
    def peppered(self) -> bool:
        """Whether a pepper takes part."""
        return self.recipe.uses("pepper")

    @property
    def salt_column(self) -> bool:
        """Whether a salt column must be filled; without this it must be empty."""
        return self.recipe.uses("salt") and not self.recipe.salt_in_value

    def params_for(self, value: str, salt: str | None) -> Mapping[str, str] | None:
        """Give the envelope's parameters for a value of the declared form."""
        if self.recipe.split(value) is None:
            return None
        if self.recipe.salt_in_value:
            return dict(self.given)
        known = storable(salt or "") and len(salt or "") <= MAX_SALT
        if bool(salt) != self.salt_column or not known:
            return None
        return dict(self.given, salt=salt) if salt else dict(self.given)


def declare(scheme: str, params: Mapping[str, str]) -> Declaration:
    """Make a declaration.

    Raises:
        ValueError: The scheme is unknown, or a parameter is missing or out of range.
    """
    if scheme == firebase.FirebaseScrypt.name:
        firebase.read(params)
        return Declaration(scheme, tuple(sorted(params.items())), _FIREBASE_FORM)
    if scheme not in DIGESTS:
        known = (*DIGESTS, firebase.FirebaseScrypt.name)
        raise ValueError(f"unknown scheme; there are: {', '.join(known)}")
    rounds = "{digest}" in DIGESTS[scheme].template
    if rounds != ("stretches" in params) and scheme != TEMPLATE:
        raise ValueError(f"{scheme} {'needs' if rounds else 'has no'} stretches")
    recipe = DIGESTS[scheme].recipe(params)
    if recipe.salt_in_value and not recipe.uses("salt"):
        raise ValueError("stored holds a {salt} that the template does not use")
    return Declaration(scheme, tuple(sorted(params.items())), recipe)


def clash(declarations: Iterable[Declaration]) -> tuple[Declaration, Declaration] | None:
    """Give two declarations that could claim the same value, None when there are none such."""
    seen: list[Declaration] = []
    for new in declarations:
        for old in seen:
            if _overlap(old, new):
                return old, new
        seen.append(new)
    return None


def _overlap(one: Declaration, two: Declaration) -> bool:
    segments = segments_of(one.recipe.stored), segments_of(two.recipe.stored)
    if len(segments[0]) != len(segments[1]):
        return False
    for left, right in zip(*segments, strict=True):
        literal = not left.startswith("{") and not right.startswith("{")
        if left != right and (literal or left in SEPARATORS or right in SEPARATORS):
            return False
        if left == right == "{hash}" and _written(one) != _written(two):
            return False
    bare = not one.recipe.salt_in_value and not two.recipe.salt_in_value
    return not bare or one.salt_column == two.salt_column


def _written(declaration: Declaration) -> tuple[str, str]:
    return declaration.recipe.algorithm, declaration.recipe.output
