"""Ids that the sender chooses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from farthing.app.catalogue.refusals import ID_UNUSABLE
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal

_ID = re.compile(r"[A-Za-z0-9._-]{1,200}", re.ASCII)
_PATHS = frozenset({"search", ".", ".."})


def chosen_id(params: Mapping[str, Any]) -> str | None:
    """The id that was sent with a new resource, None if there is none. Errors: id_unusable."""
    id_: str | None = params.get("id")
    if id_ is not None and (_ID.fullmatch(id_) is None or id_ in _PATHS):
        raise Refusal(ID_UNUSABLE, f"{shown(id_)} is not an id.", "id")
    return id_
