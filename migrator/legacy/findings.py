"""What a survey of the legacy database finds. Values only; nothing here holds a password or a hash."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True)
class Server:
    """The server and what our role sees of it.

    Attributes:
        version_num: As PostgreSQL numbers it, e.g. 150018.
        is_replica: The server is a standby and takes no writes.
        sees_all_activity: Other roles' transactions are visible to this one.
    """

    version: str
    version_num: int
    database: str
    role: str
    is_replica: bool
    encoding: str
    sees_all_activity: bool


@dataclass(frozen=True)
class Relation:
    """A table or view: owner, our rights, sizes in bytes.

    Attributes:
        kind: `pg_class.relkind`: r table, p partitioned, v view, m materialised view, f foreign;
            q for a SELECT of the operator's, of which the rest is not known.
        owned: Our role owns it or is a member of its owner.
        rows_hidden: Row security applies to our role, so counts may be short.
        writable: Our role may insert and update.
        rows_estimate: From the server's statistics, 0 when it has none.
    """

    oid: int
    kind: str
    owner: str
    owned: bool
    rows_hidden: bool
    writable: bool
    schema_usable: bool
    schema_creatable: bool
    rows_estimate: int
    total_bytes: int
    table_bytes: int


@dataclass(frozen=True)
class States:
    """Users by account state; one user may be in several.

    Attributes:
        active: Confirmed, neither locked nor soft-deleted.
        active_with_password: Active, with a password, without a second factor.
        without_password: NULL or ''.
        last_remembered: Newest finite remember_created_at.
    """

    users: int
    active: int
    unconfirmed: int
    pending_email_change: int
    locked_now: int
    lock_expired: int
    soft_deleted: int
    second_factor: int
    without_password: int
    active_with_password: int
    remembered: int
    last_remembered: datetime | None


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key to the users table.

    Attributes:
        on_delete: `CASCADE`, `SET NULL`, `SET DEFAULT`, `RESTRICT` or `NO ACTION`.
        indexed: A whole, valid index begins with these columns.
    """

    schema: str
    table: str
    name: str
    columns: tuple[str, ...]
    on_delete: str
    validated: bool
    rows_estimate: int
    indexed: bool


@dataclass(frozen=True)
class LooseReference:
    """A column that seems to point at users without a foreign key."""

    schema: str
    table: str
    column: str
    polymorphic: bool


@dataclass(frozen=True)
class OddTimes:
    """Times of one column that a migration cannot carry as they are."""

    column: str
    infinite: int
    out_of_range: int


@dataclass(frozen=True)
class SessionStore:
    """Where sessions live.

    Attributes:
        store: `activerecord`, `laravel`, `cookie` or `none`, as configured.
        table: The configured table, empty for other stores.
        fault: Why it cannot be counted, empty when it can.
        rows: None when it cannot be counted. Includes anonymous visitors' rows.
        of_users: The rows that hold a user, None where only the data tells.
    """

    store: str
    table: str = ""
    fault: str = ""
    rows: int | None = None
    of_users: int | None = None
    oldest: datetime | None = None
    newest: datetime | None = None


@dataclass(frozen=True)
class Identities:
    """Sign-ins at providers.

    Attributes:
        table: The configured table, empty without one.
        by_provider: Identities by provider.
        passwordless_linked: Users without a password who can sign in at a provider.
        passwordless_alone: Users without a password and without a provider.
        suspects: Tables that look like OmniAuth's and are not configured.
    """

    table: str
    by_provider: Mapping[str, int]
    passwordless_linked: int
    passwordless_alone: int
    suspects: tuple[str, ...]


@dataclass(frozen=True)
class LaravelTokens:
    """Users of Laravel by what stands in columns of their rows.

    Attributes:
        remember_me: With a token that remember-me cookies carry.
        factors_begun: With a second factor's secret that they have not confirmed.
        api: With a bearer token (`api_token`).
    """

    remember_me: int
    factors_begun: int
    api: int


@dataclass(frozen=True)
class Activity:
    """Transactions that would hold later steps up.

    Attributes:
        count: Open for more than `LONG_S` seconds, of those that we see.
        oldest_s: Age of the oldest in seconds.
        prepared: Two-phase transactions that wait.
    """

    count: int
    oldest_s: float
    prepared: int


@dataclass(frozen=True)
class Example:
    """One user to look at; the address is masked wherever it is printed, unless asked for."""

    pk: str
    email: str


@dataclass(frozen=True)
class Problem:
    """Users who share a problem, with the first few of them."""

    count: int = 0
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Census:
    """What reading every user once tells.

    Attributes:
        read: Users read.
        seconds: How long that took, both machines and the network between them included.
        schemes: Users by scheme and cost (`bcrypt $2a$ cost 12`) or, for values that no scheme
            claims, by shape (`unclaimed: hex40`).
        unclaimed: Users whose value no scheme claims.
        emails: Problems by name; the names are in `migrator.legacy.census`.
    """

    read: int
    seconds: float
    schemes: Mapping[str, int]
    unclaimed: int
    emails: Mapping[str, Problem] = field(default_factory=dict)


@dataclass(frozen=True)
class LegacySurvey:
    """Everything preflight knows about the legacy side.

    Attributes:
        key_range: Lowest and highest key as text, empty in an empty table.
        unreadable_columns: Columns of the users table that our role may not read.
        identity_table: migrator_identity, None before the import made it.
        schema: Where migrator_identity is, or is going to be.
        library: Whose columns they are, e.g. `authlogic`.
        laravel: None for other libraries.
    """

    server: Server
    table: str
    relation: Relation
    key_type: str
    key_range: tuple[str, str]
    modules: tuple[str, ...]
    unreadable_columns: tuple[str, ...]
    states: States
    odd_times: tuple[OddTimes, ...]
    foreign_keys: tuple[ForeignKey, ...]
    loose_references: tuple[LooseReference, ...]
    identities: Identities
    sessions: SessionStore
    activity: Activity
    bearer_tables: tuple[str, ...]
    identity_table: Relation | None
    schema: str = "public"
    library: str = "devise"
    laravel: LaravelTokens | None = None
