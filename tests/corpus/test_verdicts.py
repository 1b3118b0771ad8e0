"""The watch over who answered, measured on the corpus: as a call would have gone while our side is silent."""

from collections import Counter

import pytest

from calls.engine.answered import AnswerWatch
from calls.enums import AnsweredBy
from tests.corpus.greetings import Answer, Split, load

LABELS = tuple(AnsweredBy)
STEP_MS = 20
BEEP_HZ, BEEP_MS = (400, 2000), (150, 2000)
"""What ``calls.wire.tones.BeepDetector`` finds; it reports a beep after 100 ms of silence."""

Matrix = Counter[tuple[AnsweredBy, AnsweredBy]]


def verdict(answer: Answer) -> AnsweredBy:
    """Give what the call would first have been treated as; a person, where nothing else was ever certain."""
    watch = AnswerWatch()
    finals: list[str] = []
    heard, beeps, carrier = list(answer.transcript), list(answer.beeps), answer.carrier_verdict
    for now in range(STEP_MS, answer.observed_until_ms + 1, STEP_MS):
        voiced = [voice for voice in answer.voiced if voice.start_ms < now]
        until = min(voiced[-1].end_ms, now) if voiced else 0
        watch.hear(now, until, until - voiced[-1].start_ms if voiced else 0)
        while heard and heard[0].offset_ms <= now:
            event = heard.pop(0)
            finals += [event.text] if event.is_final and event.text else []
            watch.read(finals if event.is_final else [*finals, event.text])
        while beeps and beeps[0].start_ms + beeps[0].duration_ms + 100 <= now:
            beep = beeps.pop(0)
            if BEEP_HZ[0] <= beep.frequency_hz <= BEEP_HZ[1] and BEEP_MS[0] <= beep.duration_ms <= BEEP_MS[1]:
                watch.note_beep(beep.frequency_hz, beep.start_ms + beep.duration_ms)
        if carrier is not None and carrier.offset_ms <= now:
            watch.note_carrier(carrier.answered_by)
            carrier = None
        if (judgement := watch.judge()).is_firm:
            return judgement.kind
    return AnsweredBy.HUMAN


def confusion(half: Split) -> Matrix:
    """Count the calls of a half by label and verdict."""
    return Counter((AnsweredBy(answer.label), verdict(answer)) for answer in load(half))


def table(matrix: Matrix) -> str:
    """Draw the matrix: a row for each label, a column for each verdict."""
    rows = [f"{'':>10}" + "".join(f"{word.value:>11}" for word in LABELS)]
    rows += [f"{label.value:>10}" + "".join(f"{matrix[label, word]:>11}" for word in LABELS) for label in LABELS]
    return "\n".join(rows)


@pytest.fixture(scope="module", params=["dev", "test"])
def matrix(request: pytest.FixtureRequest) -> Matrix:
    found = confusion(request.param)
    print(f"\n{request.param}: rows are the labels, columns the verdicts\n{table(found)}")  # noqa: T201 (to be read)
    return found


def test_no_person_is_taken_for_a_machine(matrix: Matrix) -> None:
    assert [word for word in LABELS if word.is_machine and matrix[AnsweredBy.HUMAN, word]] == []


def test_most_machines_are_known_and_for_what_they_are(matrix: Matrix) -> None:
    machines = [label for label in LABELS if label.is_machine]
    known = sum(matrix[label, label] for label in machines)
    assert known >= 0.5 * sum(matrix[label, word] for label in machines for word in LABELS)
    confused = sum(matrix[label, word] for label in machines for word in machines if word is not label)
    assert confused <= 0.05 * sum(matrix.values())
