"""What people and other systems leave behind in an installation: rows that ``bench_admin`` looks at."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType

from campaigns.enums import (
    CampaignStatus,
    ExportFormat,
    ExportKind,
    HookEvent,
    ImportStatus,
    JobKind,
    JobStatus,
    MessageStatus,
)
from campaigns.models import (
    BulkJob,
    Campaign,
    CampaignEvent,
    Contact,
    ContactImport,
    ContactList,
    Export,
    SavedFilter,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
)
from tests.bench.batches import BLOCKS, NOW, key, moment, multiply, name_of, stored


def fill_beside(large: Campaign, calls: int) -> None:
    """Make events, the record of changes and what was told to another system."""
    boss = get_user_model().objects.get(username="boss")
    size = calls // BLOCKS
    at = [moment(n, calls) for n in range(size)]
    happened = {"campaign": large, "kind": "paused", "actor": boss}
    stored(CampaignEvent, (CampaignEvent(id=key(n, 11), at=at[n], **happened) for n in range(0, size, 10)))
    multiply(CampaignEvent, among={CampaignEvent}, size=size)
    stored(LogEntry, _log(boss.pk, at[::4]))
    multiply(LogEntry, among=set(), size=size)
    endpoint = WebhookEndpoint.objects.create(
        name="CRM", url="https://example.com", sealed_secret="x", events=list(HookEvent)
    )
    stored(WebhookMessage, (_message(endpoint, n, at[n]) for n in range(size)))
    multiply(WebhookMessage, among={WebhookMessage}, size=size)
    came = {"status_code": 200, "latency_ms": 90}
    tries = (WebhookDelivery(id=key(n, 13), message_id=key(n, 12), at=at[n], **came) for n in range(size))
    stored(WebhookDelivery, tries)
    multiply(WebhookDelivery, among={WebhookMessage, WebhookDelivery}, size=size)
    WebhookMessage.objects.filter(pk__in=[key(n, 12) for n in range(30)]).update(status=MessageStatus.FAILED)


def fill_seldom(few: Campaign) -> None:
    """Make what there is in hundreds."""
    boss = get_user_model().objects.get(username="boss")
    stored(CampaignEvent, (CampaignEvent(campaign=few, at=NOW - timedelta(days=9), kind="paused") for _ in range(30)))
    for number in range(200):
        over = {"status": CampaignStatus.FINISHED, "started_at": NOW, "finished_at": NOW - timedelta(days=9)}
        Campaign.objects.create(name=f"Old {number}", agent=few.agent, agent_version_id=few.agent_version_id, **over)
        ContactList.objects.create(name=f"Old {number}")
    done: dict[str, Any] = {"created_by": boss, "finished_at": NOW, "status": JobStatus.DONE}
    kind: dict[str, Any] = {"kind": ExportKind.CALLS, "format": ExportFormat.CSV}
    stored(ContactImport, (_import(n, boss, few) for n in range(1000)))
    stored(Export, (Export(created_at=moment(n, 1000), **kind, **done) for n in range(1000)))
    job: dict[str, Any] = {"kind": JobKind.ARCHIVE, "selection": {}}
    stored(BulkJob, (BulkJob(created_at=moment(n, 1000), **job, **done) for n in range(1000)))
    shown = ("campaigns.contact", "campaigns.campaign", "campaigns.campaigncontact")
    mine = [
        SavedFilter(user=boss, page=page, name=f"Mine {n}", query="status=active") for page in shown for n in range(20)
    ]
    stored(SavedFilter, mine)


def _message(endpoint: WebhookEndpoint, number: int, at: datetime) -> WebhookMessage:
    return WebhookMessage(
        id=key(number, 12),
        endpoint=endpoint,
        event=HookEvent.CALL_FINISHED,
        body='{"a": 1}' * 50,
        status=MessageStatus.DELIVERED,
        tries=1,
        created_at=at,
    )


def _import(number: int, boss: Any, few: Campaign) -> ContactImport:
    return ContactImport(
        file="imports/list.csv",
        file_name=f"list-{number}.csv",
        status=ImportStatus.DONE,
        columns=["Name", "Phone"] * 20,
        mapping={f"Column {n}": "field:column" for n in range(40)},
        target_list=few.lists.first(),
        row_total=1000,
        rows_done=1000,
        created_at=moment(number, 1000),
        created_by=boss,
        finished_at=NOW,
    )


def _log(user_id: int, moments: list[datetime]) -> Iterator[LogEntry]:
    kind = ContentType.objects.get_for_model(Contact).pk
    changed = (
        '[{"changed": {"name": "contact", "object": "Ann", "fields": ["name"], "values": {"name": ["Anne", "Ann"]}}}]'
    )
    for number, at in enumerate(moments):
        yield LogEntry(
            user_id=user_id,
            content_type_id=kind,
            object_id=str(number),
            object_repr=name_of(number),
            action_flag=CHANGE,
            change_message=changed,
            action_time=at,
        )
