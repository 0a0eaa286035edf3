"""Sets the scene: stage documents signed with the migration's key, and the canaries' rows."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from migrator.conformance.interface import At
from migrator.core.clock import iso
from migrator.core.stage import Stage, StageDocument
from migrator.runner import stages
from migrator.runner.switching.publishing import publish, put, signed
from migrator.shims.document import sign

if TYPE_CHECKING:
    from datetime import datetime

    from migrator.conformance.interface import Person
    from migrator.runner.context import Context
    from migrator.runner.stages import Position
    from migrator.runner.verifying.rows import CanaryRows, Row
    from migrator.state.ledger import Entry
    from migrator.state.locks import Lease


@dataclass
class MigrationScene:
    """The published stage and the canaries' rows of one migration.

    Attributes:
        intent: The ledger entry that every document of the suite names.
        kept: The canaries' rows as they were.
        epoch: Of the newest document that shims may have seen.
        facts: For the ledger's outcome.
    """

    ctx: Context
    lease: Lease
    intent: Entry
    rows: CanaryRows
    kept: tuple[Row, ...]
    epoch: int
    facts: dict[str, Any] = field(default_factory=dict)

    def publish(self, at: At | Position) -> int:
        """Publish a stage document; gives its epoch.

        The state remembers each: whoever finds an interrupted run goes on from there.
        """
        document = self._next(at)
        self.ctx.state.locks.check(self.lease)
        publish(self.ctx, document)
        stages.remember(self.ctx, document)
        self.epoch = document.epoch
        return document.epoch

    def spoilt_documents(self) -> dict[str, str]:
        """Give documents by name that say stage `auther`, each with one thing wrong."""
        later = self._next(At(Stage.AUTHER, 100.0))
        thief = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
        others = {
            "of-an-older-epoch": replace(later, epoch=later.epoch - 2),
            "of-the-same-epoch": replace(later, epoch=later.epoch - 1),
            "of-another-migration": replace(later, namespace="another-migration"),
        }
        return {
            "of-another-key": sign(later, thief),
            **{name: signed(self.ctx, one) for name, one in others.items()},
            "not-json": "stage = auther",
        }

    def put(self, text: str) -> None:
        """Put any text where the document stands."""
        self.ctx.state.locks.check(self.lease)
        put(self.ctx, text)

    def restore(self) -> None:
        """Give all canaries their identity rows as they were."""
        self.rows.put_back(self.kept)

    def change(
        self,
        person: Person,
        *,
        home: str | None = None,
        pinned_reason: str | None = None,
        auth_valid_after: datetime | None = None,
    ) -> None:
        """Change a canary's identity row until `restore`; None leaves a column as it is."""
        self.rows.change(
            person.user_pk,
            home=home,
            pinned_reason=pinned_reason,
            auth_valid_after=auth_valid_after,
        )

    def home(self, person: Person) -> str:
        """Give where a canary's home is now."""
        return self.rows.home(person.user_pk)

    def users_of(self, auther_id: str) -> tuple[str, ...]:
        """Give the users that a made-up Auther id is linked to; they go with `restore`."""
        return self.rows.users_of(auther_id)

    def bury(self, auther_id: str) -> None:
        """Note that an Auther id was deleted at Auther, until `restore`."""
        self.rows.bury(auther_id)

    def _next(self, at: At | Position) -> StageDocument:
        return StageDocument(
            namespace=self.ctx.config.migration.name,
            epoch=self.epoch + 1,
            stage=at.stage,
            percent=at.percent,
            salt=stages.salt(self.ctx),
            issued_at=iso(self.ctx.clock.now()),
            ledger_head=self.intent.hash,
            ledger_length=self.intent.seq,
            stop_accepting=at.stop_accepting,
            legacy_accept_until=at.legacy_accept_until,
            cohorts=at.cohorts,
        )
