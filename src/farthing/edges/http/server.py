"""The HTTP server: takes requests, bounds what they may cost, and has them answered by the pool of threads."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as Incoming
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from farthing.app.resources.access import hashed
from farthing.core.base.refusal import Refusal
from farthing.edges.http import openapi, resources
from farthing.edges.http.meter_events import MeterEvents
from farthing.edges.http.pool import Pool, Stores
from farthing.edges.http.refusals import ADDRESS_UNUSABLE, BODY_LATE, BODY_TOO_LARGE, DEADLINE_EXCEEDED
from farthing.edges.http.service import USUAL_HEADERS, Reply, Request, Service, failed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What requests may cost: bytes of a body, seconds until it has arrived, until the answer, until readiness is known, and in all when
    the service stops."""

    body: int = 1_048_576
    arrival: float = 10
    answer: float = 60
    ready: float = 2
    stop: float = 20


def application(service: Service, pool: Pool, new_id: Callable[[str], str], bounds: Bounds | None = None) -> ASGIApp:
    """The service as an ASGI application. `new_id` names requests."""
    resources.register()
    limits = bounds or Bounds()
    edge = _Edge(service, pool, new_id, limits)
    told = [Route("/healthz", _healthy), Route("/readyz", edge.ready), Route(openapi.PATH, _openapi), Route(openapi.PAGE, _docs)]
    beside = Starlette(routes=[*told, Mount("/", app=edge)])

    async def directly(scope: Scope, receive: Receive, send: Send) -> None:
        """The API past the router: it has routes of its own, and usage comes by the thousands."""
        await (edge if scope["type"] == "http" and scope["path"].startswith(("/v1/", "/v2/")) else beside)(scope, receive, send)

    return directly


async def _healthy(_: Incoming) -> Response:
    return Response(b"ok\n", media_type="text/plain")


async def _openapi(_: Incoming) -> Response:
    return Response(openapi.document_bytes(), media_type="application/json")


async def _docs(_: Incoming) -> Response:
    return Response(
        openapi.page_bytes(), media_type="text/html", headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    )


class _Edge:
    """Reads a request, has it answered, sends the answer."""

    def __init__(self, service: Service, pool: Pool, new_id: Callable[[str], str], bounds: Bounds) -> None:
        self._service, self._pool, self._new_id, self._bounds = service, pool, new_id, bounds
        self._meter_events = MeterEvents(service, pool, new_id, bounds.answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # a web socket, which nothing here speaks
            await send({"type": "websocket.close", "code": 1003})
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope.get("raw_path", b"").decode("latin-1") or scope["path"]
        request = Request(self._new_id("req"), scope["method"], path, scope["query_string"], headers)
        try:
            reply = await self._answered(request, receive)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:  # the service stops, and has waited as long as it may
            reply = failed(Refusal(DEADLINE_EXCEEDED, "the service stops.", None), request)
        except Exception as error:
            reply = failed(error, request)
        await send_reply(request, reply, send)

    async def _answered(self, request: Request, receive: Receive) -> Reply:
        body = await self._body(request, receive)
        whole = Request(request.id, request.method, request.path, request.query, request.headers, body)
        if self._meter_events.takes(whole):
            return await self._meter_events.answer(whole)
        return await self._worked(lambda stores: self._service.answer(stores, whole), self._bounds.answer)

    async def _worked(self, work: Callable[[Stores], T], patience: float) -> T:
        """What the pool made of work. Errors: server_busy, deadline_exceeded."""
        future = asyncio.wrap_future(self._pool.submit(work))
        try:
            return await asyncio.wait_for(future, patience)
        except TimeoutError:
            raise Refusal(DEADLINE_EXCEEDED, f"there was no answer within {patience:g} s.", None) from None

    async def _body(self, request: Request, receive: Receive) -> bytes:
        """The body, whole. Errors: body_too_large, body_late."""
        most = self._bounds.body
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > most:
            raise Refusal(BODY_TOO_LARGE, f"the body has {announced[:20]} bytes, more than {most}.", None)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._bounds.arrival):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > most:
                        raise Refusal(BODY_TOO_LARGE, f"the body has more than {most} bytes.", None)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise Refusal(BODY_LATE, f"the body was not whole within {self._bounds.arrival:g} s.", None) from None

    async def ready(self, _: Incoming) -> Response:
        """Whether a thread is free and the database answers: 200, else 503."""
        try:
            await self._worked(lambda stores: stores.find_key(hashed("")), self._bounds.ready)
        except Exception:
            return Response(b"not ready\n", status_code=503, media_type="text/plain")
        return Response(b"ready\n", media_type="text/plain")


async def send_reply(request: Request, reply: Reply, send: Send) -> None:
    """Send an answer with the headers that every one has."""
    headers = {**USUAL_HEADERS, "Request-Id": request.id, **reply.headers}
    if (key := request.headers.get("idempotency-key")) is not None:
        headers["Idempotency-Key"] = key
    if request.headers.get("stripe-account") is not None:
        headers["Stripe-Account"] = request.headers["stripe-account"]
    headers["Content-Length"] = str(len(reply.body))
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": reply.body})


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; 0 is any free port. Errors: address_unusable."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(found[0], socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(found[4])
            listening.listen(2048)
        except BaseException:
            listening.close()
            raise
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Refusal(ADDRESS_UNUSABLE, f"{host[:80]} port {port}: {reason}.", "port") from error
    return listening


class HttpServer(uvicorn.Server):
    """The server of an application. `stop()` may be called from a signal handler or another thread: it ends in order, then `run` returns."""

    def __init__(self, app: ASGIApp, bounds: Bounds, on_ready: Callable[[], None], alive: Callable[[], bool] = lambda: True) -> None:
        """`alive` is asked once a second whether what the service needs is there at all; if not, it ends."""
        config = uvicorn.Config(
            app,
            http="httptools",
            loop="uvloop",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=int(bounds.stop),
            timeout_notify=1,
            callback_notify=self._look,
        )
        super().__init__(config)
        self._on_ready, self._alive = on_ready, alive

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take requests, and say so."""
        await super().startup(sockets)
        self._on_ready()

    async def _look(self) -> None:
        self.should_exit = self.should_exit or not self._alive()

    def stop(self) -> None:
        """End in order: take no more requests, and answer those that have come. The second time it does not wait for them."""
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are their caller's: `stop_on_signals`."""
        yield


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and Ctrl-C call `stop` inside the block."""

    def handle(_: int, __: FrameType | None) -> None:
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
