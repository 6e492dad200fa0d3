from ipaddress import ip_address

import pytest
from pytest_django import Settings

from workflows.effects.addresses import is_public, may_dial, may_name, read_address

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "::",
    "::1",
    "::2",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.128.0.1",
    "172.32.0.1",
    "192.169.0.1",
    "2606:4700:4700::1111",
    "2a00:1450::1",
]


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_not_public_is_refused(text: str) -> None:
    assert not is_public(read_address(text))
    assert not may_dial("example.org", 80, read_address(text))


@pytest.mark.parametrize("text", [*PUBLIC, "::ffff:8.8.8.8"])
def test_what_is_public_may_be_dialled(text: str) -> None:
    assert may_dial("example.org", 80, read_address(text))


def test_an_address_of_ipv4_written_as_one_of_ipv6_is_the_one_of_ipv4() -> None:
    assert read_address("::ffff:192.168.1.1") == ip_address("192.168.1.1")


@pytest.mark.parametrize(
    ("allowed", "host", "port", "address", "expected"),
    [
        ("10.1.0.0/16", "anything", 80, "10.1.2.3", True),
        ("10.1.0.0/16", "anything", 80, "10.2.2.3", False),
        ("127.0.0.1", "localhost", 80, "127.0.0.1", True),
        ("127.0.0.1", "localhost", 80, "127.0.0.2", False),
        ("localhost", "localhost", 80, "127.0.0.1", True),
        ("localhost", "LOCALHOST.", 80, "127.0.0.1", True),
        ("localhost:8000", "localhost", 8000, "127.0.0.1", True),
        ("localhost:8000", "localhost", 8001, "127.0.0.1", False),
        ("*.corp.example", "erp.corp.example", 80, "10.0.0.1", True),
        ("*.corp.example", "corp.example", 80, "10.0.0.1", False),
        ("*.corp.example", "evilcorp.example", 80, "10.0.0.1", False),
        ("corp.example", "erp.corp.example", 80, "10.0.0.1", False),
        ("fd12::/16", "anything", 80, "fd12::1", True),
    ],
)
def test_the_setting_opens_networks_and_hosts(
    settings: Settings, allowed: str, host: str, port: int, address: str, *, expected: bool
) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "HTTP_PRIVATE": [allowed]}
    assert may_dial(host, port, read_address(address)) is expected


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fe80::1", "fd00:ec2::254", "168.63.129.16"]
)
def test_the_name_of_a_host_never_opens_the_metadata_of_a_cloud(
    settings: Settings, address: str
) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "HTTP_PRIVATE": ["erp.corp.example"]}
    assert not may_dial("erp.corp.example", 80, read_address(address))
    settings.CELERIAC = {**settings.CELERIAC, "HTTP_PRIVATE": [address]}
    assert may_dial("erp.corp.example", 80, read_address(address))


def test_only_named_hosts_may_be_called_when_there_is_a_list(settings: Settings) -> None:
    assert may_name("example.org", 443)
    settings.CELERIAC = {
        **settings.CELERIAC,
        "HTTP_HOSTS": ["api.example.org", "*.partner.example"],
    }
    assert may_name("api.example.org", 443)
    assert may_name("a.partner.example", 443)
    assert not may_name("example.org", 443)
