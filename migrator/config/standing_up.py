"""What the operator says about a running Auther, beside its database and its addresses."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from migrator.config.secrets import SecretRef
from migrator.config.section import Section


class DoctorSection(Section):
    """A canary: an account at Auther for `migrator auther doctor`, and an API key of the client."""

    email: SecretRef | None = None
    password: SecretRef | None = None
    api_key: SecretRef | None = None

    @model_validator(mode="after")
    def _whole(self) -> DoctorSection:
        if (self.email is None) != (self.password is None):
            raise ValueError("a canary has an email and a password")
        return self


class StandingUp(Section):
    """The part of [auther] that says who provides what a cutover needs.

    Attributes:
        sign_up_url: The application's own page for new users; empty when Auther has one.
        forgot_password_url: Likewise for a forgotten password.
        sign_up_secret: What Auther asks for in `x-internal-signup-secret`.
        links_accounts: Whether Auther links social accounts by e-mail, where that is not visible.
        peak_sign_ins_per_s: Sign-ins a second in the busiest minute; holds steps that would need
            more than half of the capacity that `migrator auther capacity` measured.
    """

    sign_up_url: str = ""
    forgot_password_url: str = ""
    sign_up_secret: SecretRef | None = None
    links_accounts: bool | None = None
    peak_sign_ins_per_s: Annotated[float, Field(gt=0)] | None = None
    doctor: DoctorSection = DoctorSection()
