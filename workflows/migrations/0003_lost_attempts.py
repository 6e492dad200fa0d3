"""Who claimed a thread, and when; an attempt that was lost with its worker is recorded once."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = (("workflows", "0002_storage"),)
    operations = (
        migrations.AddField("thread", "claimed_by", models.CharField(max_length=100, null=True)),
        migrations.AddField("thread", "claimed_at", models.DateTimeField(null=True)),
        migrations.AddConstraint(
            "nodeexecution",
            models.UniqueConstraint(
                fields=("thread", "seq", "attempt"),
                name="history_loss_once",
                condition=Q(status="lost"),
            ),
        ),
    )
