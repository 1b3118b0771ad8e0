"""The settings of the admin's theme, django-unfold."""

from typing import Any

from django.templatetags.static import static
from django.utils.timezone import get_current_timezone_name

_ACCENT = {
    "50": "#effaf7",
    "100": "#d5f2ea",
    "200": "#aee4d7",
    "300": "#7dd0bf",
    "400": "#4bb5a3",
    "500": "#2d9a89",
    "600": "#0e6b62",
    "700": "#0b5c54",
    "800": "#0c4a45",
    "900": "#0d3e3a",
    "950": "#032422",
}
"""The green of the site's other pages, from light to dark."""


def theme_settings() -> dict[str, Any]:
    """Give ``settings.UNFOLD``. Addresses are functions: they are asked when a page is made."""
    return {
        "SITE_TITLE": "Vantum",
        "SITE_HEADER": "Vantum",
        "SITE_SUBHEADER": "AI phone calls",
        "SITE_URL": "/",
        "ENVIRONMENT": lambda _request: [f"Times: {get_current_timezone_name()}", ""],
        "SITE_ICON": lambda _request: static("site/mark.svg"),
        "SITE_FAVICONS": [
            {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("site/mark.svg")},
        ],
        "SHOW_BACK_BUTTON": True,
        "DASHBOARD_CALLBACK": "campaigns.admin.overview.overview",
        "BORDER_RADIUS": "8px",
        "COLORS": {"primary": _ACCENT},
        "STYLES": [lambda _request: static("admin_site/admin.css")],
        "SIDEBAR": {
            "show_search": True,
            "command_search": False,
            "show_all_applications": False,
            "navigation": "vantum.navigation.navigation",
        },
    }
