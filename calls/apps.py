"""The calls app."""

from django.apps import AppConfig


class CallsConfig(AppConfig):
    """Conversations: engine, codecs, providers, sessions and their records."""

    name = "calls"
    verbose_name = "Calls"

    def ready(self) -> None:
        """Register the system checks."""
        from calls import checks  # noqa: F401, PLC0415 (they read the settings)
