"""What each role may open and do."""

import pytest
from django.test import Client

from campaigns.models import Campaign
from tests.calls import rows as call_rows
from tests.campaigns.admin.site import in_role, list_of, logged_in, page_of
from tests.campaigns.rows import make_campaign

pytestmark = pytest.mark.django_db

ROLES = ("Operator", "Supervisor", "Auditor", "Administrator")
PAGES = {
    "/admin/": "OSUA",
    list_of("campaign"): "OSUA",
    page_of("campaign_add"): "OS.A",
    list_of("contact"): "OSUA",
    page_of("contact_add"): "OS.A",
    list_of("campaigncontact"): "OSUA",
    list_of("bulkjob"): "OSUA",
    page_of("call_once"): "OS.A",
    "/admin/calls/agent/": "OSUA",
    "/admin/calls/agent/add/": ".S.A",
    "/admin/calls/callsession/": "OSUA",
    "/admin/calls/callattempt/": "OSUA",
    "/admin/calls/suppression/": "OSUA",
    "/admin/calls/suppression/add/": "OS.A",
    list_of("compliancerule"): "OSUA",
    page_of("compliancerule_add"): ".S.A",
    list_of("callerid"): "OSUA",
    page_of("callerid_add"): ".S.A",
    page_of("pricerow_add"): ".S.A",
    page_of("donotcalllist_add"): ".S.A",
    list_of("consent"): "OSUA",
    list_of("webhookendpoint"): ".SUA",
    list_of("apikey"): "..UA",
    page_of("apikey_add"): "...A",
    page_of("export_add"): ".S.A",
    page_of("contactimport_add"): "OS.A",
    "/admin/admin/logentry/": "..UA",
    "/admin/auth/user/": "..UA",
    "/admin/auth/user/add/": "...A",
    "/admin/auth/group/add/": "...A",
}
"""Address to who may open it: O operator, S supervisor, U auditor, A administrator."""
ACTS = {"start": "OS.A", "pause": "OS.A", "resume": "OS.A", "abort": ".S.A"}


def allowed(clients: dict[str, Client], address: str, method: str = "get") -> str:
    letters = dict(zip(ROLES, "OSUA", strict=True))
    answers = {role: getattr(client, method)(address).status_code for role, client in clients.items()}
    assert set(answers.values()) <= {200, 302, 403}, answers
    return "".join(letters[role] if status != 403 else "." for role, status in answers.items())


def test_each_role_opens_its_pages_and_no_others() -> None:
    clients = {role: logged_in(in_role(role)) for role in ROLES}
    assert {address: allowed(clients, address) for address in PAGES} == PAGES


def test_who_may_not_open_a_form_may_not_send_it_either() -> None:
    clients = {role: logged_in(in_role(role)) for role in ROLES}
    forms = {address: letters for address, letters in PAGES.items() if address.endswith("/add/")}
    assert {address: allowed(clients, address, "post") for address in forms} == forms


@pytest.mark.parametrize("act", ACTS)
def test_each_role_does_its_acts_and_no_others(act: str) -> None:
    clients = {role: logged_in(in_role(role)) for role in ROLES}
    campaign = make_campaign()
    address = page_of("campaign_act", campaign.pk, act)
    assert (allowed(clients, address), allowed(clients, address, "post")) == (ACTS[act], ACTS[act])


def test_an_auditor_reads_an_agent_and_changes_nothing() -> None:
    agent, client = call_rows.agent(), logged_in(in_role("Auditor"))
    address = f"/admin/calls/agent/{agent.pk}/change/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"name": "Eve"}).status_code == 403


def test_who_is_no_staff_is_asked_to_log_in() -> None:
    answer = Client().get(list_of("campaign"))
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/admin/login/")
    assert Campaign.objects.count() == 0
