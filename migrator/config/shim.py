"""The section [shim]: what is baked into generated shims."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from migrator.config.section import Section


def _in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


Time = Annotated[AwareDatetime, AfterValidator(_in_utc)]
PathPrefix = Annotated[str, Field(pattern=r"^/[!-~]*$")]


class ShimSection(Section):
    """How generated shims behave.

    Attributes:
        foreign_bearer: Bearers of others than Auther: not decided yet (''), refused, or handed to the
            application's own authenticator below these path prefixes and refused elsewhere.
        create_users: Whether somebody whom only Auther knows gets a row at the first request.
        exchange_in_dual: Whether sessions are exchanged in `dual` already, and not from `drain` on.
        json_doors_until: From when on, in `drain`, sign-ins by JSON are refused; None: at once.
        delegate_permissions: Whether Auther decides about permissions, and not the application.
    """

    redirect_uri: str = ""
    build: str = "1"
    after_login: str = "/"
    foreign_bearer: Literal["", "refuse"] | tuple[PathPrefix, ...] = ""
    create_users: bool = False
    exchange_in_dual: bool = False
    json_doors_until: Time | None = None
    delegate_permissions: bool = False
