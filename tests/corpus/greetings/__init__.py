"""Labelled call answers: who answered, as a phone recogniser and our ears report it. The README tells the fields."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

ANSWERS = Path(__file__).with_name("answers.jsonl")

Label = Literal["human", "voicemail", "screening", "ivr"]
Difficulty = Literal["easy", "medium", "hard"]
Split = Literal["dev", "test"]
AnsweredBy = Literal["human", "machine_end_beep", "machine_end_silence", "machine_end_other", "unknown"]


class Heard(Struct, frozen=True, forbid_unknown_fields=True):
    """What the recogniser gave at one moment.

    An interim holds all words since the last final and replaces the interim before it; a final is a further piece
    that will not change, and may be empty.
    """

    offset_ms: int
    text: str
    is_final: bool


class Voiced(Struct, frozen=True, forbid_unknown_fields=True):
    """Sound that a voice detector takes for speech: also music, a cough, a shout in the room."""

    start_ms: int
    end_ms: int


class Beep(Struct, frozen=True, forbid_unknown_fields=True):
    """A tone on the line, whatever makes it."""

    start_ms: int
    duration_ms: int
    frequency_hz: int


class CarrierVerdict(Struct, frozen=True, forbid_unknown_fields=True):
    """What the carrier's own machine detection says, and when; it is sometimes wrong."""

    offset_ms: int
    answered_by: AnsweredBy


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """One answered call while our side is silent. All times are milliseconds from the answer."""

    id: str
    label: Label
    difficulty: Difficulty
    kind: str
    split: Split
    language: str
    recogniser_language: str
    said: str
    transcript: tuple[Heard, ...]
    voiced: tuple[Voiced, ...]
    beeps: tuple[Beep, ...]
    records_from_ms: int | None
    carrier_verdict: CarrierVerdict | None
    observed_until_ms: int
    ended_by_callee: bool
    note: str


def load(split: Split | None = None) -> tuple[Answer, ...]:
    """Read the answers of one half, or all; raises ``msgspec.ValidationError`` for a line that does not fit."""
    answers = tuple(msgspec.json.decode(line, type=Answer) for line in ANSWERS.read_bytes().splitlines())
    return tuple(answer for answer in answers if split in {None, answer.split})


def split_by_rule(answers: Iterable[Answer]) -> dict[str, Split]:
    """Give the half in which each answer has to stand.

    Within a label and a difficulty the answers are sorted by kind and the SHA-256 of their id, then dealt out in turn;
    the SHA-256 of the stratum's name says which half begins. No hand chooses, and each kind is spread over both.
    """
    strata: defaultdict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        strata[f"{answer.label}-{answer.difficulty}"].append(answer)
    halves: dict[str, Split] = {}
    for name, stratum in strata.items():
        first = hashlib.sha256(name.encode()).digest()[0]
        stratum.sort(key=lambda answer: (answer.kind, hashlib.sha256(answer.id.encode()).digest()))
        for place, answer in enumerate(stratum, start=first):
            halves[answer.id] = "test" if place % 2 else "dev"
    return halves
