"""01_guard of the removal 0123456789abcdef.

Does 01_guard.

What it locks and until when it can be undone: sql/deploy/01_guard.sql
"""

from django.db import migrations

from migrator_removal.step import run_step


def forward(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        run_step(cursor, "01_guard", "deploy")


def back(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        run_step(cursor, "01_guard", "revert")


class Migration(migrations.Migration):
    # The file opens its transactions itself, one for each part.
    atomic = False
    dependencies = []
    operations = [migrations.RunPython(forward, back)]
