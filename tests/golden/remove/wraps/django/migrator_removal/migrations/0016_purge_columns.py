"""16_purge_columns of the removal 0123456789abcdef.

Does 16_purge_columns.

What it locks and until when it can be undone: sql/deploy/16_purge_columns.sql
"""

from django.db import migrations

from migrator_removal.step import run_step


def forward(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        run_step(cursor, "16_purge_columns", "deploy")


def back(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        run_step(cursor, "16_purge_columns", "revert")


class Migration(migrations.Migration):
    # The file opens its transactions itself, one for each part.
    atomic = False
    dependencies = [("migrator_removal", "0005_quarantine_tables")]
    operations = [migrations.RunPython(forward, back)]
