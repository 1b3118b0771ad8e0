"""Secrets after the key was changed."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from pytest_django.fixtures import Settings

from calls.models import Secret
from campaigns import services
from campaigns.models import WebhookEndpoint
from vantum.sealing import seal

pytestmark = pytest.mark.django_db


def test_what_an_old_key_opens_is_sealed_anew_and_the_rest_is_left_and_named(settings: Settings) -> None:
    first = settings.SECRETS_KEY
    Secret.objects.create(name="shop", sealed=seal("Bearer abc"))
    _, signing = services.make_endpoint(name="CRM", url="https://example.com", events=["call.finished"])
    settings.SECRETS_KEY = "of nobody"
    lost = Secret.objects.create(name="crm", sealed=seal("Bearer xyz"))
    settings.SECRETS_KEY, settings.SECRETS_OLD_KEYS = "new", (first,)
    assert services.reseal_secrets() == (2, ["the secret crm"])
    settings.SECRETS_OLD_KEYS = ()
    assert (Secret.objects.get(name="shop").value, WebhookEndpoint.objects.get().secret) == ("Bearer abc", signing)
    assert Secret.objects.get(name="crm").sealed == lost.sealed


@pytest.mark.django_db(transaction=True)
def test_the_migrations_seal_what_is_there_and_give_it_back() -> None:
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    Secret.objects.create(name="shop", sealed=seal("Bearer abc"))
    _, signing = services.make_endpoint(name="CRM", url="https://example.com", events=["call.finished"])
    try:
        MigrationExecutor(connection).migrate([("calls", "0009_operators_words"), ("campaigns", "0013_wordings")])
        assert (column("calls_secret", "value"), column("campaigns_webhookendpoint", "secret")) == (
            "Bearer abc",
            signing,
        )
    finally:
        MigrationExecutor(connection).migrate(latest)
    assert column("calls_secret", "sealed") != "Bearer abc"
    assert (Secret.objects.get().value, WebhookEndpoint.objects.get().secret) == ("Bearer abc", signing)


def column(table: str, name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM {table}")  # noqa: S608 (names of this file)
        return str(cursor.fetchone()[0])
