from typing import Any

from django.db import migrations, models

from vantum.sealing import seal, unseal


def close(apps: Any, _schema: Any) -> None:
    for row in apps.get_model("calls", "Secret").objects.all():
        row.sealed = seal(row.sealed)
        row.save(update_fields=["sealed"])


def reopen(apps: Any, _schema: Any) -> None:
    for row in apps.get_model("calls", "Secret").objects.all():
        row.sealed = unseal(row.sealed)
        row.save(update_fields=["sealed"])


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0009_operators_words"),
    ]

    operations = [
        migrations.RenameField(model_name="secret", old_name="value", new_name="sealed"),
        migrations.AlterField(model_name="secret", name="sealed", field=models.TextField(editable=False)),
        migrations.RunPython(close, reopen),
    ]
