"""How the import's results look."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from migrator.runner.importing.reconciliation_report import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from migrator.runner.importing.outcome import Outcome
    from migrator.runner.importing.reconcile import Reconciliation
    from migrator.runner.importing.undecided import Undecided
    from migrator.runner.importing.withdraw import Withdrawal

_ON_SCREEN, _IN_DATA = 20, 100
_REASONS = {
    "email_missing": "no e-mail address",
    "email_collision": "another user has the same address, apart from case or blanks",
    "target_taken": "Auther has this address or id for somebody else",
    "unsupported_hash": "the stored password is of no known scheme",
    "timestamp_out_of_range": "a time is infinite or beyond what Auther can hold",
    "text_not_storable": "a text is not Unicode",
    "identity_taken": "another user has the same identity at a provider",
    "soft_deleted": "deleted in the application",
    "second_factor": "pinned: has a second factor, cannot sign in at Auther",
    "email_unreachable": "pinned: Auther's sign-in refuses the address",
    "no_password": "no password, so no password sign-in at Auther either",
    "hash_left_behind": "the password stays behind (pinned, or of no known scheme)",
    "username_dropped": "the user name does not fit Auther's rules or is taken",
    "identities_withheld": "identities at providers withheld because of the second factor",
    "time_replaced": "the time of the last change is infinite or out of range: created_at instead",
    "email_resembles": "the address differs from another user's in the form of letters only",
    "resolution_impossible": "what the resolution file says about the user cannot be done",
}


def show_outcome(out: Console, outcome: Outcome) -> None:
    """Print what became of all users, or would become."""
    counts = outcome.counts
    tally, notes = counts.tally, counts.notes
    verb = "would be imported" if outcome.planned else "imported"
    out.print(Text("Import plan" if outcome.planned else "Import", style="bold"))
    rows = [("users read", tally.read, ""), (verb, tally.imported, "")]
    if tally.linked:
        rows.append(("linked", tally.linked, "to people whom Auther has, by the resolution file"))
    rows.append(("already there", tally.already_there, ""))
    rows += [(f"rejected: {r}", n, _REASONS[r]) for r, n in sorted(tally.rejected.items())]
    if outcome.acknowledged:
        rows.append(("of the rejected, skipped", outcome.acknowledged, "by the resolution file"))
    out.print(_table(rows))
    for entry in outcome.unmatched:
        out.print(f"resolution file, {entry}", markup=False)
    rows = [("banned", notes.banned, "locked or deleted in the application")]
    rows += [(str(p), n, _REASONS[p]) for p, n in sorted(notes.pinned.items())]
    rows += [(str(note), n, _REASONS[note]) for note, n in sorted(notes.notes.items())]
    rows += [(role, n, "a role, as an access tuple") for role, n in sorted(counts.roles.items())]
    out.print(Text("Of those at Auther", style="bold"))
    out.print(_table(rows))
    for role, n in sorted(counts.unknown_roles.items()):
        out.print(f"role {role}: {n:,} users have it and nothing becomes of it", markup=False)
    ids = "derived from the legacy keys" if outcome.derived_ids else "the legacy keys themselves"
    out.print(f"ids: {ids}   peppers: {', '.join(outcome.peppers)}")
    if not outcome.planned:
        out.print(f"locks judged at {outcome.as_of}")
    _show_next(out, outcome)


def _show_next(out: Console, outcome: Outcome) -> None:
    if outcome.planned:
        out.print("next: migrator import run")
    elif outcome.accepted:
        out.print("next: migrator import verify")
    else:
        count = outcome.counts.tally.rejected.total() - outcome.acknowledged
        out.print(f"held: {count} rejects are listed in {outcome.rejects_file.name}; look at them")
        out.print("to decide about each of them: migrator import resolve")
        out.print("next: migrator import run --accept-rejects")


def as_data(result: Reconciliation) -> dict[str, Any]:
    """Give a comparison for programs."""
    return {
        "holds": result.holds(),
        "read": result.read,
        "equal": result.equal,
        "left_to_auther": result.left_to_auther,
        "rejected": result.rejected,
        "differing": result.differing,
        "foreign": result.foreign,
        "allowed": {str(kind): count for kind, count in sorted(result.allowed.items())},
        "differences": dict(sorted(result.by_kind.items())),
        "roles_unread": result.roles_unread,
        "shown": [asdict(difference) for difference in result.shown[:_IN_DATA]],
    }


def show_reconciliation(out: Console, result: Reconciliation, *, file: str) -> None:
    """Print what was compared, the first things that differ, and where all of them are."""
    out.print(Text("Comparison, field by field", style="bold"))
    out.print(_table((row.name, row.count, row.meaning) for row in counted(result)))
    for kind, count in sorted(result.by_kind.items()):
        out.print(f"{kind}: {count:,}", markup=False)
    for difference in result.shown[:_ON_SCREEN]:
        who = f"user {difference.pk}" if difference.pk else difference.auther_id
        out.print(f"  {who}: {difference.kind} {difference.detail}".rstrip(), markup=False)
    if result.by_kind:
        out.print(f"all {result.by_kind.total():,} are in {file}", markup=False)
    if result.roles_unread:
        out.print("note: roles were not compared: access_tuples cannot be read this way")
    out.print("every field agrees" if result.holds() else "the two sides differ")


def show_withdrawal(out: Console, done: Withdrawal, *, planned: bool) -> None:
    """Print what a rollback removed, or would remove, and who stays."""
    out.print(Text("Rollback plan" if planned else "Rollback", style="bold"))
    rows = [("to remove" if planned else "removed", done.removed, "users, with their accounts")]
    rows.append(("not there any more", done.absent, ""))
    rows.append(("used Auther since", done.kept, "they stay" if done.kept else ""))
    out.print(_table(rows))
    for trace in done.shown:
        out.print(f"  user {trace.pk}: {', '.join(trace.signs)}", markup=False)


def show_proofs(out: Console, proofs: Sequence[Mapping[str, str]]) -> None:
    """Print what became of each canary; passwords are nowhere in it."""
    for proof in proofs:
        detail = f" ({proof['detail']})" if proof["detail"] else ""
        out.print(f"{proof['email']}: {proof['answer']}{detail}", markup=False)
    fine = sum(proof["answer"] == "signs in" for proof in proofs)
    out.print(f"{fine} of {len(proofs)} would sign in")


def _table(rows: Iterable[tuple[str, int, str]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for name, count, meaning in rows:
        table.add_row(name, f"{count:,}", meaning)
    return table


def show_undecided(out: Console, found: Undecided, *, written: bool) -> None:
    """Print what is left to decide, and where."""
    where = found.path.name
    verb = "are in" if written else "would be put into"
    out.print(
        f"{len(found.rejects)} rejects {verb} {where}, {found.decided} entries stay as they are"
    )
    for entry in found.unmatched:
        out.print(f"{where}, {entry}", markup=False)
    out.print(f"next: {'edit ' + where + ', then: ' if found.rejects else ''}migrator import run")
