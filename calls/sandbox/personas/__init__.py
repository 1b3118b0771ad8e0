"""The personas: their lines, their manners, and what happens at their numbers."""

from calls.sandbox.personas.cast import Casting, cast

__all__ = ["Casting", "cast"]
