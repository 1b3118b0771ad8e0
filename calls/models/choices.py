"""The one function that turns a vocabulary of ``calls.enums`` into Django choices."""

from enum import StrEnum

from calls.enums import label


def choices(words: type[StrEnum]) -> list[tuple[str, str]]:
    """Give ``(value, label)`` pairs in the order of the enumeration."""
    return [(word.value, label(word)) for word in words]
