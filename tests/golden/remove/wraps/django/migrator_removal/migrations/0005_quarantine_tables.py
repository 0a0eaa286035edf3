"""05_quarantine_tables of the removal 0123456789abcdef.

Does 05_quarantine_tables.

What it locks and until when it can be undone: sql/deploy/05_quarantine_tables.sql
"""

from django.db import migrations

from migrator_removal.step import run_step


def forward(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        run_step(cursor, "05_quarantine_tables", "deploy")


def back(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        run_step(cursor, "05_quarantine_tables", "revert")


class Migration(migrations.Migration):
    # The file opens its transactions itself, one for each part.
    atomic = False
    dependencies = [("migrator_removal", "0001_guard")]
    operations = [migrations.RunPython(forward, back)]
