"""The waits that an event has still to be offered to."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("workflows", "0003_lost_attempts"),)
    operations = (
        migrations.CreateModel(
            "Candidate",
            fields=(
                (
                    "id",
                    models.BigAutoField(
                        verbose_name="ID", auto_created=True, primary_key=True, serialize=False
                    ),
                ),
                ("is_early", models.BooleanField()),
                ("due_at", models.DateTimeField()),
                (
                    "event",
                    models.ForeignKey("workflows.event", models.CASCADE, related_name="candidates"),
                ),
                (
                    "suspension",
                    models.ForeignKey(
                        "workflows.suspension", models.CASCADE, related_name="candidates"
                    ),
                ),
            ),
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("event", "suspension"), name="candidate_once")
                ]
            },
        ),
    )
