from typing import Any

from django.db import migrations, models
from django.db.models import Q

from vantum.sealing import seal, unseal


def close(apps: Any, _schema: Any) -> None:
    for row in apps.get_model("campaigns", "WebhookEndpoint").objects.all():
        row.sealed_secret = seal(row.sealed_secret)
        row.save(update_fields=["sealed_secret"])


def reopen(apps: Any, _schema: Any) -> None:
    for row in apps.get_model("campaigns", "WebhookEndpoint").objects.all():
        row.sealed_secret = unseal(row.sealed_secret)
        row.save(update_fields=["sealed_secret"])


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0013_wordings"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="webhookendpoint", name="webhook_is_whole"),
        migrations.RenameField(model_name="webhookendpoint", old_name="secret", new_name="sealed_secret"),
        migrations.AlterField(
            model_name="webhookendpoint", name="sealed_secret", field=models.TextField(editable=False)
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=~Q(name="") & ~Q(url="") & ~Q(sealed_secret=""), name="webhook_is_whole"
            ),
        ),
        migrations.RunPython(close, reopen),
    ]
