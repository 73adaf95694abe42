"""What may be set so that nobody is let in by mistake."""

import pytest

from amiss.addresses import is_loopback
from amiss.settings import Settings, default


def given(**said: object) -> Settings:
    return Settings.model_validate(default().model_dump() | said)


def test_a_name_that_reaches_others_needs_a_token() -> None:
    with pytest.raises(ValueError, match=r"hosts: as amiss\.example\.org it can be"):
        given(hosts=["localhost", "amiss.example.org"])
    with pytest.raises(ValueError, match="so a token is needed"):
        given(hosts=["10.1.2.3"])
    assert given(hosts=["amiss.example.org", "10.1.2.3"], token="env:AMISS_TOKEN").hosts
    assert given(hosts=["localhost", "web.localhost", "127.0.0.2", "::1"]).token is None


@pytest.mark.parametrize("host", ["127.example.org", "localhost.example.org", "0.0.0.0", ""])
def test_a_name_is_not_taken_for_this_machine_by_how_it_begins(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ValueError):
        given(listen=f"{host}:8600")


@pytest.mark.parametrize(
    "host", ["https://amiss.example.org", "amiss.example.org:8600", "me@here", "a b", "", "[::1]"]
)
def test_a_host_is_a_bare_name(host: str) -> None:
    with pytest.raises(ValueError, match="write it without scheme and port"):
        given(hosts=[host], token="env:AMISS_TOKEN")


@pytest.mark.parametrize(
    ("listen", "hosts", "link"),
    [
        ("127.0.0.1:8600", (), "http://127.0.0.1:8600"),
        ("localhost:8600", ("localhost",), "http://localhost:8600"),
        ("[::1]:8600", (), "http://[::1]:8600"),
        ("127.0.0.1:8600", ("localhost", "amiss.example.org"), "https://amiss.example.org"),
        ("0.0.0.0:8600", (), "http://127.0.0.1:8600"),
        ("0.0.0.0:8600", ("amiss.example.org", "a"), "http://amiss.example.org:8600"),
        ("[::]:8600", ("2001:db8::1",), "http://[2001:db8::1]:8600"),
        ("192.0.2.1:80", ("amiss.example.org",), "http://192.0.2.1:80"),
    ],
)
def test_where_messages_lead_to(listen: str, hosts: tuple[str, ...], link: str) -> None:
    assert given(listen=listen, hosts=hosts, token="env:AMISS_TOKEN").link == link
