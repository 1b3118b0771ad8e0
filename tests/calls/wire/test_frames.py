import pytest
from websockets.frames import Frame, Opcode

from calls.wire.frames import BINARY, KEY_BYTES, TEXT, bounds, header

LENGTHS = (0, 1, 125, 126, 127, 65_535, 65_536, 100_000)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_header_is_that_of_another_make(length: int) -> None:
    payload = bytes(length)
    assert header(BINARY, length) + payload == Frame(Opcode.BINARY, payload).serialize(mask=False)
    masked = Frame(Opcode.TEXT, payload).serialize(mask=True)
    assert masked.startswith(header(TEXT, length, is_masked=True))
    assert len(masked) == len(header(TEXT, length, is_masked=True)) + KEY_BYTES + length


@pytest.mark.parametrize("length", LENGTHS)
def test_the_bounds_of_a_frame_are_known_from_its_header_on_and_lie_beyond_a_part_of_it(length: int) -> None:
    frame = b"..." + Frame(Opcode.BINARY, bytes(length)).serialize(mask=True)
    payload = len(frame) - length
    assert bounds(frame, 3) == (payload, len(frame))
    assert bounds(frame[:payload], 3) == (payload, len(frame))
    for size in range(5, payload):
        assert bounds(frame[:size], 3)[1] > size
