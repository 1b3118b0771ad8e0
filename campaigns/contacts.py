"""Where a person may be, as far as number and address tell: regions for the rules, time zones for the clock. Pure.

The number tells by its area code, whose plan ``phonenumbers`` carries. A mobile is often somewhere else, so every
zone of the area counts, and the address's region beside the number's.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SANDBOX = "ZZ-SBX"
"""Region of the demo's contacts. It counts for numbers kept free for fiction only: nobody real gets its rules."""
UNKNOWN_STATE = "*"
"""What stands for the state where a country has states and nobody knows which: ``US-*``."""

_FICTIONAL = re.compile(r"\+1\d{3}55501\d\d")
_COUNTRIES_WITH_STATES = frozenset({"US"})
_MOST_ZONES = 6
"""A number with more is that of no place: toll-free, or a country's as a whole."""

_EASTERN, _CENTRAL, _MOUNTAIN = "America/New_York", "America/Chicago", "America/Denver"
_PACIFIC, _ARIZONA = "America/Los_Angeles", "America/Phoenix"
_ALASKA, _ALEUTIANS, _HAWAII = "America/Anchorage", "America/Adak", "Pacific/Honolulu"
_SAMOA, _GUAM, _SAIPAN = "Pacific/Pago_Pago", "Pacific/Guam", "Pacific/Saipan"
_PUERTO_RICO, _VIRGIN_ISLANDS = "America/Puerto_Rico", "America/St_Thomas"
_DETROIT, _BOISE = "America/Detroit", "America/Boise"

STATES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "AL": ("Alabama", (_CENTRAL,)),
    "AK": ("Alaska", (_ALASKA, _ALEUTIANS)),
    "AZ": ("Arizona", (_ARIZONA, _MOUNTAIN)),
    "AR": ("Arkansas", (_CENTRAL,)),
    "CA": ("California", (_PACIFIC,)),
    "CO": ("Colorado", (_MOUNTAIN,)),
    "CT": ("Connecticut", (_EASTERN,)),
    "DE": ("Delaware", (_EASTERN,)),
    "DC": ("Washington D.C.", (_EASTERN,)),
    "FL": ("Florida", (_EASTERN, _CENTRAL)),
    "GA": ("Georgia", (_EASTERN,)),
    "HI": ("Hawaii", (_HAWAII,)),
    "ID": ("Idaho", (_BOISE, _PACIFIC)),
    "IL": ("Illinois", (_CENTRAL,)),
    "IN": ("Indiana", (_EASTERN, _CENTRAL)),
    "IA": ("Iowa", (_CENTRAL,)),
    "KS": ("Kansas", (_CENTRAL, _MOUNTAIN)),
    "KY": ("Kentucky", (_EASTERN, _CENTRAL)),
    "LA": ("Louisiana", (_CENTRAL,)),
    "ME": ("Maine", (_EASTERN,)),
    "MD": ("Maryland", (_EASTERN,)),
    "MA": ("Massachusetts", (_EASTERN,)),
    "MI": ("Michigan", (_DETROIT, _CENTRAL)),
    "MN": ("Minnesota", (_CENTRAL,)),
    "MS": ("Mississippi", (_CENTRAL,)),
    "MO": ("Missouri", (_CENTRAL,)),
    "MT": ("Montana", (_MOUNTAIN,)),
    "NE": ("Nebraska", (_CENTRAL, _MOUNTAIN)),
    "NV": ("Nevada", (_PACIFIC, _MOUNTAIN)),
    "NH": ("New Hampshire", (_EASTERN,)),
    "NJ": ("New Jersey", (_EASTERN,)),
    "NM": ("New Mexico", (_MOUNTAIN,)),
    "NY": ("New York", (_EASTERN,)),
    "NC": ("North Carolina", (_EASTERN,)),
    "ND": ("North Dakota", (_CENTRAL, _MOUNTAIN)),
    "OH": ("Ohio", (_EASTERN,)),
    "OK": ("Oklahoma", (_CENTRAL,)),
    "OR": ("Oregon", (_PACIFIC, _BOISE)),
    "PA": ("Pennsylvania", (_EASTERN,)),
    "RI": ("Rhode Island", (_EASTERN,)),
    "SC": ("South Carolina", (_EASTERN,)),
    "SD": ("South Dakota", (_CENTRAL, _MOUNTAIN)),
    "TN": ("Tennessee", (_EASTERN, _CENTRAL)),
    "TX": ("Texas", (_CENTRAL, _MOUNTAIN)),
    "UT": ("Utah", (_MOUNTAIN,)),
    "VT": ("Vermont", (_EASTERN,)),
    "VA": ("Virginia", (_EASTERN,)),
    "WA": ("Washington State", (_PACIFIC,)),
    "WV": ("West Virginia", (_EASTERN,)),
    "WI": ("Wisconsin", (_CENTRAL,)),
    "WY": ("Wyoming", (_MOUNTAIN,)),
    "AS": ("American Samoa", (_SAMOA,)),
    "GU": ("Guam", (_GUAM,)),
    "MP": ("Northern Mariana Islands", (_SAIPAN,)),
    "PR": ("Puerto Rico", (_PUERTO_RICO,)),
    "VI": ("U.S. Virgin Islands", (_VIRGIN_ISLANDS,)),
}
"""ISO 3166-2 of the United States without ``US-``: the name as ``phonenumbers`` spells it, and the time zones."""

