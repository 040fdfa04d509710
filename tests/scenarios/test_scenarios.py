"""Every scenario of this folder comes out as it is written, and after each of its bills the books agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario_text import Statement, Teller, read_statements

from farthing.core.explain.line import explain_line
from farthing.core.invoice.difference import due_in_all
from farthing.core.invoice.document import document_content, key_text, line_document, read_document
from farthing.core.ledger.periods import AccountingPeriod
from farthing.core.ledger.postings import postings_for
from farthing.testing.world import World

FOLDER = Path(__file__).parent
SCENARIOS = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_a_scenario_comes_out_as_written(file: Path) -> None:
    teller = Teller()
    for statement in read_statements(file):
        made = teller.tell(statement)
        assert made == statement.expected, f"{file.name}:{statement.line}: {statement.text}\n" + "\n".join(made)
        if statement.text.split()[0] in ("bill", "correct"):
            assert_books_agree(teller.world, teller.contract, statement)


def assert_books_agree(world: World, contract: str, statement: Statement) -> None:
    """What was billed in all is what the facts come to from scratch, less waivers; and nothing more is to be corrected."""
    billed = {one.key: one.amount for one in world.issued(contract)}
    waived, desired = world.waived(contract), world.from_scratch(contract)
    for key in billed.keys() | desired.keys():
        assert billed.get(key, 0) == due_in_all(desired.get(key, 0), waived.get(key_text(key), 0), billed.get(key, 0)), (
            f"line {statement.line}: {key}"
        )
    before = len(world.bills)
    assert world.correct(contract) == []
    assert_lines_know_what_was_billed(world)
    for bill in world.bills[:before]:
        content = document_content(bill.document)
        assert document_content(read_document(content)) == content
        assert sum(posting.amount for posting in postings_for(bill.document, AccountingPeriod(2025, 1))) == 0
        for line in bill.document.lines:
            assert explain_line(line_document(line)).steps


def assert_lines_know_what_was_billed(world: World) -> None:
    """Each line says what had been billed for its key before its document (where no document was made void since)."""
    billed: dict[str, int] = {}
    for bill in world.bills if not any(one.void for one in world.bills) else ():
        before = dict(billed)
        for line in bill.document.lines:
            assert line.previously == before.get(key_text(line.key), 0), bill.number
            billed[key_text(line.key)] = billed.get(key_text(line.key), 0) + line.amount


def test_there_are_scenarios_and_each_expects_something() -> None:
    assert len(SCENARIOS) >= 12
    for file in SCENARIOS:
        statements = read_statements(file)
        assert any(statement.expected for statement in statements), file.name
        assert file.read_text(encoding="utf-8").startswith("# "), f"{file.name} does not begin with what it is about"


def test_a_wrong_amount_in_a_scenario_is_found(tmp_path: Path) -> None:
    story = (FOLDER / "late_event.txt").read_text(encoding="utf-8")
    altered = tmp_path / "altered.txt"
    altered.write_text(story.replace("total 1100", "total 1101", 1), encoding="utf-8")
    with pytest.raises(AssertionError, match="total 1100"):
        test_a_scenario_comes_out_as_written(altered)
