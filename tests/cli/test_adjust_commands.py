"""`farthing part`, `void` and `waive` at the terminal."""

from __future__ import annotations

import json

from cli_shell import Shell, event


def test_a_part_a_void_and_a_waiver(ready: Shell) -> None:
    ready.json("ingest", ready.file("e.ndjson", json.dumps(event("a", "20")) + "\n"))
    part = ready.json("part", "--at", "2025-01-20T00:00:00Z")
    assert (part["number"], part["state"], part["total"]) == ("INV-000001", "final", 140)
    assert ready.run("part", "--at", "2025-01-20T00:00:00Z", "--json").stdout == ""
    void = ready.json("void", "INV-000001", "--then", "reissue", "--reason", "too early")
    assert (void["number"], void["state"]) == ("INV-000001", "void")
    assert "VOID, to reissue: too early" in ready.run("invoices").stdout
    assert ready.json("bill", "--until", "2025-02-01T00:00:00Z")["total"] == 140
    assert ready.json("waive", "INV-000002:1", "40", "--reason", "outage") == {"waived": {"line": "INV-000002:1", "amount": 40}}
    assert ready.json("correct")["total"] == -40
    assert 'given up, in minor units: "40"' in ready.run("explain", "CN-000001:1").stdout
    assert ready.json("verify")["verified"] is True


def test_refusals_of_taking_back(ready: Shell) -> None:
    ready.json("ingest", ready.file("e.ndjson", json.dumps(event("a", "20")) + "\n"))
    ready.json("bill", "--until", "2025-02-01T00:00:00Z")
    for arguments, code in (
        (("void", "INV-000009", "--then", "waive", "--reason", "x"), "document_unknown"),
        (("void", "INV-000001", "--then", "waive", "--reason", ""), "text_empty"),
        (("void", "INV-000001", "--reason", "x"), "arguments_invalid"),
        (("bill", "--until", "9999-01-01T00:00:00Z"), "time_in_future"),
        (("part", "--at", "2200-01-01T00:00:00Z"), "time_in_future"),
        (("void", "INV-000001", "--reason", "x", "--then", "shred"), "field_invalid"),
        (("waive", "INV-000001:1", "141", "--reason", "x"), "waiver_out_of_range"),
        (("waive", "INV-000001:9", "1", "--reason", "x"), "line_unknown"),
    ):
        assert ready.json(*arguments, code=2)["error"]["code"] == code
    ready.json("void", "INV-000001", "--then", "waive", "--reason", "goodwill")
    assert ready.json("void", "INV-000001", "--then", "reissue", "--reason", "x", code=2)["error"]["code"] == "document_void"


def test_a_void_said_again_with_another_reason_keeps_the_first_and_says_so(ready: Shell) -> None:
    ready.json("ingest", ready.file("e.ndjson", json.dumps(event("a", "20")) + "\n"))
    ready.json("bill", "--until", "2025-02-01T00:00:00Z")
    again = ("void", "INV-000001", "--then", "waive", "--reason")
    first = ready.run(*again, "goodwill", "--json")
    assert (json.loads(first.stdout)["void"], first.stderr) == ({"disposition": "waive", "reason": "goodwill"}, "")
    assert (ready.run(*again, "goodwill", "--json").stdout, ready.run(*again, "goodwill").stderr) == (first.stdout, "")
    told = ready.run(*again, "outage", "--json")
    assert told.stdout == first.stdout
    says = 'INV-000001 was void already, and stays so for its first reason, "goodwill"; the new one is not kept.'
    assert json.loads(told.stderr) == {"note": says}
    assert ready.run(*again, "outage").stderr == says + "\n"
