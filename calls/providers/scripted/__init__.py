"""Providers that need no key, no network and no luck: an agent that follows its script, and ears and a voice for tests.

``ScriptedAgent`` is also the language model of an installation without a key. ``ScriptedSpeechToText`` and
``ScriptedTextToSpeech`` give the same result for the same audio and text every time; ``manage.py simulate_call`` and
the tests speak through them.
"""

from calls.providers.scripted.agent import ScriptedAgent
from calls.providers.scripted.hearing import ScriptedSpeechToText
from calls.providers.scripted.voice import ScriptedTextToSpeech

__all__ = ["ScriptedAgent", "ScriptedSpeechToText", "ScriptedTextToSpeech"]
