"""The campaigns application."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """Connects campaigns to what calls tell."""

    name = "campaigns"
