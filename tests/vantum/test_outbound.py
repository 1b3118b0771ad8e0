from ipaddress import ip_address

import pytest

from vantum.outbound import PrivateAddressError, checked_address, is_public


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_public_addresses_are_open(address: str) -> None:
    assert is_public(ip_address(address), allow_loopback=False)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "240.0.0.1",  # noqa: S104 (not bound)
     "fc00::1", "fe80::1", "::", "ff02::1", "::ffff:10.0.0.1", "2002:a00:1::", "64:ff9b::a00:1",
     "2001:0:5ef5:79fd::1"],
)  # fmt: skip
def test_private_addresses_are_closed_even_in_development(address: str) -> None:
    assert not is_public(ip_address(address), allow_loopback=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_for_who_says_so(address: str) -> None:
    assert [is_public(ip_address(address), allow_loopback=allowed) for allowed in (True, False)] == [True, False]


def test_a_name_with_one_private_address_is_refused() -> None:
    assert checked_address(["93.184.215.14", "93.184.215.15"], allow_loopback=False) == "93.184.215.14"
    for found in (["93.184.215.14", "10.0.0.1"], []):
        with pytest.raises(PrivateAddressError):
            checked_address(found, allow_loopback=False)
