"""The door of telephones: Twilio Media Streams at ``/twilio/media``."""

from calls.consumers.phone.consumer import PhoneConsumer

__all__ = ["PhoneConsumer"]
