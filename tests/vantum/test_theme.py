import pytest
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from vantum.theme import theme_settings


def test_what_the_theme_is_told_to_load_is_there() -> None:
    given = theme_settings()
    addresses = [style(None) for style in given["STYLES"]] + [given["SITE_ICON"](None)]
    assert [finders.find(address.removeprefix("/static/")) is not None for address in addresses] == [True, True]


@pytest.mark.django_db
def test_the_admin_wears_it(client: Client) -> None:
    client.force_login(get_user_model().objects.create_superuser("boss"))
    text = client.get(reverse("admin:index")).content.decode()
    assert "/static/unfold/css/styles.css" in text
    assert "/static/admin_site/admin.css" in text
    assert "Times: UTC" in text


@pytest.mark.django_db
def test_one_may_skip_the_menu(client: Client) -> None:
    client.force_login(get_user_model().objects.create_superuser("boss"))
    text = client.get(reverse("admin:index")).content.decode()
    assert text.index('<a class="v-skip" href="#content">') < text.index('id="nav-filter"') < text.index('id="content"')


@pytest.mark.django_db
def test_an_empty_list_says_whether_anything_was_looked_for(client: Client) -> None:
    client.force_login(get_user_model().objects.create_superuser("boss"))
    address = reverse("admin:campaigns_contact_changelist")
    assert "No contacts yet" in client.get(address).content.decode()
    assert "Nothing found" in client.get(address, {"q": "+49"}).content.decode()
