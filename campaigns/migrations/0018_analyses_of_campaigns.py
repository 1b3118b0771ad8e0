from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery


def name_campaigns(apps: Any, schema_editor: Any) -> None:
    """Have judgements that were made before name their campaign, as new ones do."""
    del schema_editor
    attempts = apps.get_model("campaigns", "CampaignAttempt").objects.filter(attempt__session=OuterRef("session"))
    apps.get_model("campaigns", "CallAnalysis").objects.update(campaign=Subquery(attempts.values("campaign")[:1]))


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0017_figures_counted"),
    ]

    operations = [
        migrations.RunPython(name_campaigns, migrations.RunPython.noop),
    ]
