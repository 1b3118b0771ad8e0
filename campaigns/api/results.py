"""Exports."""

from http import HTTPStatus
from uuid import UUID

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Router, Status

from campaigns import services
from campaigns.api.keys import Opens
from campaigns.api.problems import ApiError
from campaigns.api.shapes import ExportIn, ExportOut
from campaigns.enums import ExportKind, JobStatus, Scope
from campaigns.models import Export
from vantum.downloads import attachment

router = Router(tags=["exports"])
EXPORT = Opens(Scope.EXPORTS)


@router.post("/exports", response={201: ExportOut}, auth=EXPORT)
def create_export(request: HttpRequest, given: ExportIn) -> Status[Export]:
    """Have a file written in the background: contacts, a campaign's members with their results, or calls."""
    del request
    selection = {"list": given.list_id} if given.kind == ExportKind.CONTACTS else {"campaign": given.campaign_id}
    made = services.start_export(given.kind, file_format=given.format, selection=selection, by=None, at=timezone.now())
    return Status(201, made)


@router.get("/exports/{uuid:export_id}", response=ExportOut, auth=EXPORT)
def show_export(request: HttpRequest, export_id: UUID) -> Export:
    """How far an export is."""
    del request
    return get_object_or_404(Export, pk=export_id)


@router.get("/exports/{uuid:export_id}/file", auth=EXPORT)
def show_file(request: HttpRequest, export_id: UUID) -> StreamingHttpResponse:
    """The file, once it is whole; 409 before, 410 when it was deleted for its age."""
    row = get_object_or_404(Export, pk=export_id)
    if row.files_deleted_at is not None:
        detail = "The file was deleted for its age; order it again."
        raise ApiError(HTTPStatus.GONE, detail)
    if row.status != JobStatus.DONE:
        detail = f"There is no file: the export is {row.status}."
        raise ApiError(HTTPStatus.CONFLICT, detail, [("status", row.status)])
    if not default_storage.exists(row.path):
        raise Http404
    return attachment(request, default_storage.open(row.path), filename=f"{row.kind}.{row.format}")
