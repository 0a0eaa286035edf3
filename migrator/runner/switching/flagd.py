"""The stage as a flagd flag definition, for whatever else has to know where logins lead.

Source: https://flagd.dev/reference/flag-definitions/. flagd's own `fractional` hashes differently from
the shims, so who decides by it hands over the browser's bucket, and both agree to the last browser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.core.stage import BUCKETS, Stage

if TYPE_CHECKING:
    from migrator.core.stage import StageDocument

SCHEMA = "https://flagd.dev/schema/v0/flags.json"
# What the evaluation context has to bring: the bucket (0 to 99,999) of the browser's cookie
# `migrator_bucket` as the shims compute it, and the group of the application's own making.
BUCKET, COHORT = "migratorBucket", "migratorCohort"


def definition(document: StageDocument) -> dict[str, Any]:
    """Give the flags `migrator-stage` and `migrator-login` as JSON data."""
    return {
        "$schema": SCHEMA,
        "flags": {
            "migrator-stage": {
                "state": "ENABLED",
                "variants": {str(stage): str(stage) for stage in Stage},
                "defaultVariant": str(document.stage),
            },
            "migrator-login": {
                "state": "ENABLED",
                "variants": {"legacy": "legacy", "auther": "auther"},
                "defaultVariant": _usual(document),
                "targeting": _targeting(document),
            },
        },
        "metadata": {"namespace": document.namespace, "epoch": document.epoch},
    }


def _usual(document: StageDocument) -> str:
    return "auther" if document.stage.rank >= Stage.DRAIN.rank else "legacy"


def _targeting(document: StageDocument) -> dict[str, Any]:
    if document.stage is not Stage.DUAL:
        return {}
    # Without a bucket in the context `<` would compare with null, which counts as 0.
    limit = round(document.percent / 100 * BUCKETS)
    in_share = {"and": [{"!": {"missing": [BUCKET]}}, {"<": [{"var": BUCKET}, limit]}]}
    in_cohort = {"in": [{"var": COHORT}, list(document.cohorts)]}
    return {"if": [{"or": [in_share, in_cohort]}, "auther", "legacy"]}
