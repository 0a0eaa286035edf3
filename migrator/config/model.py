"""The model of migrator.toml. Every key, its type, its default; unknown keys are errors."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from migrator.config.approvers import ApproverSection
from migrator.config.drain import DrainSection
from migrator.config.durations import Duration, DurationOrNever
from migrator.config.gate import GateSection
from migrator.config.hashes import DigestSection, without_clash
from migrator.config.name import Name
from migrator.config.notify import NotifySection
from migrator.config.people import USUAL, GrantsSection, QuerySection, RolesSection, TotpSection
from migrator.config.plugin import FOLLOW, PluginSection
from migrator.config.regress import RegressSection
from migrator.config.remove import RemoveSection
from migrator.config.secrets import SecretRef
from migrator.config.section import Section
from migrator.config.sessions import SessionsSection, StoreName
from migrator.config.shim import ShimSection
from migrator.config.standing_up import StandingUp
from migrator.config.sync import SyncSection
from migrator.config.verify import VerifySection
from migrator.config.way_in import WayIn
from migrator.config.webhook import WebhookSection
from migrator.config.write_back import WriteBackSection
from migrator.core.envelope import MAX_PEPPERS, NO_PEPPER

if TYPE_CHECKING:
    from migrator.core.stage import Stage
    from migrator.schemes.digests import Declaration


# Where a setting of the application chooses among hashers, its rows tell which.
_HASHERS_BY_SETTING = frozenset({"django", "laravel"})
PepperId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


class MigrationSection(Section):
    """Who we are: the name goes into ids, documents and ledger and cannot change later."""

    name: Name
    key: SecretRef


class StateSection(Section):
    """Where the ledger lives: `sqlite:PATH`, or a secret that holds a postgresql:// URL."""

    url: str = "sqlite:.migrator/state.db"


class Pepper(Section):
    """A pepper by id; the value stays in the environment or a file."""

    id: PepperId
    value: SecretRef


class LegacySection(Section):
    """Where users come from: an application's tables on PostgreSQL."""

    dsn: SecretRef
    direct_dsn: SecretRef | None = None
    kind: Literal["devise", "django", "laravel", "loaded", "sql"] = "devise"
    model: str = "User"
    users_table: str = "public.users"
    identities_table: str = ""
    columns: dict[str, str] = Field(default_factory=dict)
    time_zone: str = "UTC"
    query: QuerySection = QuerySection()
    roles: RolesSection = RolesSection()
    totp: TotpSection | None = None
    digests: Annotated[tuple[DigestSection, ...], AfterValidator(without_clash)] = ()
    peppers: tuple[Pepper, ...] = ()
    try_without_pepper: bool = True
    session_store: StoreName = "activerecord"
    sessions_table: str = "public.sessions"
    sessions: SessionsSection = SessionsSection()
    session_ttl: DurationOrNever = None
    remember_for: DurationOrNever = timedelta(days=14)

    @model_validator(mode="before")
    @classmethod
    def _begins_with_what_is_usual(cls, given: Any) -> Any:
        return (
            {**USUAL.get(str(given.get("kind")), {}), **given}
            if isinstance(given, dict)
            else given
        )

    @model_validator(mode="after")
    def _has_its_query(self) -> LegacySection:
        if (self.kind == "sql") != bool(self.query.users):
            raise ValueError('kind = "sql" goes with a SELECT as users under [legacy.query]')
        return self

    @model_validator(mode="after")
    def _says_where_its_sessions_are(self) -> LegacySection:
        if (self.session_store == "sql") != bool(self.sessions.query):
            raise ValueError('session_store = "sql" goes with a query under [legacy.sessions]')
        if (self.session_store == "redis") != (self.sessions.url is not None):
            raise ValueError('session_store = "redis" goes with a url under [legacy.sessions]')
        return self

    @model_validator(mode="after")
    def _knows_its_zone(self) -> LegacySection:
        if self.time_zone != "UTC" and self.kind != "laravel":
            raise ValueError('time_zone goes with kind = "laravel" only')
        return self

    @model_validator(mode="after")
    def _few_peppers(self) -> LegacySection:
        if len(self.pepper_ids) > MAX_PEPPERS:
            raise ValueError(f"at most {MAX_PEPPERS} peppers can be tried, 'none' included")
        if len(set(self.pepper_ids)) < len(self.pepper_ids):
            raise ValueError("a pepper id occurs twice, or is 'none'")
        return self

    @property
    def has_hashers_by_setting(self) -> bool:
        """Whether a setting of the application, which we do not see, chooses what passwords it reads."""
        return self.kind in _HASHERS_BY_SETTING

    @property
    def declared(self) -> tuple[Declaration, ...]:
        """What bare digests in the password column are."""
        return tuple(section.declaration() for section in self.digests)

    @property
    def sessions_place(self) -> str:
        """Where the sessions are, as far as it may be shown."""
        if self.session_store == "redis":
            return f"{self.sessions.url} {self.sessions.prefix} {self.sessions.format}"
        return self.sessions.query if self.session_store == "sql" else self.sessions_table

    @property
    def pepper_ids(self) -> tuple[str, ...]:
        """Ids in the order in which they are tried, the current one first."""
        ids = tuple(pepper.id for pepper in self.peppers)
        return (*ids, NO_PEPPER) if self.try_without_pepper or not ids else ids