_TERRITORIES = frozenset({"AS", "GU", "MP", "PR", "VI"})
_CODE_OF = {name: code for code, (name, _) in STATES.items()}


def is_fictional(e164: str) -> bool:
    """Whether a number is one of 555-0100 to 555-0199, which no telephone of the North American plan has."""
    return _FICTIONAL.fullmatch(e164) is not None


def is_sandbox(e164: str, region: str = "") -> bool:
    """Whether only the demo's rules count: a number of fiction, unless its address is somewhere else."""
    return region in {"", SANDBOX} and is_fictional(e164)


def regions_of(e164: str, region: str = "") -> tuple[str, ...]:
    """Give the ISO 3166 codes whose rules protect a person, sorted: states and countries of number and address.

    ``US-*`` is among them where neither tells a state.
    """
    if is_sandbox(e164, region):
        return (SANDBOX,)
    return _regions(_prefix(e164), "" if region == SANDBOX else region)


def zones_of(e164: str, region: str = "", time_zone: str = "") -> tuple[str, ...]:
    """Give the time zones in which a person may be, sorted: the contact's own, else the address's, else the number's.

    Empty where nobody can say: a toll-free number without an address, a zone that this machine does not know.
    """
    if time_zone:
        return (time_zone,) if _is_known(time_zone) else ()
    zones = _zones(_prefix(e164), "" if region == SANDBOX else region)
    return zones or (("UTC",) if is_sandbox(e164, region) else ())


@lru_cache(maxsize=1024)
def _is_known(time_zone: str) -> bool:
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def variables_of(e164: str, name: str, fields: Mapping[str, Any]) -> dict[str, str]:
    """Give what fills an agent's texts: the contact's fields, and ``name`` and ``phone`` where no field is called so.

    An empty one is none: the text's own default stands in for it, or the call is held back.
    """
    own = {"name": name, "phone": e164} | {key: "" if value is None else str(value) for key, value in fields.items()}
    return {key: value for key, value in own.items() if value.strip()}


def _prefix(e164: str) -> str:
    """Give the part of a number that tells the place, so that few of them fill the caches."""
    return e164[:5] if e164.startswith("+1") else e164


@lru_cache(maxsize=4096)
def _regions(prefix: str, region: str) -> tuple[str, ...]:
    found = set(_split(region)) | set(_split(_number_region(prefix)))
    for country in _COUNTRIES_WITH_STATES & found:
        if not any(code.startswith(f"{country}-") for code in found):
            found.add(f"{country}-{UNKNOWN_STATE}")
    return tuple(sorted(found))


def _split(region: str) -> tuple[str, ...]:
    """Give a state and its country: ``US-FL`` is in ``US``, whose territories have country codes of their own."""
    if region in _TERRITORIES:
        return (f"US-{region}", "US")
    country, dash, _ = region.partition("-")
    return (region, country) if dash else (country,) if country else ()


@cache
def _number_region(prefix: str) -> str:
    if not prefix.startswith("+1"):
        return _country_of(prefix)
    from phonenumbers.geodata import GEOCODE_DATA  # noqa: PLC0415 (a second of loading, for who asks)

    place = GEOCODE_DATA.get(prefix[1:], {}).get("en", "").rpartition(", ")[2]
    state = place if place in STATES else _CODE_OF.get(place, "")
    return f"US-{state}" if state else _country_of(prefix)


def _country_of(prefix: str) -> str:
    import phonenumbers  # noqa: PLC0415 (a second of loading, for who asks)

    # An area code decides in the North American plan; the library wants a whole number.
    whole = f"{prefix}5550100" if prefix.startswith("+1") else prefix
    try:
        country = phonenumbers.region_code_for_number(phonenumbers.parse(whole))
    except phonenumbers.NumberParseException:
        return ""
    return "" if country in {None, "001"} else str(country)


@lru_cache(maxsize=65_536)
def _zones(prefix: str, region: str) -> tuple[str, ...]:
    state = region.removeprefix("US-")
    if state in STATES and (region.startswith("US-") or region in _TERRITORIES):
        return tuple(sorted(STATES[state][1]))
    zones = _area_zones().get(prefix[2:], ()) if prefix.startswith("+1") else _number_zones(prefix)
    return zones if len(zones) <= _MOST_ZONES else ()


@cache
def _area_zones() -> dict[str, tuple[str, ...]]:
    """Give every zone of each North American area code, its exchanges' included: a mobile may have moved within it."""
    from phonenumbers.tzdata import TIMEZONE_DATA  # noqa: PLC0415 (a second of loading, for who asks)

    length = len("1212")
    areas: dict[str, set[str]] = {}
    for digits, zones in TIMEZONE_DATA.items():
        if digits.startswith("1") and len(digits) >= length:
            areas.setdefault(digits[1:length], set()).update(zones)
    return {area: tuple(sorted(zones)) for area, zones in areas.items()}


def _number_zones(e164: str) -> tuple[str, ...]:
    from phonenumbers import NumberParseException, parse, timezone  # noqa: PLC0415 (a second of loading, for who asks)

    try:
        zones = timezone.time_zones_for_number(parse(e164))
    except NumberParseException:
        return ()
    return tuple(sorted(zone for zone in zones if zone != timezone.UNKNOWN_TIMEZONE))
