"""Which column is what: guessed from names in several languages and from what columns hold; then a person's word."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from msgspec import Struct

from campaigns.errors import ImportRefusedError, MappingRefusedError
from campaigns.imports.numbers import NumberRefusedError, normalise
from campaigns.imports.reading import Row

IGNORE = ""
FIELD = "field:"
"""Before the name of one of the contact's own fields, which fill the agent's variables."""
TARGETS: Mapping[str, str] = {
    "phone": "Telephone number",
    "name": "Name",
    "first_name": "First name",
    "last_name": "Last name",
    "region": "Region (ISO 3166-2, such as US-FL)",
    "time_zone": "Time zone",
    "consent": "Consent: express, written, yes or no",
    "consent_at": "Consent: when it was given",
    "consent_source": "Consent: where it was given",
    "consent_text": "Consent: its words",
    "consent_seller": "Consent: to which seller",
}
_ALIASES = {
    "phone": "phone phonenumber phoneno number mobile mobilephone mobilenumber cell cellphone tel telephone telefon "
    "telefonnummer rufnummer handy handynummer mobil mobilnummer telefono movil celular telefone telemovel numero "
    "numerodetelefono numerodetelephone portable cellulare telefoon telefoonnummer mobiel numer komorka e164 msisdn "
    "電話番号 電話 携帯電話 手机 手机号 电话 телефон номер",
    "name": "name fullname contact contactname customer customername vollername nombre nombrecompleto nome "
    "nomecompleto nomcomplet naam imie nazwa 氏名 名前 姓名 имя фио",
    "first_name": "firstname givenname forename vorname prenom primernombre primeironome voornaam imię",
    "last_name": "lastname surname familyname nachname familienname nom nomdefamille apellido apellidos sobrenome "
    "cognome achternaam nazwisko фамилия",
    "region": "region state province bundesland estado provincia regione etat staat",
    "time_zone": "timezone tz zone zeitzone zonahoraria fusohorario fuseauhoraire tijdzone fusoorario",
    "consent": "consent consentkind consenttype optin einwilligung consentimiento consentimento consentement consenso",
    "consent_at": "consentat consentdate consentedat consenttime optindate optinat optintime einwilligungam "
    "einwilligungsdatum fechadeconsentimiento datadoconsentimento datedeconsentement",
    "consent_source": "consentsource consenturl optinsource leadsource einwilligungsquelle",
    "consent_text": "consenttext consentwording einwilligungstext",
    "consent_seller": "consentseller seller",
    IGNORE: "importrow importreason",
}
_TARGET_OF = {alias: target for target, aliases in _ALIASES.items() for alias in aliases.split()}
_FIELD_NAME = re.compile(r"[^\W\d]\w{0,59}\Z")
_ENOUGH = 0.6


class Table(Struct, frozen=True):
    """A file's columns. ``notes`` say what was done to their names."""

    columns: tuple[str, ...]
    has_header: bool
    notes: tuple[str, ...] = ()


def read_header(sample: Sequence[Row], region: str) -> Table:
    """Name the columns, by the first row unless that holds a telephone number already."""
    if not sample:
        message = "The file has no rows. Export the list again and upload that file."
        raise ImportRefusedError(message)
    first = sample[0].cells
    width = max(len(row.cells) for row in sample)
    has_header = not any(_is_number(cell, region) for cell in first)
    if not has_header:
        columns = tuple(f"Column {index}" for index in range(1, width + 1))
        return Table(columns, has_header=False, notes=("The first row holds a number already: there is no header.",))
    return Table(*_unique([*first, *[""] * (width - len(first))]))


def _unique(names: Sequence[str]) -> tuple[tuple[str, ...], bool, tuple[str, ...]]:
    columns: list[str] = []
    notes: list[str] = []
    for index, given in enumerate(names, start=1):
        name = re.sub(r"\s+", " ", given)[:100] or f"Column {index}"
        unique, count = name, 1
        while unique.casefold() in {column.casefold() for column in columns}:
            count += 1
            unique = f"{name} ({count})"
        if unique != name:
            notes.append(f"The header {name!r} is there twice; column {index} is called {unique!r} here.")
        columns.append(unique)
    return tuple(columns), True, tuple(notes)


def guess_mapping(table: Table, sample: Sequence[Row], region: str) -> dict[str, str]:
    """Give a target for each column; each but a field is given once, and the rest become fields."""
    mapping: dict[str, str] = {}
    for column in table.columns:
        target = _TARGET_OF.get(_key(column))
        if target is None or (target and target in mapping.values()):
            target = FIELD + field_name(column) if table.has_header else IGNORE
        mapping[column] = target
    if "phone" not in mapping.values():
        rows = sample[1:] if table.has_header else sample
        shares = {column: _share(rows, index, region) for index, column in enumerate(table.columns)}
        best = max(shares, key=lambda column: shares[column])
        if shares[best] >= _ENOUGH:
            mapping[best] = "phone"
    return mapping


def _share(rows: Sequence[Row], index: int, region: str) -> float:
    cells = [row.cells[index] for row in rows if index < len(row.cells) and row.cells[index]]
    return sum(_is_number(cell, region) for cell in cells) / len(cells) if cells else 0.0


def _is_number(cell: str, region: str) -> bool:
    try:
        normalise(cell, region)
    except NumberRefusedError:
        return False
    return True


def _key(name: str) -> str:
    flat = unicodedata.normalize("NFKD", name.casefold())
    return "".join(sign for sign in flat if sign.isalnum())


def field_name(column: str) -> str:
    """Give a column's name as a variable's: ``Order no.`` is ``order_no``."""
    name = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", column).strip().lower()).strip("_")[:50]
    return name if _FIELD_NAME.match(name) else f"field_{name}".rstrip("_")


def check_mapping(mapping: Mapping[str, str], columns: Sequence[str]) -> None:
    """Raise ``ImportRefusedError`` unless every target is known, ``phone`` is there, and each is there once."""
    for column, target in mapping.items():
        if column not in columns:
            known = ", ".join(columns[:20])
            message = f"The file has no column {column!r}. It has: {known}."
            raise MappingRefusedError(message)
        is_field = target.startswith(FIELD) and _FIELD_NAME.match(target.removeprefix(FIELD))
        if target != IGNORE and target not in TARGETS and not is_field:
            known = ", ".join(TARGETS)
            message = f"{target!r} of column {column!r} is unknown; use {known}, or field:name of letters and digits."
            raise MappingRefusedError(message)
    used = [target for target in mapping.values() if target != IGNORE]
    if twice := sorted({target for target in used if used.count(target) > 1}):
        message = f"Two columns are mapped to {twice[0]!r}; ignore one of them."
        raise MappingRefusedError(message)
    if "phone" not in used:
        message = "No column holds the telephone number: choose the one that does."
        raise MappingRefusedError(message)
