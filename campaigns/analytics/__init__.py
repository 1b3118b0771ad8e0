"""What a finished call came to, judged behind the call: by a language model where one is set, else by rules."""

from campaigns.analytics.judging import analyse_call

__all__ = ["analyse_call"]
