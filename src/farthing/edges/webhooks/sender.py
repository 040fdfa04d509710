"""The sender of webhooks: one POST to exactly the address that was checked, with a deadline, and nothing that the receiver can stretch."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from farthing.app.webhooks.sender import Outcome
from farthing.edges.webhooks.addresses import Address, addresses, public

AGENT = "Farthing-Webhooks/1.0"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect, and in all until the status of the answer has arrived; bytes of a body that is sent."""

    connect: float = 5
    whole: float = 20
    body: int = 4_194_304


class HttpSender:
    """Posts webhooks. With `private` also to private, loopback and link-local addresses. Names are resolved once for each attempt, and
    what was checked is connected to, so that a name cannot change its mind in between. Redirects are not followed, answers are not read
    beyond their headers, and no proxy is used."""

    def __init__(
        self,
        private: bool = False,
        limits: Limits | None = None,
        resolve: Callable[[str, int], Sequence[Address]] = addresses,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._private, self._limits, self._resolve = private, limits or Limits(), resolve
        self._context = context or ssl.create_default_context()

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Post a body once; what goes wrong is an outcome."""
        if len(body) > self._limits.body:
            return Outcome(error=f"body_too_large: the event has {len(body)} bytes, more than {self._limits.body}")
        try:
            return self._send(url, headers, body)
        except _Refused as error:
            return Outcome(error=str(error))
        except (TimeoutError, _Late):
            return Outcome(error=f"timeout: no answer within {self._limits.whole:g} s")
        except ssl.SSLCertVerificationError as error:
            return Outcome(error=f"certificate_invalid: {error.verify_message}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Outcome(error=f"unreachable: {type(error).__name__}: {error}"[:300].replace("\0", "?"))

    def _send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
        if port is None or not parts.hostname:
            raise _Refused("url_invalid: it is neither http nor https")
        host = _ascii(parts.hostname)
        address = self._checked(host, port)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = _Pinned(host, port, address, self._limits.connect, self._context if parts.scheme == "https" else None)
        with _Deadline(connection, self._limits.whole):
            connection.request("POST", _quoted(target), body, {"User-Agent": AGENT, "Accept": "*/*", "Connection": "close", **headers})
            return Outcome(connection.getresponse().status)

    def _checked(self, host: str, port: int) -> Address:
        """The first address of a host that may be connected to."""
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise _Refused(f"name_unknown: {host[:100]}: {getattr(error, 'strerror', None) or error}") from error
        allowed = [one for one in found if self._private or public(one[1])]
        if not allowed:
            raise _Refused(f"address_not_public: {host[:100]} is at {', '.join(where for _, where in found[:4])}")
        return allowed[0]


class _Refused(Exception):
    """Not sent, for a reason that has a name."""


class _Late(Exception):
    """The deadline was over."""


class _Pinned(http.client.HTTPConnection):
    """A connection to a host at one address: whatever the host's name resolves to by now. The certificate is checked against the name."""

    def __init__(self, host: str, port: int, address: Address, patience: float, context: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=patience)
        self.default_port = 80 if context is None else 443
        self._address, self._tls = address, context

    def connect(self) -> None:
        """Connect to the address, and begin TLS with the host's name."""
        family, where = self._address
        plain = socket.socket(family, socket.SOCK_STREAM)
        self.sock = plain
        plain.settimeout(self.timeout)
        plain.connect((where, self.port))
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


class _Deadline:
    """Ends a connection when its time is over, however slowly it goes on. Leaving the block closes it."""

    def __init__(self, connection: http.client.HTTPConnection, seconds: float) -> None:
        self._connection, self._over = connection, False
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._timer.cancel()
        self._connection.close()
        if self._over:  # what was read by then may be half of an answer
            raise _Late from error

    def _end(self) -> None:
        self._over = True
        if self._connection.sock is not None:
            with suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)


def _ascii(host: str) -> str:
    """A host as it is resolved and sent: names of other scripts by their ASCII form."""
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise _Refused(f"name_unknown: {host[:100]} is no name") from error


def _quoted(target: str) -> str:
    return "".join(one if one.isascii() else "".join(f"%{byte:02X}" for byte in one.encode()) for one in target)
