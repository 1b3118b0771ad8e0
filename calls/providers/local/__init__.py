"""Speech without a key and without a network: espeak-ng speaks, PocketSphinx hears, each in processes of their own.

Their limits: the voice is a robot's; the recogniser knows English only, is at home in the agent's script, and gets
about one word in four of free speech wrong. Both come with ``requirements-local.txt``.
"""

from calls.providers.local.hearing import LocalSpeechToText
from calls.providers.local.voice import LocalTextToSpeech

__all__ = ["LocalSpeechToText", "LocalTextToSpeech"]
