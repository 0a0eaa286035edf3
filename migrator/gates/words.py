"""What each measurement counts, and what to do about one that is out of its bounds, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from migrator.config.gate import Measurement


class Words(NamedTuple):
    """About one measurement.

    Attributes:
        counts: What its number is.
        mend: What to do when the bound is broken.
    """

    counts: str
    mend: str


WORDS: dict[Measurement, Words] = {
    "legacy_requests": Words(
        "requests accepted on the legacy path since the look before, on all instances",
        "see who still comes: migrator drain status; wait for the bound, or a nearer deadline",
    ),
    "legacy_sessions": Words(
        "sessions in the store that hold a user; 0 once legacy_accept_until has passed",
        "wait for the bound or the deadline: migrator drain status",
    ),
    "total_requests": Words(
        "all requests since the look before: the floor that gives a zero its meaning",
        "set at_least to a tenth of your quietest hour; with no traffic at all nothing is proven",
    ),
    "identity_conflicts": Words(
        "requests that carried two people, or an address that another row has",
        "look at the counters' reason, then at the person: migrator user show EMAIL",
    ),
    "verification_unavailable": Words(
        "requests that could not be verified because Auther's keys were not to be had",
        "look at Auther and the way to it: migrator auther doctor",
    ),
    "import_differences": Words(
        "users who differ between both sides, by the last full comparison",
        "migrator import run, then: migrator import verify",
    ),
    "sync_lag_seconds": Words(
        "for how long changes in the application may be missing at Auther",
        "let it run: migrator import sync --watch",
    ),
    "sync_lag_rows": Words(
        "users known to differ since the last pass of the sync",
        "let it run: migrator import sync --watch",
    ),
    "write_back_lag_seconds": Words(
        "for how long changes at Auther may be missing in the application",
        "let it run: migrator import write-back --watch",
    ),
    "write_back_open_users": Words(
        "people who could not sign in as usual after a rollback",
        "migrator import write-back --pending",
    ),
    "canaries_refused": Words(
        "canaries whose known password would not sign in at Auther",
        "see which and why: migrator import prove canaries.csv",
    ),
    "shadow_refused_share": Words(
        "the share of users whose live password Auther may refuse at most, with 95 % confidence",
        "see who was refused: migrator import shadow; more sign-ins narrow the bound",
    ),
    "sign_in_load": Words(
        "the busiest minute's sign-ins, as a share of what Auther was measured to take",
        "a faster Auther, then: migrator auther capacity",
    ),
    "unacknowledged_users": Words(
        "users who stay on the legacy path and lose access when it ends, not acknowledged yet",
        "look at the list and acknowledge it: migrator gate acknowledge",
    ),
    "refused_reads": Words(
        "statements that PostgreSQL refused since the removal took tables away, by its log",
        "see whose they were and mend them: migrator remove status",
    ),
    "rollbacks": Words(
        "how often the stage was taken back in this migration",
        "rehearse it while few are concerned: migrator dual-path stage rollback",
    ),
    "legacy_homes": Words(
        "users whose home is still the legacy side",
        "they move when they sign in: migrator drain status; remind those who never come",
    ),
    "users_seen_on_legacy": Words(
        "users seen on the legacy path within [drain] seen_within",
        "see who still comes: migrator drain status",
    ),
    "auther_sign_ins": Words(
        "right passwords at Auther since the look before, by its plugin",
        "look at Auther and the way to it: migrator auther doctor",
    ),
    "auther_sign_in_failures": Words(
        "wrong passwords at Auther since the look before, by its plugin",
        "see whether right ones are refused: migrator import shadow",
    ),
    "auther_rehash_failures": Words(
        "right passwords whose old hash could not be replaced, since the look before",
        "look at Auther's own log and its database",
    ),
    "unrehashed_users": Words(
        "users who have not signed in at Auther with their old hash yet",
        "wait; who never signs in keeps it, which does no harm while the plugin is there",
    ),
    "error_ratio": Words(
        "the share of requests that failed, at the shim or the application, within [drain] health_window",
        "look at Auther's keys, the database and the application's log: migrator drain health, migrator auther doctor",
    ),
    "sign_in_success": Words(
        "sign-ins within an hour by those usual at this time of the week; 1 is as usual",
        "see what fails, at which door: migrator drain health; known after two weeks of watching",
    ),
    "sign_in_failures": Words(
        "the share of sign-ins at Auther that came to no end, within an hour",
        "see the shims' reasons: migrator drain health, and their log",
    ),
    "shim_p95_seconds": Words(
        "the time within which 95 % of the requests get their decision",
        "look at the application's database, and at how often keys are fetched",
    ),
    "jwks_failures": Words(
        "fetches of Auther's keys that failed, within [drain] health_window",
        "look at Auther and the way to it: migrator auther doctor",
    ),
    "login_refusals": Words(
        "sign-ins that a closed door refused, within [drain] health_window",
        "see at which door: migrator drain health; its users have to be led to Auther",
    ),
}
