"""17_finalize of the removal 0123456789abcdef.

Does 17_finalize.

What it locks and until when it can be undone: sql/deploy/17_finalize.sql
"""

from django.db import migrations

from migrator_removal.step import run_step


def forward(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        run_step(cursor, "17_finalize", "deploy")


def back(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        run_step(cursor, "17_finalize", "revert")


class Migration(migrations.Migration):
    # The file opens its transactions itself, one for each part.
    atomic = False
    dependencies = [("migrator_removal", "0016_purge_columns")]
    operations = [migrations.RunPython(forward, back)]
