"""Which addresses requests of ours may go to when a person wrote the name: public ones, on this machine if allowed."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")


class PrivateAddressError(Exception):
    """A name leads into a private network."""


def checked_address(found: Iterable[str], *, allow_loopback: bool) -> str:
    """Give the first of a name's addresses. Raises ``PrivateAddressError`` unless all that it has are public.

    One that is private among them is reason enough: a name that points inwards now and then is no honest one. Connect
    to what this gives, not to the name: nothing may resolve it a second time.
    """
    addresses = [ip_address(text.partition("%")[0]) for text in found]
    if not addresses or not all(is_public(address, allow_loopback=allow_loopback) for address in addresses):
        message = "the address leads into a private network"
        raise PrivateAddressError(message)
    return str(addresses[0])


def is_public(address: IPv4Address | IPv6Address, *, allow_loopback: bool) -> bool:
    """Whether a request may go there; what lies in a wrapping of IPv6 counts, too."""
    if isinstance(address, IPv6Address):
        if (inner := address.ipv4_mapped or address.sixtofour) is not None:
            return is_public(inner, allow_loopback=allow_loopback)
        if address.teredo is not None:
            return False
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF), allow_loopback=allow_loopback)
    if address.is_loopback:
        return allow_loopback
    return address.is_global and not address.is_multicast and not address.is_reserved
