"""The sender: nothing goes where it must not go, nothing holds it up, certificates are checked."""

from __future__ import annotations

import socket
import ssl
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from webhook_house import Receiver, answer, drip

from farthing.edges.webhooks.addresses import addresses, public
from farthing.edges.webhooks.sender import HttpSender, Limits

HEADERS = {"Stripe-Signature": "t=1,v1=ab", "Content-Type": "application/json"}


def test_it_posts_the_body_with_the_headers_once(receiver: Receiver) -> None:
    outcome = HttpSender(private=True).send(receiver.url("/a/ü?b=c"), HEADERS, b"body")
    assert (outcome.status, outcome.error, outcome.delivered) == (200, None, True)
    (request,) = receiver.requests
    assert (request.path, request.body) == ("/a/%C3%BC?b=c", b"body")
    assert request.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["Stripe-Signature"] == "t=1,v1=ab"
    assert request.headers["Content-Length"] == "4"


@pytest.mark.parametrize(("status", "delivered"), [(200, True), (204, True), (299, True), (301, False), (302, False), (404, False), (500, False)])
def test_only_a_status_of_success_is_a_delivery_and_no_redirect_is_followed(receiver: Receiver, status: int, delivered: bool) -> None:
    receiver.behave = lambda handler: answer(handler, status, {"Location": receiver.url("/elsewhere")})
    outcome = HttpSender(private=True).send(receiver.url(), HEADERS, b"")
    assert (outcome.status, outcome.delivered) == (status, delivered)
    assert [request.path for request in receiver.requests] == ["/hook"]


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "0.0.0.0", "localhost", "[::1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_is_not_posted_to_in_whatever_form_it_is_written(receiver: Receiver, host: str, scheme: str) -> None:
    outcome = HttpSender().send(f"{scheme}://{host}:{receiver.port}/", HEADERS, b"")
    assert outcome.error is not None and outcome.error.startswith(("address_not_public: ", "name_unknown: ")), outcome
    assert not outcome.delivered
    assert receiver.requests == []


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
        *("::", "::1", "fe80::1", "fe80::1%1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "100::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::10.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:1::"),
        *("2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe", "no address", ""),
    ],
)
def test_addresses_that_are_not_of_the_public_internet(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_that_are(address: str) -> None:
    assert public(address)


def test_what_was_checked_is_connected_to_and_the_name_is_resolved_once(receiver: Receiver) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
        asked.append(host)
        return [(socket.AF_INET, "127.0.0.1" if len(asked) == 1 else "192.0.2.1")]

    assert HttpSender(private=True, resolve=resolve).send(receiver.url(host="hook.example"), HEADERS, b"").delivered
    assert asked == ["hook.example"]
    assert receiver.requests[0].headers["Host"] == f"hook.example:{receiver.port}"


def test_a_name_that_has_a_private_address_among_others_goes_to_the_public_one() -> None:
    found = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "10.0.0.1"), (socket.AF_INET, "8.8.8.8")]
    assert HttpSender(resolve=lambda host, port: found)._checked("hook.example", 80) == (socket.AF_INET, "8.8.8.8")
    outcome = HttpSender(resolve=lambda host, port: found[:2]).send("http://hook.example/", HEADERS, b"")
    assert outcome.error == "address_not_public: hook.example is at 127.0.0.1, 10.0.0.1"


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert HttpSender(private=True).send(receiver.url(), HEADERS, b"").delivered


def test_a_receiver_that_does_not_answer_or_answers_for_ever_is_left(receiver: Receiver) -> None:
    sender = HttpSender(private=True, limits=Limits(connect=5, whole=0.5))
    for behave in (lambda handler: time.sleep(3), drip):
        receiver.behave = behave
        began = time.monotonic()
        outcome = sender.send(receiver.url(), HEADERS, b"")
        assert outcome.error == "timeout: no answer within 0.5 s"
        assert time.monotonic() - began < 2.5


def test_the_body_of_an_answer_is_not_waited_for(receiver: Receiver) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000000")
        handler.end_headers()
        time.sleep(3)

    receiver.behave = endless
    began = time.monotonic()
    assert HttpSender(private=True).send(receiver.url(), HEADERS, b"").delivered
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize(
    "says", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000]
)
def test_an_answer_that_is_none_is_no_delivery(receiver: Receiver, says: bytes) -> None:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.write(says)

    receiver.behave = behave
    outcome = HttpSender(private=True).send(receiver.url(), HEADERS, b"")
    assert outcome.error is not None and outcome.error.startswith("unreachable: ")


def test_what_cannot_be_reached_is_said() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and does not listen
        outcome = HttpSender(private=True).send(f"http://127.0.0.1:{held.getsockname()[1]}/", HEADERS, b"")
    assert outcome.error is not None and outcome.error.startswith("unreachable: ConnectionRefusedError")
    for url in ("http://no-such-name.invalid/", f"http://{'ü' * 80}.example/"):
        outcome = HttpSender(private=True).send(url, HEADERS, b"")
        assert outcome.error is not None and outcome.error.startswith("name_unknown: ")
    outcome = HttpSender(private=True).send("http://127.0.0.1:99999/", HEADERS, b"")
    assert outcome.error is not None
    outcome = HttpSender(private=True, limits=Limits(body=3)).send("http://127.0.0.1/", HEADERS, b"four")
    assert outcome.error is not None and outcome.error.startswith("body_too_large: ")


def test_the_resolver_reads_every_form_of_an_address() -> None:
    for host in ("127.0.0.1", "2130706433", "0x7f.1", "127.1", "0177.0.0.1"):
        assert addresses(host, 80) == [(socket.AF_INET, "127.0.0.1")]
    assert addresses("::ffff:127.0.0.1", 80) == [(socket.AF_INET6, "::ffff:127.0.0.1")]


CERTIFICATE = Path(__file__).parent / "hook_example.pem"
"""For hook.example, its own authority, with its key, until 2126; made for these tests and used for nothing else."""


def resolved(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    return [(socket.AF_INET, "127.0.0.1")]


def test_certificates_are_checked_against_the_name_that_is_sent_to() -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(CERTIFICATE)
    names: list[str | None] = []
    served.sni_callback = lambda sock, name, context: names.append(name)
    trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
    with Receiver(context=served) as receiver:
        url = f"https://hook.example:{receiver.port}/hook"
        assert HttpSender(private=True, resolve=resolved, context=trusting).send(url, HEADERS, b"x").delivered
        assert receiver.requests[0].headers["Host"] == f"hook.example:{receiver.port}"
        other = HttpSender(private=True, resolve=resolved, context=trusting).send(url.replace("hook.", "other."), HEADERS, b"x")
        assert other.error is not None and other.error.startswith("certificate_invalid: Hostname mismatch")
        unknown = HttpSender(private=True, resolve=resolved).send(url, HEADERS, b"x")
        assert unknown.error is not None and unknown.error.startswith("certificate_invalid: self")
        plain = HttpSender(private=True, resolve=resolved).send(url.replace("https", "http"), HEADERS, b"x")
        assert plain.error is not None and plain.error.startswith("unreachable: ")
        assert len(receiver.requests) == 1
    assert names[:2] == ["hook.example", "other.example"]
