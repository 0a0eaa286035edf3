"""Where an application keeps its sessions, beyond a table of its own database."""

from __future__ import annotations

from typing import Literal

from migrator.config.secrets import SecretRef
from migrator.config.section import Section

StoreName = Literal["activerecord", "laravel", "django", "sql", "redis", "cookie", "none"]
RedisFormat = Literal["rails", "express", "django", "plain"]


class SessionsSection(Section):
    """`[legacy.sessions]`: a SELECT that gives sessions, or a Redis that holds them.

    Attributes:
        query: Gives one row with the count `holding` (and others, anonymous, undecodable, endless, written_at), or a
            row for each session: user_id, NULL for a visitor's, and where they are known used_at, ends_at.
        url: `redis://user:password@host:6379/0`, or `rediss://…`.
        prefix: What the keys of sessions begin with.
        format: What the values are; `plain`: each key is a session that holds a user.
    """

    query: str = ""
    url: SecretRef | None = None
    prefix: str = "session:"
    format: RedisFormat = "rails"