class AutherSection(StandingUp, WayIn):
    """The target: its database file for the import, its addresses for tokens and logins."""

    issuers: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    client_id: str = ""

    @property
    def api(self) -> str:
        """The base of better-auth's HTTP API."""
        return self.base_url.rstrip("/") + "/api/auth"


class ImportSection(Section):
    """How account states become rows at Auther; `verified_when` has no default on purpose."""

    verified_when: Literal["confirmed", "always", "never"]
    ids: Literal["derived", "legacy"] = "derived"
    unlock_in: DurationOrNever = timedelta(hours=1)
    soft_deleted: Literal["ban", "reject"] = "ban"
    unsupported_hash: Literal["reject", "without_credential"] = "reject"
    # OmniAuth names its strategies, better-auth its providers: google_oauth2 is google there.
    providers: dict[str, str] = Field(default_factory=lambda: {"google_oauth2": "google"})
    page_rows: Annotated[int, Field(ge=1, le=100_000)] = 5000
    processes: Literal[1, 2, "auto"] = "auto"
    rejects_file: Path = Path(".migrator/rejects.jsonl")
    differences_file: Path = Path(".migrator/differences.jsonl")
    resolutions_file: Path = Path(".migrator/resolutions.toml")
    roles: GrantsSection = GrantsSection()
    account_index: bool = True


class StageSection(Section):
    """The switch: where the signed stage document is published, and who must follow it."""

    document: Path = Path(".migrator/stage.json")
    signing_key: SecretRef
    expected_instances: (
        Annotated[int, Field(ge=1)] | Annotated[tuple[str, ...], Field(min_length=1)]
    )
    wait: Duration = timedelta(seconds=60)
    heartbeat_within: Duration = timedelta(seconds=30)
    legacy_accept_for: Duration = timedelta(days=30)


class Config(Section):
    """The whole file."""

    migration: MigrationSection
    state: StateSection = StateSection()
    legacy: LegacySection
    auther: AutherSection
    import_: Annotated[ImportSection, Field(alias="import")]
    plugin: PluginSection = PluginSection()
    write_back: WriteBackSection = WriteBackSection()
    webhook: WebhookSection = WebhookSection()
    sync: SyncSection = SyncSection()
    stage: StageSection
    shim: ShimSection = ShimSection()
    drain: DrainSection = DrainSection()
    gates: tuple[GateSection, ...] = ()
    regress: tuple[RegressSection, ...] = ()
    approvers: tuple[ApproverSection, ...] = ()
    notify: NotifySection = NotifySection()
    remove: RemoveSection = RemoveSection()
    verify: VerifySection = VerifySection()

    @model_validator(mode="before")
    @classmethod
    def _follows_what_has_many_hashers(cls, given: Any) -> Any:
        legacy, plugin = (given.get(section, {}) for section in ("legacy", "plugin"))
        if not isinstance(legacy, dict) or legacy.get("kind") not in _HASHERS_BY_SETTING:
            return given
        return {**given, "plugin": {"write_back": FOLLOW, **plugin}}

    @model_validator(mode="after")
    def _gates_have_names_of_their_own(self) -> Config:
        names = [*(gate.name for gate in self.gates), *(one.name for one in self.regress)]
        if len(set(names)) < len(names):
            raise ValueError("two gates, or a gate and a regress, have the same name")
        return self

    @model_validator(mode="after")
    def _nothing_goes_back_by_log_lines(self) -> Config:
        if self.drain.counters == "logs" and any(one.roll_back for one in self.regress):
            raise ValueError(
                'roll_back = true is not for counters = "logs": whoever the application logs a text of '
                "could write such lines"
            )
        return self

    @model_validator(mode="after")
    def _approvers_are_several_people(self) -> Config:
        names = {one.name for one in self.approvers}
        keys = {one.public_key for one in self.approvers}
        if len(names) < len(self.approvers) or len(keys) < len(self.approvers):
            raise ValueError("two approvers have the same name or the same key")
        if len(self.approvers) == 1:
            raise ValueError("one approver cannot approve twice: name two, or none")
        return self

    def gates_before(self, step: Stage | str) -> tuple[GateSection, ...]:
        """Give the gates that guard a step."""
        return tuple(gate for gate in self.gates if gate.before == str(step))
