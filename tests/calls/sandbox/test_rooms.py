from calls.sandbox.leg import SILENCE
from calls.sandbox.rooms import Rooms

A, B, C = b"a" * 160, b"b" * 160, b"c" * 160


def test_everybody_in_a_room_hears_the_others_and_not_oneself() -> None:
    rooms = Rooms()
    room = rooms.enter("sales", "ann")
    assert (rooms.enter("sales", "ben"), rooms.enter("support", "cid")) != (room, room)
    room.say("ann", A)
    assert (room.hear("ann"), room.hear("ben"), room.hear("ben")) == (SILENCE, A, SILENCE)
    assert room.is_shared


def test_three_voices_are_heard_together() -> None:
    rooms = Rooms()
    room = rooms.enter("r", "ann")
    rooms.enter("r", "ben")
    rooms.enter("r", "cid")
    room.say("ann", b"\x90" * 160)
    room.say("ben", b"\x90" * 160)
    heard = room.hear("cid")
    assert heard not in {b"\x90" * 160, SILENCE}
    assert len(heard) == 160


def test_a_slow_member_misses_the_oldest() -> None:
    rooms = Rooms()
    room = rooms.enter("r", "ann")
    rooms.enter("r", "ben")
    for number in range(15):
        room.say("ann", bytes([number]) * 160)
    assert [room.hear("ben")[0] for _ in range(10)] == list(range(5, 15))


def test_a_room_closes_with_its_last_member_or_with_one_who_ends_it() -> None:
    rooms = Rooms()
    room = rooms.enter("r", "ann")
    rooms.enter("r", "ben")
    rooms.leave("r", room, "ben", closes=False)
    assert (room.is_closed, room.is_shared) == (False, False)
    rooms.leave("r", room, "ann", closes=False)
    assert room.is_closed
    again = rooms.enter("r", "ann")
    assert again is not room
    rooms.enter("r", "ben")
    rooms.leave("r", again, "ben", closes=True)
    assert again.is_closed
