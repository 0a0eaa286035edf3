"""`[[legacy.digests]]`: what bare digests in the password column are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from migrator.config.section import Section
from migrator.schemes.digests import Declaration, clash, declare
from migrator.schemes.recipe import MAX_STRETCHES

Algorithm = Literal["md5", "sha1", "sha256", "sha512"]


class DigestSection(Section):
    """One kind of bare digests; `template` and what follows only with `scheme = "template"`.

    Attributes:
        scheme: A name from the registry of declared schemes.
        stretches: Rounds, as the application had them configured.
        algorithm: What hashes.
        template: What is hashed; the language is `migrator.schemes.template`'s.
        first: What `{digest}` stands for in the first round.
        output: How the digest is written.
        between: How a round's digest enters the next round.
        key: Key of an HMAC, in the same language.
        stored: The form of the password column, e.g. `{salt}${hash}`.
        rounds: With `firebase_scrypt`, as are `mem_cost` and `separator`: the project's hash
            configuration as Firebase's console shows it.
    """

    scheme: str
    stretches: Annotated[int, Field(ge=1, le=MAX_STRETCHES)] | None = None
    algorithm: Algorithm | None = None
    template: str | None = None
    first: str | None = None
    output: Literal["hex", "base64"] | None = None
    between: Literal["hex", "raw"] | None = None
    key: str | None = None
    stored: str | None = None
    rounds: int | None = None
    mem_cost: int | None = None
    separator: str | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> DigestSection:
        self.declaration()
        return self

    def declaration(self) -> Declaration:
        """Give what the registry of schemes asks.

        Raises:
            ValueError: The scheme is unknown, or a key is missing, unknown to it or out of range.
        """
        given = self.model_dump(exclude={"scheme"}, exclude_none=True)
        return declare(self.scheme, {name: str(value) for name, value in given.items()})


def without_clash(sections: tuple[DigestSection, ...]) -> tuple[DigestSection, ...]:
    """Let declarations pass of which no two could claim the same value.

    Raises:
        ValueError: Two of them could.
    """
    both = clash(section.declaration() for section in sections)
    if both is not None:
        raise ValueError(
            f"{both[0].scheme} and {both[1].scheme} would both claim the same values:"
            " only one declaration for each form and length"
        )
    return sections
