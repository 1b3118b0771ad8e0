"""Telling other systems: signed by the Standard Webhooks scheme, to public addresses, from the outbox."""

from campaigns.hooks.sending import deliver, send

__all__ = ["deliver", "send"]
