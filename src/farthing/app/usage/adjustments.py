"""Taking usage back: a cancellation is a fact of its own, and the event counts no longer."""

from __future__ import annotations

from farthing.app.resources.desk import Desk
from farthing.app.usage.meters import meter_of_name
from farthing.app.usage.refusals import NO_METER
from farthing.core.base.json_value import shown
from farthing.core.base.refusal import Refusal
from farthing.core.events.event import Cancel
from farthing.core.events.fields import read_text
from farthing.core.events.parse import EVENT_NAME_LONGEST, IDENTIFIER_LONGEST


def cancel_event(desk: Desk, event_name: str, identifier: str) -> bool:
    """Cancel the event of an identifier, however long ago it was recorded. Whether the log has it: if not, the cancellation waits for it,
    and the event will not count. Again changes nothing. Errors: no_meter, cancel_names_other_event, text_too_long."""
    read_text(event_name, "event_name", EVENT_NAME_LONGEST)
    read_text(identifier, "cancel[identifier]", IDENTIFIER_LONGEST)
    with desk.store.transaction():
        if meter_of_name(desk, event_name) is None:
            raise Refusal(NO_METER, f"no meter takes {shown(event_name)}.", "event_name")
        receipt = desk.store.append([Cancel(identifier, event_name)], desk.at)
        for _, refusal in receipt.conflicts:
            raise refusal
        return identifier in desk.store.recorded([identifier])
