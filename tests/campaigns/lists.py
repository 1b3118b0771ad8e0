"""Lists on their way in, for tests of whatever stands above them."""

import io
from datetime import timedelta

from campaigns import services
from campaigns.enums import DuplicatePolicy
from campaigns.models import ContactImport
from tests.campaigns.rows import NOW


def receive(text: str, *, name: str = "list.csv", region: str = "US") -> ContactImport:
    return services.receive_file(io.BytesIO(text.encode()), name=name, region=region, by=None, at=NOW)


def start(
    row: ContactImport, *, policy: DuplicatePolicy = DuplicatePolicy.KEEP, list_name: str = "", **mapping: str
) -> None:
    assert services.start_import(
        row.pk, mapping=row.mapping | mapping, region=row.region, policy=policy, list_name=list_name
    )


def work_off(row: ContactImport) -> ContactImport:
    key = services.claim_import(row.pk, now=NOW)
    assert key
    services.run_import(row.pk, key, clock=lambda: NOW, turn=timedelta(minutes=1))
    row.refresh_from_db()
    return row


def take_in(text: str, *, policy: DuplicatePolicy = DuplicatePolicy.KEEP, list_name: str = "") -> ContactImport:
    row = receive(text)
    start(row, policy=policy, list_name=list_name)
    return work_off(row)
