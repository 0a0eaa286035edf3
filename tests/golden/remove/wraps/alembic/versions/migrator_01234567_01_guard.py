"""01_guard of the removal 0123456789abcdef.

Does 01_guard.

What it locks and until when it can be undone: migrator_removal/sql/deploy/01_guard.sql
"""

import importlib.util
from pathlib import Path

from alembic import op

revision = "migrator_01234567_01"
down_revision = None
branch_labels = ("migrator_removal",)
depends_on = None


def upgrade():
    _run("deploy")


def downgrade():
    _run("revert")


def _run(direction):
    place = Path(__file__).parent / "migrator_removal" / "step.py"
    spec = importlib.util.spec_from_file_location("migrator_removal_step", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # The file opens its transactions itself, one for each part.
    with op.get_context().autocommit_block():
        cursor = op.get_bind().connection.cursor()
        try:
            module.run_step(cursor, "01_guard", direction)
        finally:
            cursor.close()
