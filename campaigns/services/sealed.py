"""The secrets of an installation, after its key was changed."""

from django.db import models, transaction

from calls.models import Secret
from campaigns.models import WebhookEndpoint
from vantum.sealing import SealError, reseal

_KEPT: tuple[tuple[type[models.Model], str], ...] = ((Secret, "sealed"), (WebhookEndpoint, "sealed_secret"))


@transaction.atomic
def reseal_secrets() -> tuple[int, list[str]]:
    """Seal all that is stored with the key of now; gives how many, and the names of those that no key opens."""
    done, unread = 0, []
    for model, column in _KEPT:
        for row in model._default_manager.select_for_update():  # noqa: SLF001 (Django's public name for it)
            try:
                setattr(row, column, reseal(getattr(row, column)))
            except SealError:
                unread.append(f"the {model._meta.verbose_name} {row}")  # noqa: SLF001 (the same)
            else:
                row.save(update_fields=[column])
                done += 1
    return done, unread
