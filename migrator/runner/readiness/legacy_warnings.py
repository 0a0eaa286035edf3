"""What on the legacy side needs care."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from migrator.core.durations import format_duration
from migrator.core.sql import ident
from migrator.legacy.census import PROBLEMS
from migrator.legacy.findings import MARIADB, POSTGRESQL
from migrator.legacy.interface import INTEGER_TYPES
from migrator.legacy.survey import LONG_S, QUERY
from migrator.runner.readiness.reason import Reason, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.config.model import Config
    from migrator.runner.readiness.findings import Findings

OLDEST_SERVER = 140_000
_BEARERS_TODO = (
    "the shims refuse such bearers (401 foreign_bearer); find their clients before stage dual"
)
_EMAIL_TODO = {
    "missing": "they are rejected by the import; give them addresses or leave them behind",
    "edge_space": "the import trims them as Devise does; white space that Devise keeps is kept",
    "capitals": "the import stores them in lower case; at Auther any spelling signs in",
    "shared": "they are rejected as email_collision; merge the accounts or change one address",
    "refused_by_auther": "they are imported pinned to the legacy path; change their addresses",
    "username_refused": "the import leaves such a user name out; rename it or do not map the column",
}


def key_without_derived_id(found: Findings, config: Config) -> Iterator[Reason]:
    """Derived ids are made from integers; any other key is the id itself."""
    if config.import_.ids == "derived" and found.legacy.key_type not in INTEGER_TYPES:
        yield Reason(
            "key_type",
            f"the primary key is {found.legacy.key_type}: it becomes Auther's id as it is",
            "make sure that the keys may be seen in tokens and logs; this cannot change later",
        )


def rejects_expected(found: Findings, _config: Config) -> Iterator[Reason]:
    """A run with rejects ends with exit code 3 until they are acknowledged."""
    rejected = found.forecast.rejected if found.forecast else {}
    if rejected:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in rejected.items())
        yield Reason(
            "rejects",
            f"the import would reject {sum(rejected.values()):,} users: {reasons}",
            "mend them before, or decide about each of them: migrator import resolve",
        )


def peppers_unproven(found: Findings, config: Config) -> Iterator[Reason]:
    """Without canaries, a wrong pepper shows at the first sign-in after the import only."""
    with_password = found.legacy.states.users - found.legacy.states.without_password
    if not with_password:
        return
    if not found.canaries:
        yield Reason(
            "peppers_unproven",
            f"no canary has proven the peppers ({', '.join(config.legacy.pepper_ids)})",
            "migrator preflight --canaries FILE.csv",
        )
    else:
        proven = {canary.pepper for canary in found.canaries}
        unseen = [name for name in config.legacy.pepper_ids if name not in proven]
        if unseen:
            yield Reason(
                "pepper_unused",
                f"no canary verifies with: {', '.join(unseen)}",
                "add a canary of that time, or take the pepper out: each one costs time per sign-in",
            )


def unclaimed_hashes(found: Findings, config: Config) -> Iterator[Reason]:
    """Values that no scheme can verify."""
    if found.census.unclaimed:
        rejected = config.import_.unsupported_hash == "reject"
        fate = "rejected" if rejected else "imported without a password"
        yield Reason(
            "unclaimed_hashes",
            f"{found.census.unclaimed:,} users have a password value that no scheme knows",
            f"say what they are under [[legacy.digests]]; otherwise they will be {fate}"
            " ([import] unsupported_hash) and need a password reset",
        )


def troubled_emails(found: Findings, _config: Config) -> Iterator[Reason]:
    """Addresses and user names that do not fit."""
    for name, problem in found.census.emails.items():
        yield Reason(
            f"email_{name}" if name != "username_refused" else name,
            f"{problem.count:,} users: {PROBLEMS[name]}",
            _EMAIL_TODO[name],
        )


def odd_times(found: Findings, config: Config) -> Iterator[Reason]:
    """Infinity and years beyond 9999."""
    for odd in found.legacy.odd_times:
        yield Reason(
            "odd_times",
            f"{odd.column}: {odd.infinite:,} infinite and {odd.out_of_range:,} out of range",
            _fate_of_odd_time(odd.column, config),
        )


def _fate_of_odd_time(column: str, config: Config) -> str:
    if column == config.legacy.columns.get("updated_at", "updated_at"):
        return "nothing to do: the import takes the time of the sign-up instead"
    return "set them to real times; otherwise those rows are rejected (migrator import resolve)"


def account_states(found: Findings, config: Config) -> Iterator[Reason]:
    """States that Auther has no place for."""
    states = found.legacy.states
    if states.second_factor:
        yield Reason(
            "second_factor",
            f"{states.second_factor:,} users have a second factor, which Auther cannot hold",
            "they stay pinned to the legacy path until that list is acknowledged",
        )
    if config.import_.verified_when == "never":
        yield Reason(
            "all_unverified",
            'verified_when is "never": every imported user is refused (403) until verified',
            "make sure that this is what you want",
        )
    elif config.import_.verified_when == "confirmed" and states.unconfirmed:
        yield Reason(
            "unconfirmed",
            f"{states.unconfirmed:,} unconfirmed users are refused by Auther (403)",
            "as they are today; nothing to do"
            if found.legacy.laravel is None
            else "Laravel lets them sign in and asks on routes with `verified` only: tell them before",
        )


def passwordless(found: Findings, _config: Config) -> Iterator[Reason]:
    """Users who sign in at a provider, and those who cannot sign in at all."""
    identities = found.legacy.identities
    if identities.suspects and not identities.table:
        yield Reason(
            "identities_not_configured",
            f"{', '.join(identities.suspects)} looks like a table of sign-ins at providers and is not configured",
            "set legacy.identities_table, or sign-ins at providers are lost",
        )
    elif identities.passwordless_alone:
        yield Reason(
            "no_way_in",
            f"{identities.passwordless_alone:,} users have neither password nor provider",
            "they need a password reset at Auther, as they do today",
        )


def laravel_tokens(found: Findings, config: Config) -> Iterator[Reason]:
    """What Laravel keeps in columns of the users table that Auther knows nothing of."""
    tokens = found.legacy.laravel
    if tokens is None:
        return
    if tokens.remember_me:
        yield Reason(
            "remember_tokens",
            f"{tokens.remember_me:,} users have a remember-me token, whose cookies last for up to 5 years",
            "such cookies sign in without Auther until remember_token is emptied: plan that with the"
            " end of the legacy path",
        )
    if tokens.factors_begun and "second_factor" not in config.legacy.columns:
        yield Reason(
            "factors_begun",
            f"{tokens.factors_begun:,} users have the secret of a second factor that they never"
            " confirmed, and count as having one",
            'where Fortify\'s option confirm is on: second_factor = "two_factor_confirmed_at" under'
            " [legacy.columns]",
        )
    if tokens.api:
        yield Reason(
            "api_tokens",
            f"{tokens.api:,} users have an api_token, a bearer of the application's own",
            _BEARERS_TODO,
        )


def other_bearers(found: Findings, _config: Config) -> Iterator[Reason]:
    """Tokens that the application issues itself are refused by the shims."""
    if found.legacy.bearer_tables:
        yield Reason(
            "other_bearers",
            f"the application seems to issue tokens itself: {', '.join(found.legacy.bearer_tables)}",
            _BEARERS_TODO,
        )


def uncounted_sessions(found: Findings, config: Config) -> Iterator[Reason]:
    """What phase 3 will not be able to count."""
    sessions = found.legacy.sessions
    if sessions.store == "cookie":
        text = "sessions live in cookies: they cannot be counted on the server"
        yield Reason("cookie_sessions", text, "phase 3 has to rely on the shims' counters")
    elif sessions.fault:
        todo = "set legacy.session_store and sessions_table, or GRANT SELECT on it"
        yield Reason("sessions_uncounted", f"sessions cannot be counted: {sessions.fault}", todo)
    if config.legacy.session_ttl is None and sessions.store != "none":
        yield Reason(
            "endless_sessions",
            'sessions never end by themselves (session_ttl = "never")',
            "phase 3 ends them at stage.legacy_accept_for; set session_ttl if there is a timeout",
        )


def owner_matters(found: Findings, _config: Config) -> Iterator[Reason]:
    """Phase 4 renames columns and moves tables, which only an owner may do."""
    relation, role = found.legacy.relation, found.legacy.server.role
    if not relation.owned:
        yield Reason(
            "not_owner",
            f"role {role} does not own {found.legacy.table} (owner: {relation.owner})",
            f"phase 4 must connect as {relation.owner} or as a member of it",
        )
    unreadable = found.legacy.unreadable_columns
    if unreadable:
        yield Reason(
            "unreadable_columns",
            f"role {role} may not read {len(unreadable)} other columns: {', '.join(unreadable)}",
            "phase 4 archives them: grant SELECT before it",
        )


def busy_server(found: Findings, _config: Config) -> Iterator[Reason]:
    """Long transactions hold CREATE TABLE, the watermark and every later lock up."""
    activity, server = found.legacy.activity, found.legacy.server
    if activity.count or activity.prepared:
        yield Reason(
            "long_transactions",
            f"{activity.count} transactions are open for over {LONG_S // 60} minutes"
            f" (the oldest for {_age(activity.oldest_s)}), {activity.prepared} are prepared",
            "find them in pg_stat_activity and pg_prepared_xacts, or in INNODB_TRX and XA RECOVER; later"
            " locks wait for them",
        )
    if not server.sees_all_activity:
        yield Reason(
            "activity_unseen",
            f"role {server.role} does not see other roles' transactions",
            f"GRANT PROCESS ON *.* TO {server.role}"
            if server.kind == MARIADB
            else f"GRANT pg_read_all_stats TO {ident(server.role)}",
        )
    if server.kind == POSTGRESQL and server.version_num < OLDEST_SERVER:
        yield Reason(
            "old_server",
            f"PostgreSQL {server.version} is older than 14",
            "phase 4 has not been tried there; rehearse it on a copy",
        )
    if server.encoding == "SQL_ASCII":
        yield Reason(
            "sql_ascii",
            "the database's encoding is SQL_ASCII: any bytes may be in its texts",
            "users whose texts are not UTF-8 are rejected as text_not_storable; mend them first",
        )


def another_database(found: Findings, _config: Config) -> Iterator[Reason]:
    """Phases 2 to 4 put their tables, functions and locks into a PostgreSQL."""
    kind = found.legacy.server.kind
    if kind != POSTGRESQL:
        yield Reason(
            "not_postgresql",
            f"the application's database is {kind}: stages, shims and gates on instances know"
            " PostgreSQL only, the removal MariaDB's tables too",
            "import, sync and write-back work; what follows them has to be done by hand",
        )


def slow_deletes(found: Findings, _config: Config) -> Iterator[Reason]:
    """Deleting a user scans every referring table that has no index."""
    slow = [key for key in found.legacy.foreign_keys if not key.indexed]
    if slow:
        names = ", ".join(f"{key.table}.{'+'.join(key.columns)}" for key in slow)
        yield Reason(
            "unindexed_references",
            f"{len(slow)} foreign keys to users have no index: {names}",
            "deleting a user scans those tables; CREATE INDEX CONCURRENTLY on them",
        )


def _age(seconds: float) -> str:
    return format_duration(timedelta(seconds=seconds))


def only_a_query(found: Findings, _config: Config) -> Iterator[Reason]:
    """What cannot be said about tables behind a SELECT."""
    if found.legacy.relation.kind == QUERY:
        yield Reason(
            "query_source",
            "users come from a SELECT: the tables behind it were not looked at (keys that refer to"
            " users, row security, rights to write)",
            "the import needs nothing else; the phases after it need the users table itself",
        )


LEGACY_WARNINGS: tuple[Rule, ...] = (
    another_database,
    only_a_query,
    rejects_expected,
    key_without_derived_id,
    peppers_unproven,
    unclaimed_hashes,
    troubled_emails,
    odd_times,
    account_states,
    passwordless,
    laravel_tokens,
    other_bearers,
    uncounted_sessions,
    owner_matters,
    busy_server,
    slow_deletes,
)
