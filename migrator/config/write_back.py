"""The section [write_back]: what Auther changed goes to the application's own table."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from migrator.config.section import Section

DefaultValue = str | int | float | bool


class WriteBackSection(Section):
    """How people's changes at Auther reach the users table.

    Attributes:
        events: Where changes are read: the plugin's `endpoint`, or Auther's `database` itself.
        new_users: Whether people who sign up at Auther get a row.
        defaults: Values for columns of such rows that need one and have none.
        ban: What becomes of a user who is banned at Auther.
        delete: What becomes of a user who is deleted at Auther; a row is never deleted.
    """

    events: Literal["endpoint", "database"] = "endpoint"
    new_users: bool = False
    defaults: dict[str, DefaultValue] = Field(default_factory=dict)
    ban: Literal["lock", "ignore"] = "lock"
    delete: Literal["soft_delete", "lock", "ignore"] = "soft_delete"
