import pytest

from campaigns.enums import ExportKind
from campaigns.exports import header_of, pages_of
from campaigns.models import Export
from tests.campaigns.rows import make_contact

pytestmark = pytest.mark.django_db


def test_every_row_has_as_many_cells_as_the_header() -> None:
    make_contact()
    [[row]] = pages_of(Export(kind=ExportKind.CONTACTS, selection={}))
    assert len(row) == len(header_of(ExportKind.CONTACTS))
