"""The calls app."""

from django.apps import AppConfig


class CallsConfig(AppConfig):
    """Conversations: engine, codecs, providers, sessions and their records."""

    name = "calls"
    verbose_name = "Calls"

    def ready(self) -> None:
        """Register the system checks, and have finished calls measured."""
        from calls import checks, tasks  # noqa: F401, PLC0415 (they read the settings and the models)
