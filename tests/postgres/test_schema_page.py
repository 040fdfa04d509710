"""docs/schema.md names every table, and marks rightly which hold facts and which nothing writes yet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "schema.md").read_text(encoding="utf-8")


def names(mark: str) -> set[str]:
    table = PAGE.split("## Tables")[1].split("## The event log")[0]
    return set(re.findall(mark + r"`(\w+)`", "\n".join(line for line in table.splitlines() if line.startswith("|"))))


def test_the_page_names_every_table(account: Any) -> None:
    with account.connect_owner() as owner:
        tables = {name for (name,) in owner.execute("SELECT relname FROM pg_class WHERE relnamespace = 'farthing'::regnamespace AND relkind = 'r'")}
    assert names("") == tables


def test_what_is_marked_as_fact_refuses_change_and_what_is_marked_as_prepared_is_not_written(account: Any) -> None:
    with account.connect_owner() as owner:
        facts = {name for (name,) in owner.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'refuse_change'")}
        written = {
            name
            for (name,) in owner.execute(
                "SELECT DISTINCT table_name::text FROM information_schema.column_privileges WHERE table_schema = 'farthing'"
                " AND grantee = 'farthing_service' AND privilege_type IN ('INSERT', 'UPDATE')"
            )
        }
    prepared = names("○ ")
    assert names("● ") == facts - prepared
    assert written & prepared == set()
    assert len(prepared) > 10
