"""Files with people's data that nobody needs any more."""

import logging
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage

from campaigns.models import ContactImport, Export
from campaigns.services.imports import cancel_import

logger = logging.getLogger(__name__)

_MOST_A_SWEEP = 5000


def expire_files(now: datetime) -> int:
    """Delete lists, returned rows and exports that are older than the installation keeps them; gives of how many rows.

    The rows stay, with their figures. A list that nobody has started by then is cancelled.
    """
    if not settings.FILE_RETENTION_DAYS:
        return 0
    before = now - timedelta(days=settings.FILE_RETENTION_DAYS)
    deleted = 0
    for row in ContactImport.objects.expired(before)[:_MOST_A_SWEEP]:
        cancel_import(row.pk, at=now)
        deleted += _delete(row, "imports", now)
    for export in Export.objects.expired(before)[:_MOST_A_SWEEP]:
        deleted += _delete(export, "exports", now)
    if deleted:
        logger.info("the files of %s imports and exports were too old", deleted)
    return deleted


def _delete(row: ContactImport | Export, folder: str, now: datetime) -> bool:
    """Delete all that lies under the row's name, a dead worker's drafts too. False: tried again at the next sweep."""
    try:
        for path in Path(default_storage.path(folder)).glob(f"{row.pk}.*"):
            path.unlink(missing_ok=True)
    except OSError:
        logger.exception("files that are too old cannot be deleted")
        return False
    type(row)._default_manager.filter(pk=row.pk).update(files_deleted_at=now)  # noqa: SLF001 (Django's public name)
    return True
