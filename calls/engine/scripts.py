"""What the engine must know about writing systems."""

_SPACELESS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x9FFF),  # CJK, kana, bopomofo
    (0xF900, 0xFAFF),  # CJK compatibility
    (0xFF00, 0xFFEF),  # full-width forms
    (0x20000, 0x3FFFF),  # CJK extensions
)

_EMOJI = (
    (0x200D, 0x200D),  # joiner
    (0x20E3, 0x20E3),  # keycap
    (0x2600, 0x27BF),  # symbols, dingbats
    (0x2B05, 0x2B55),  # arrows, stars
    (0xFE00, 0xFE0F),  # variation selectors
    (0x1F000, 0x1FAFF),  # pictographs, flags, skin tones
    (0xE0020, 0xE007F),  # flag tags
)


def _is_within(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    code = ord(character)
    return any(first <= code <= last for first, last in ranges)


def is_spaceless(character: str) -> bool:
    """Whether this character belongs to a script that is written without spaces between words."""
    return _is_within(character, _SPACELESS)


def is_emoji(character: str) -> bool:
    """Whether this character is a pictograph or a part of one, which nobody can speak."""
    return _is_within(character, _EMOJI)


def join_pieces(pieces: list[str]) -> str:
    """Join pieces of speech with a space, but not behind a script that has none."""
    text = ""
    for piece in pieces:
        if text and piece and not is_spaceless(text[-1]):
            text += " "
        text += piece
    return text
