"""The calls app."""

from django.apps import AppConfig


class CallsConfig(AppConfig):
    """Conversations: engine, codecs, providers, sessions and their records."""

    name = "calls"
    verbose_name = "Calls"
