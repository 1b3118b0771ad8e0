"""The campaigns application."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """Connects campaigns to what calls tell."""

    name = "campaigns"

    def ready(self) -> None:
        """Connect the receivers."""
        from campaigns import receivers  # noqa: F401, PLC0415 (they read the models)
