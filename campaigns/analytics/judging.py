"""Judging one call: claimed by its row, so that two workers never judge it at once and a killed one is followed."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from msgspec import Struct

from calls.errors import ProviderError
from calls.models import CallAttempt, CallStream
from campaigns import services
from campaigns.analytics import prompt, rules
from campaigns.analytics.evidence import Evidence, gather
from campaigns.enums import AnalysisMethod
from campaigns.findings import Findings, FindingsError, answer_schema, read_findings
from campaigns.models import CallAnalysis
from campaigns.services.analyses import PAUSES

logger = logging.getLogger(__name__)

_STILL_ON_THE_LINE = timedelta(seconds=60)
_MODEL_SECONDS = 90.0


class _Judgement(Struct, frozen=True):
    findings: Findings
    method: AnalysisMethod
    judged_by: str = ""
    error: str = ""


def analyse_call(session_id: UUID, *, now: datetime) -> bool:
    """Judge a call whose judgement is due, and store it. False: it is not due, not possible, or has to wait.

    A model that cannot be asked is asked again later; after the last pause, or where it refuses for good, the rules
    judge and the row says why.
    """
    if not services.claim_analysis(session_id, now=now):
        return False
    attempt = CallAttempt.objects.filter(streams__session_id=session_id).first()
    if attempt is not None and not attempt.is_over:
        services.postpone_analysis(session_id, until=now + _STILL_ON_THE_LINE, is_try=False)
        return False
    evidence = gather(session_id)
    if evidence is None or (attempt is not None and _went_on(attempt, session_id)):
        services.drop_analysis(session_id)
        return False
    tries = CallAnalysis.objects.values_list("tries", flat=True).get(pk=session_id)
    try:
        judgement = _judge(evidence, is_last_try=tries > len(PAUSES))
    except ProviderError as error:
        logger.warning("call %s could not be judged: %s", session_id, type(error).__name__)
        services.postpone_analysis(session_id, until=now + PAUSES[tries - 1], error=str(error))
        return False
    return services.store_analysis(
        session_id,
        judgement.findings,
        method=judgement.method,
        judged_by=judgement.judged_by,
        error=judgement.error,
        at=now,
    )


def _went_on(attempt: CallAttempt, session_id: UUID) -> bool:
    """Whether a later stream carried the call on: then that one's session is judged, with all that was said."""
    streams = CallStream.objects.filter(attempt=attempt, session_id__isnull=False).order_by("-number")
    return streams.values_list("session_id", flat=True).first() != session_id


def _judge(evidence: Evidence, *, is_last_try: bool) -> _Judgement:
    """Raises ``ProviderError`` where the model may answer a later try."""
    if settings.ANALYSIS_PROVIDER == "rules" or not evidence.lines:
        return _Judgement(rules.judge(evidence), AnalysisMethod.RULES)
    try:
        return _Judgement(_ask_model(evidence), AnalysisMethod.MODEL, settings.ANALYSIS_MODEL)
    except FindingsError as error:
        problem = f"the model's answer was of no use: {error}"
    except ProviderError as error:
        if error.retryable and not is_last_try:
            raise
        problem = str(error)
    return _Judgement(rules.judge(evidence), AnalysisMethod.RULES, error=problem)


def _ask_model(evidence: Evidence) -> Findings:
    # The SDK costs 50 MB: processes without this work do without it.
    from calls.providers import openai_structured  # noqa: PLC0415 (see above)

    answer = openai_structured.ask(
        prompt.instructions(),
        prompt.material(evidence),
        answer_schema(evidence.result_schema, has_rubric=bool(evidence.rubric)),
        name="call_analysis",
        model=settings.ANALYSIS_MODEL,
        seconds=_MODEL_SECONDS,
    )
    return read_findings(answer, evidence.result_schema)
