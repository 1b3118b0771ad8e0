"""Which column is what."""

import pytest

from campaigns.imports import MappingRefusedError, Row, Table, check_mapping, field_name, guess_mapping, read_header


def sample(*rows: tuple[str, ...]) -> list[Row]:
    return [Row(number, cells) for number, cells in enumerate(rows, start=1)]


def guess(*rows: tuple[str, ...], region: str = "US") -> dict[str, str]:
    kept = sample(*rows)
    return guess_mapping(read_header(kept, region), kept, region)


@pytest.mark.parametrize(
    ("header", "targets"),
    [
        (("Phone Number", "First Name", "Last name", "State"), ["phone", "first_name", "last_name", "region"]),
        (("Vorname", "Nachname", "Telefonnummer"), ["first_name", "last_name", "phone"]),
        (("Nombre completo", "Teléfono", "Provincia"), ["name", "phone", "region"]),
        (("Prénom", "Nom", "Numéro de téléphone"), ["first_name", "last_name", "phone"]),
        (("Nome", "Telefone", "Fuso horário"), ["name", "phone", "time_zone"]),
        (("氏名", "電話番号"), ["name", "phone"]),
        (("Имя", "Телефон"), ["name", "phone"]),
        (("phone", "Consent", "Consent date", "Order no."), ["phone", "consent", "consent_at", "field:order_no"]),
        (("import_row", "import_reason", "phone"), ["", "", "phone"]),
    ],
)
def test_columns_are_known_by_name_in_several_languages(header: tuple[str, ...], targets: list[str]) -> None:
    assert list(guess(header, ("x",)).values()) == targets


def test_a_second_column_of_the_same_kind_becomes_a_field() -> None:
    assert guess(("phone", "mobile"), ("1", "2")) == {"phone": "phone", "mobile": "field:mobile"}


def test_numbers_are_found_under_a_name_that_says_nothing() -> None:
    rows = (("id", "wer", "wo"), ("1", "Ada", "(212) 555-0100"), ("2", "Bo", "212.555.0101"))
    assert guess(*rows) == {"id": "field:id", "wer": "field:wer", "wo": "phone"}


def test_a_file_without_a_header_names_its_columns_by_place() -> None:
    rows = sample(("Ada", "+12125550100"), ("Bo", "+12125550101"))
    table = read_header(rows, "US")
    assert table == Table(
        ("Column 1", "Column 2"),
        has_header=False,
        notes=("The first row holds a number already: there is no header.",),
    )
    assert guess_mapping(table, rows, "US") == {"Column 1": "", "Column 2": "phone"}


def test_headers_that_are_there_twice_or_empty_get_names_of_their_own() -> None:
    table = read_header(sample(("Phone", "phone", "", "Phone"), ("1", "2", "3", "4", "5")), "US")
    assert table == Table(
        ("Phone", "phone (2)", "Column 3", "Phone (3)", "Column 5"),
        has_header=True,
        notes=(
            "The header 'phone' is there twice; column 2 is called 'phone (2)' here.",
            "The header 'Phone' is there twice; column 4 is called 'Phone (3)' here.",
        ),
    )


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ({"a": "phone", "x": "name"}, "The file has no column 'x'. It has: a, b."),
        ({"a": "phone", "b": "colour"}, "'colour' of column 'b' is unknown"),
        ({"a": "phone", "b": "field:no spaces"}, "'field:no spaces' of column 'b' is unknown"),
        ({"a": "phone", "b": "phone"}, "Two columns are mapped to 'phone'"),
        ({"a": "field:x", "b": "field:x"}, "Two columns are mapped to 'field:x'"),
        ({"a": "name"}, "No column holds the telephone number"),
    ],
)
def test_a_wrong_mapping_is_refused_by_name(mapping: dict[str, str], reason: str) -> None:
    with pytest.raises(MappingRefusedError, match=reason) as refused:
        check_mapping(mapping, ("a", "b"))
    assert refused.value.field == "mapping"


@pytest.mark.parametrize(
    ("column", "name"), [("Order no.", "order_no"), ("2nd name", "field_2nd_name"), ("Größe", "größe"), ("!!", "field")]
)
def test_a_column_gives_a_variable_its_name(column: str, name: str) -> None:
    assert field_name(column) == name
