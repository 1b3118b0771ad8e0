from calls.models import Transfer


def test_a_transfer_shows_where_it_goes_and_how_far_it_is() -> None:
    assert str(Transfer(destination="Dana", status="failed")) == "Dana: failed"
