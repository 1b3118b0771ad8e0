"""What the dialler asks of members and attempts; an attempt knows its campaign, for counts without a join."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps as Apps
from django.db.models import OuterRef, Subquery


def name_campaigns(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Give the attempts that there are their campaign."""
    attempts = apps.get_model("campaigns", "CampaignAttempt")
    members = apps.get_model("campaigns", "CampaignContact").objects.filter(pk=OuterRef("member_id"))
    attempts.objects.update(campaign_id=Subquery(members.values("campaign_id")))


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_work")]

    operations = [
        migrations.AddField(
            "campaignattempt",
            "campaign",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="campaigns.campaign",
            ),
        ),
        migrations.RunPython(name_campaigns, migrations.RunPython.noop),
    ]
