"""Contact lists from files: found out how to read, mapped, and understood row by row. Knows no database."""

from campaigns.errors import ImportRefusedError, MappingRefusedError
from campaigns.imports.cells import defused, plain
from campaigns.imports.entries import BadRow, Entry, GivenConsent, Plan, read_entry
from campaigns.imports.mapping import (
    FIELD,
    IGNORE,
    TARGETS,
    Table,
    check_mapping,
    field_name,
    guess_mapping,
    read_header,
)
from campaigns.imports.numbers import NumberRefusedError, known_regions, normalise
from campaigns.imports.reading import Limits, Row, Shape, inspect, read_rows, sample_rows, survey

__all__ = [
    "FIELD",
    "IGNORE",
    "TARGETS",
    "BadRow",
    "Entry",
    "GivenConsent",
    "ImportRefusedError",
    "Limits",
    "MappingRefusedError",
    "NumberRefusedError",
    "Plan",
    "Row",
    "Shape",
    "Table",
    "check_mapping",
    "defused",
    "field_name",
    "guess_mapping",
    "inspect",
    "known_regions",
    "normalise",
    "plain",
    "read_entry",
    "read_header",
    "read_rows",
    "sample_rows",
    "survey",
]
