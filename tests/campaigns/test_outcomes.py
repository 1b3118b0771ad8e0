import pytest

from calls.enums import AnsweredBy, AttemptStatus, EndReason
from campaigns.enums import Outcome
from campaigns.outcomes import Ending, outcome_of

STATUS, END = AttemptStatus, EndReason


@pytest.mark.parametrize(
    ("ending", "outcome"),
    [
        (Ending(status=STATUS.BUSY), Outcome.BUSY),
        (Ending(status=STATUS.NO_ANSWER), Outcome.NO_ANSWER),
        (Ending(status=STATUS.FAILED), Outcome.FAILED),
        (Ending(status=STATUS.FAILED, error_code=13224), Outcome.INVALID_NUMBER),
        (Ending(status=STATUS.CANCELED), Outcome.NOT_DIALLED),
        (Ending(status=STATUS.NOT_PLACED), Outcome.NOT_DIALLED),
        (Ending(status=STATUS.NOT_PLACED, error_code=20429), Outcome.NOT_DIALLED),
        (Ending(status=STATUS.NOT_PLACED, error_code=20003, is_refused=True), Outcome.NOT_DIALLED),
        (Ending(status=STATUS.NOT_PLACED, error_code=21211, is_refused=True), Outcome.INVALID_NUMBER),
        (Ending(status=STATUS.COMPLETED), Outcome.DROPPED),
        (Ending(status=STATUS.COMPLETED, agent_spoke=True), Outcome.ANSWERED),
        (Ending(status=STATUS.COMPLETED, agent_spoke=True, end_reason=END.CALLER_ENDED), Outcome.ANSWERED),
        (Ending(status=STATUS.COMPLETED, agent_spoke=True, end_reason=END.OPTED_OUT), Outcome.OPTED_OUT),
        (Ending(status=STATUS.COMPLETED, agent_spoke=True, end_reason=END.VOICEMAIL_LEFT), Outcome.VOICEMAIL),
        (Ending(status=STATUS.COMPLETED, end_reason=END.MACHINE_ANSWERED), Outcome.VOICEMAIL),
        (Ending(status=STATUS.COMPLETED, end_reason=END.SCREENING_REFUSED), Outcome.NO_ANSWER),
        (Ending(status=STATUS.COMPLETED, agent_spoke=True, answered_kind=AnsweredBy.VOICEMAIL), Outcome.VOICEMAIL),
        (Ending(status=STATUS.COMPLETED, agent_spoke=True, answered_kind=AnsweredBy.HUMAN), Outcome.ANSWERED),
        (Ending(status=STATUS.COMPLETED, agent_spoke=True, end_reason=END.INSTANCE_LOST), Outcome.DROPPED),
        (
            Ending(status=STATUS.COMPLETED, agent_spoke=True, caller_spoke=True, end_reason=END.INSTANCE_LOST),
            Outcome.ANSWERED,
        ),
        (Ending(status=STATUS.COMPLETED, agent_spoke=True, wants_callback=True), Outcome.CALLBACK),
        (
            Ending(status=STATUS.COMPLETED, agent_spoke=True, wants_callback=True, end_reason=END.OPTED_OUT),
            Outcome.OPTED_OUT,
        ),
    ],
)
def test_an_ending_has_one_outcome(ending: Ending, outcome: Outcome) -> None:
    assert outcome_of(ending) == outcome


def test_no_unanswered_call_counts_as_success_so_that_a_labelled_number_is_noticed() -> None:
    unanswered = [STATUS.BUSY, STATUS.NO_ANSWER, STATUS.FAILED, STATUS.CANCELED, STATUS.NOT_PLACED]
    assert Outcome.ANSWERED not in {outcome_of(Ending(status=status)) for status in unanswered}
