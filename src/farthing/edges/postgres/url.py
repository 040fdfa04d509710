"""The URL of a database of the user's own, checked before it is used: what the driver says of a malformed one quotes the password."""

from __future__ import annotations

import re

import psycopg
from psycopg import conninfo

from farthing.core.base.refusal import Refusal
from farthing.edges.postgres.refusals import DATABASE_URL_MALFORMED

_SCHEME = re.compile(r"(postgresql|postgres)://")
_PORT_LARGEST = 65_535


def checked_url(url: str, field: str) -> str:
    """The URL (or libpq's `key=value` form), which the driver can read. `field` says where it comes from.

    A second @, and one behind the host, are part of a password that was not escaped: the driver would take parts of it for the host or
    the port, and name them in its errors. Errors: database_url_malformed, whose message holds nothing of the URL.
    """
    problem = _problem(url)
    if problem is not None:
        raise Refusal(DATABASE_URL_MALFORMED, f"{problem}.", field)
    return url


def _problem(url: str) -> str | None:
    if not url.strip():
        return "it is empty"
    scheme = _SCHEME.match(url)
    if scheme is None and "://" in url.split("=")[0]:
        return "it does not begin with postgresql://"
    if scheme is not None:
        authority, _, path = url[scheme.end() :].partition("?")[0].partition("/")
        if authority.count("@") > 1 or "@" in path:
            return "it has an @ that is neither escaped nor before the host"
    try:
        known = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        return "it is not in the form that PostgreSQL reads" if scheme else "it does not begin with postgresql://"
    ports = str(known.get("port") or "").split(",")
    if not all(port == "" or (re.fullmatch(r"[0-9]{1,5}", port) and 1 <= int(port) <= _PORT_LARGEST) for port in ports):
        return f"its port is not a number from 1 to {_PORT_LARGEST}"
    return None
