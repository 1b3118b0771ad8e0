"""WebSocket frames as bytes (RFC 6455, section 5.2): what a header says, and the header of a whole message."""

FIN = MASKED = 0x80
"""Bits of the first byte, that no frame follows, and of the second, that a key does."""
TEXT, BINARY = FIN | 1, FIN | 2
"""First bytes of a message in one frame."""
KEY_BYTES = 4
_TWO_BYTES, _EIGHT_BYTES = 126, 127
"""In the place of a length: it follows, in so many bytes."""
_LENGTHS_OF_TWO_BYTES = 1 << 16


def header(first: int, length: int, *, is_masked: bool = False) -> bytes:
    """Give the header of a frame of so many bytes, without its key."""
    mask = MASKED if is_masked else 0
    if length < _TWO_BYTES:
        return bytes((first, mask | length))
    if length < _LENGTHS_OF_TWO_BYTES:
        return bytes((first, mask | _TWO_BYTES)) + length.to_bytes(2)
    return bytes((first, mask | _EIGHT_BYTES)) + length.to_bytes(8)


def bounds(stream: bytes, begin: int) -> tuple[int, int]:
    """Give where the payload of a masked frame begins and ends, of which the first two bytes are there.

    Where the header itself is not whole yet, both lie beyond what there is.
    """
    length, size = stream[begin + 1] & ~MASKED, 2
    if length >= _TWO_BYTES:
        size = 4 if length == _TWO_BYTES else 10
        length = int.from_bytes(stream[begin + 2 : begin + size])
    payload = begin + size + KEY_BYTES
    return payload, payload + length
