from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from calls.models import CallSession
from campaigns import services
from campaigns.analytics import analyse_call
from campaigns.enums import AnalysisStatus
from campaigns.models import CallAnalysis
from tests.calls import rows
from tests.campaigns.admin.site import in_role, logged_in
from tests.campaigns.rows import NOW

pytestmark = pytest.mark.django_db

LIST = reverse("admin:campaigns_callanalysis_changelist")


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("op"))
    return client


def judged_call() -> CallSession:
    agent = rows.agent(f"Ada {CallSession.objects.count()}")
    session = rows.ended_call(with_agent=agent)
    services.await_analysis([session.pk], at=NOW)
    assert analyse_call(session.pk, now=NOW)
    return session


def page(session: CallSession) -> str:
    return reverse("admin:campaigns_callanalysis_change", args=[session.pk])


def form_of(client: Client, session: CallSession) -> dict[str, Any]:
    """The form as the page shows it."""
    form = client.get(page(session)).context["form"]
    return {name: form[name].value() if form[name].value() is not None else "" for name in form.fields} | {
        name: form.fields[name].prepare_value(form[name].value()) for name in ("topics", "action_items", "fields_found")
    }


def test_a_correction_is_stored_beside_the_judgement_and_shown_in_the_list(client: Client) -> None:
    session = judged_call()
    said = form_of(client, session) | {"disposition": "callback", "interest": "70", "note": "heard it"}
    answer = client.post(page(session), said, follow=True)
    assert "2 corrected." in answer.content.decode()
    analysis = CallAnalysis.objects.get(pk=session.pk)
    assert (analysis.disposition, analysis.interest) == ("no_answer", 0)
    counts = analysis.corrected()
    assert (counts["disposition"], counts["interest"]) == ("callback", 70)
    assert {correction.note for correction in analysis.corrections.all()} == {"heard it"}
    assert "Callback <small>(corrected)</small>" in client.get(LIST).content.decode()


def test_a_form_sent_unchanged_corrects_nothing(client: Client) -> None:
    session = judged_call()
    answer = client.post(page(session), form_of(client, session), follow=True)
    assert "Nothing was changed" in answer.content.decode()
    assert not CallAnalysis.objects.get(pk=session.pk).corrections.exists()


def test_a_value_that_cannot_be_is_named_by_its_field(client: Client) -> None:
    session = judged_call()
    said = form_of(client, session) | {"action_items": '[{"text": "x", "owner": "nobody"}]'}
    answer = client.post(page(session), said)
    assert answer.status_code == 200
    assert set(answer.context["form"].errors) == {"action_items"}
    assert not CallAnalysis.objects.get(pk=session.pk).corrections.exists()


def test_calls_can_be_judged_again_from_the_list(client: Client) -> None:
    session = judged_call()
    client.post(LIST, {"action": "judge_again", "_selected_action": [str(session.pk)]})
    assert CallAnalysis.objects.get(pk=session.pk).status == AnalysisStatus.WAITING


def test_a_call_that_waits_says_so_and_takes_no_correction(client: Client) -> None:
    session = rows.ended_call(with_agent=rows.agent())
    services.await_analysis([session.pk], at=NOW)
    shown = client.get(page(session))
    assert "Waiting" in shown.content.decode()
    assert shown.context["form"] is None
    assert client.post(page(session), {}).status_code == 403


def test_who_may_only_look_sees_no_form(client: Client) -> None:
    del client
    session, viewer = judged_call(), get_user_model().objects.create_user("eve", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_callanalysis"))
    looking = Client()
    looking.force_login(viewer)
    assert looking.get(page(session)).context["form"] is None
    assert looking.post(page(session), {}).status_code == 403
    assert "judge_again" not in looking.get(LIST).content.decode()


def test_a_calls_page_shows_what_it_came_to_to_whom_may_know(client: Client) -> None:
    session, viewer = judged_call(), get_user_model().objects.create_user("eve", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_callsession"))
    looking = Client()
    looking.force_login(viewer)
    address = reverse("admin:calls_callsession_change", args=[session.pk])
    shown = ["What it came to" in who.get(address).content.decode() for who in (client, looking)]
    assert shown == [True, False]


def test_the_list_asks_as_often_for_many_as_for_one(client: Client) -> None:
    counts = []
    for number in (1, 9):
        for _ in range(number):
            judged_call()
        client.get(LIST)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(LIST).status_code == 200
        counts.append(len(caught))
    assert counts[0] == counts[1]


def test_what_is_not_there_is_not_found(client: Client) -> None:
    assert client.get(reverse("admin:campaigns_callanalysis_change", args=["nonsense"])).status_code == 404


def test_an_operator_corrects_and_has_judged_again_and_an_auditor_reads() -> None:
    session = judged_call()
    operator, auditor = logged_in(in_role("Operator")), logged_in(in_role("Auditor"))
    said = form_of(operator, session) | {"disposition": "callback"}
    assert auditor.post(page(session), said).status_code == 403
    assert operator.post(page(session), said).status_code == 302
    assert CallAnalysis.objects.get().corrected()["disposition"] == "callback"
    order = {"action": "judge_again", "_selected_action": [str(session.pk)]}
    auditor.post(LIST, order)
    assert CallAnalysis.objects.get().status == AnalysisStatus.DONE
    operator.post(LIST, order)
    assert CallAnalysis.objects.get().status == AnalysisStatus.WAITING
