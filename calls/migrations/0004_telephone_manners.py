from django.db import migrations, models

import calls.enums


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0003_call_attempts"),
    ]

    operations = [
        migrations.AddField(
            model_name="agent",
            name="ivr_digits",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Pressed when a menu answers; empty: the agent hangs up.",
                max_length=20,
                verbose_name="keys in a menu",
            ),
        ),
        migrations.AddField(
            model_name="agent",
            name="notice",
            field=models.TextField(
                blank=True,
                default="",
                help_text="Spoken first on the telephone, and never interrupted: the agent's name, that it is an AI, "
                "that the call is recorded. Without variables: its audio is made before anybody answers.",
            ),
        ),
        migrations.AddField(
            model_name="agent",
            name="objection_line",
            field=models.TextField(
                default="All right, I have stopped the recording.",
                help_text="Said to who does not want to be recorded; the recording has stopped by then, the call "
                "goes on.",
            ),
        ),
        migrations.AddField(
            model_name="agent",
            name="opening_waits",
            field=models.CharField(
                choices=[("answer", "Answer"), ("greeting", "Greeting")],
                default=calls.enums.OpeningWaits["ANSWER"],
                max_length=20,
                verbose_name="opening waits for",
            ),
        ),
        migrations.AddField(
            model_name="agent",
            name="opt_out_goodbye",
            field=models.TextField(
                default="I am sorry for the trouble. We will not call you again. Goodbye.",
                help_text="Said to who wants no more calls; then the call ends.",
            ),
        ),
        migrations.AddField(
            model_name="agent",
            name="screening_answer",
            field=models.TextField(
                blank=True,
                default="",
                help_text="Who is calling and why, for an assistant that asks first; empty: notice and opening.",
            ),
        ),
        migrations.AddField(
            model_name="agent",
            name="telephone_opening",
            field=models.TextField(blank=True, default="", help_text="Spoken after the notice; empty: the opening."),
        ),
        migrations.AddField(
            model_name="agent",
            name="voicemail",
            field=models.CharField(
                choices=[("hang_up", "Hang up"), ("leave_message", "Leave message")],
                default=calls.enums.VoicemailPolicy["HANG_UP"],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="agent",
            name="voicemail_message",
            field=models.TextField(
                blank=True, default="", help_text="Spoken after the beep; empty: the agent hangs up."
            ),
        ),
        migrations.AddField(
            model_name="callattempt",
            name="answered_kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("human", "Human"),
                    ("voicemail", "Voicemail"),
                    ("screening", "Screening"),
                    ("ivr", "Ivr"),
                ],
                help_text="As our own ears decided.",
                max_length=20,
                verbose_name="who answered",
            ),
        ),
        migrations.AlterField(
            model_name="callsession",
            name="end_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("agent_said_goodbye", "Agent said goodbye"),
                    ("caller_ended", "Caller ended"),
                    ("caller_disconnected", "Caller disconnected"),
                    ("silence", "Silence"),
                    ("max_duration", "Max duration"),
                    ("provider_failed", "Provider failed"),
                    ("abuse", "Abuse"),
                    ("opted_out", "Opted out"),
                    ("voicemail_left", "Voicemail left"),
                    ("machine_answered", "Machine answered"),
                    ("screening_refused", "Screening refused"),
                    ("shutdown", "Shutdown"),
                    ("instance_lost", "Instance lost"),
                    ("internal_error", "Internal error"),
                ],
                max_length=30,
            ),
        ),
    ]
