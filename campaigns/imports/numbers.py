"""Telephone numbers as people write them, as E.164; or the reason why not."""

import re

from campaigns.imports.cells import expanded

_DIALLABLE = re.compile(r"\+(?:1[2-9]\d{9}|[2-9]\d{6,14})\Z")
_MOST = 60
_TRAILING_ZERO = re.compile(r"(\d{7,15})\.0\Z")


class NumberRefusedError(ValueError):
    """No number that can be dialled; the text says why, and what to do."""


def known_regions() -> frozenset[str]:
    """Give the countries whose numbering plans are known, as ISO 3166-1."""
    import phonenumbers  # noqa: PLC0415 (for who imports)

    return frozenset(phonenumbers.SUPPORTED_REGIONS)


def normalise(text: str, region: str) -> str:
    """Give a number as E.164; ``region`` (ISO 3166-1) is where one without a country's code belongs.

    Raises ``NumberRefusedError``.
    """
    import phonenumbers  # noqa: PLC0415 (for who imports)

    if not text:
        message = "the number is missing"
        raise NumberRefusedError(message)
    if (full := expanded(text)) is None:
        message = (
            f"{text[:_MOST]} has lost its digits: a spreadsheet rounded the number. "
            "Format the column as text in the original list and export it again"
        )
        raise NumberRefusedError(message)
    if whole := _TRAILING_ZERO.match(full):
        full = whole[1]
    try:
        number = phonenumbers.parse(full[:_MOST], region or None)
    except phonenumbers.NumberParseException as error:
        needs_country = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        message = (
            f"{text[:_MOST]} does not say its country: write it with + and the country's code, or choose a region"
            if needs_country
            else f"{text[:_MOST]} is no telephone number"
        )
        raise NumberRefusedError(message) from None
    if number.extension:
        message = f"{text[:_MOST]} has an extension, which cannot be dialled"
        raise NumberRefusedError(message)
    if not phonenumbers.is_valid_number(number):
        place = phonenumbers.region_code_for_country_code(number.country_code or 0)
        message = f"{text[:_MOST]} is no valid number in {place}"
        raise NumberRefusedError(message)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not _DIALLABLE.match(e164):
        message = f"{text[:_MOST]} is no number that can be dialled"
        raise NumberRefusedError(message)
    return e164
