"""The bundled data is what its sources say, becomes the events promised, and comes to the totals computed apart."""

import hashlib
import io
import json
import subprocess
import sys
from collections import Counter
from datetime import datetime
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from farthing.demo import llm, open_csv, payments

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

FILES = {
    (
        "llm_azure_2023",
        "AzureLLMInferenceTrace_code.csv",
    ): "54e9a6d2a4bd06ba1e060304b900abbc74cbea53de96506e60fe5bb4f2277fb6",
    (
        "llm_azure_2023",
        "AzureLLMInferenceTrace_conv.csv",
    ): "2f1e5b666d4e3055fdbba98598ce2ec307767b9064e03e2fa46676dbcc7d0bf8",
    ("retail_online_uk", "online_retail.csv"): "78f3654ba8479e64d7f29138bf6035f1d70d4b5e414c59f84dce6c2cc5781fb3",
}


@pytest.fixture(scope="module")
def llm_events() -> list[dict[str, Any]]:
    return list(llm.events())


@pytest.fixture(scope="module")
def payment_events() -> list[dict[str, Any]]:
    return list(payments.events())


@pytest.fixture(scope="module")
def expected() -> Any:
    return json.loads((HERE / "expected.json").read_bytes())


# --- the files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("folder", "name"), FILES)
def test_bundled_file_is_byte_for_byte_the_source(folder: str, name: str) -> None:
    with open_csv(folder, name) as stream:
        content = stream.read().encode()
    assert hashlib.sha256(content).hexdigest() == FILES[folder, name]


@pytest.mark.parametrize(("folder", "name"), FILES)
def test_each_file_stands_beside_its_licence_and_a_notice_with_its_checksum(folder: str, name: str) -> None:
    data = resources.files("farthing.demo") / "data" / folder
    notice = (data / "NOTICE").read_text(encoding="utf-8")
    assert f"sha256 {FILES[folder, name]}  {name}" in notice
    assert "Creative Commons" in notice or "CC0" in notice
    assert "CC BY 4.0" in (data / "LICENSE").read_text(encoding="utf-8") or "Attribution 4.0 International" in (data / "LICENSE").read_text(
        encoding="utf-8"
    )
    assert folder in (ROOT / "NOTICE").read_text(encoding="utf-8")


def test_the_licence_is_the_standard_text() -> None:
    """sha256 of the text as the Apache Software Foundation publishes it."""
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


# --- totals computed apart ------------------------------------------------------------------------------------------


def test_expected_json_is_what_the_naive_program_prints() -> None:
    """-I -S: it runs without site-packages, so it can use neither farthing nor any dependency."""
    program = [sys.executable, "-I", "-S", str(HERE / "naive_totals.py")]
    output = subprocess.run(program, check=True, capture_output=True).stdout
    assert output == (HERE / "expected.json").read_bytes()


def test_retail_totals_are_those_the_source_states(expected: Any) -> None:
    source = expected["fees"]["source"]
    assert source == {
        "rows": 541_909,
        "pounds": "9747747.934",
        "cancellation_pounds": "-896812.49",
        "cancellations": 3_836,
        "other_numbers": 22_064,
        "rows_without_customer": 135_080,
        "pounds_without_customer": "1447682.12",
        "pounds_united_kingdom": "8187806.364",
        "countries": 38,
        "pounds_by_month": {
            "2010-12": "748957.02",
            "2011-01": "560000.26",
            "2011-02": "498062.65",
            "2011-03": "683267.08",
            "2011-04": "493207.121",
            "2011-05": "723333.51",
            "2011-06": "691123.12",
            "2011-07": "681300.111",
            "2011-08": "682680.51",
            "2011-09": "1019687.622",
            "2011-10": "1070704.67",
            "2011-11": "1461756.25",
            "2011-12": "433668.01",
        },
    }


@pytest.mark.parametrize(("invoice", "dollars"), [(0, "47.608895"), (1, "96.791325")])
def test_llm_totals_are_those_the_source_states(expected: Any, invoice: int, dollars: str) -> None:
    lines = expected["llm"]["invoices"][invoice]["lines"]
    assert sum(Decimal(line["amount_exact"]) for line in lines) == Decimal(dollars) * 100


def test_fees_of_all_payments_are_those_of_an_sql_query_written_apart(expected: Any) -> None:
    """Per month, as SQLite and DuckDB computed them once from the same file (pence)."""
    assert [invoice["total"] for invoice in expected["fees"]["invoices"]] == [
        1_349_613,
        1_203_043,
        917_993,
        1_249_877,
        908_470,
        1_336_495,
        1_340_998,
        1_241_636,
        1_322_326,
        1_798_260,
        2_015_496,
        2_521_134,
        1_021_223,
    ]
    assert expected["fees"]["total"] == 18_226_564


# --- events of the LLM services -------------------------------------------------------------------------------------


def test_llm_events_are_one_per_request_with_the_sources_token_totals(llm_events: list[dict[str, Any]]) -> None:
    totals: Counter[tuple[str, str]] = Counter()
    for event in llm_events:
        payload = event["payload"]
        totals[payload["stripe_customer_id"], "requests"] += 1
        totals[payload["stripe_customer_id"], "input"] += int(payload["input_tokens"])
        totals[payload["stripe_customer_id"], "output"] += int(payload["output_tokens"])
    assert totals == {
        ("code-assistant", "requests"): 8_819,
        ("code-assistant", "input"): 18_059_974,
        ("code-assistant", "output"): 245_896,
        ("chat", "requests"): 19_366,
        ("chat", "input"): 22_361_870,
        ("chat", "output"): 4_088_665,
    }


def test_llm_identifiers_are_unique_and_all_times_lie_in_the_billed_hour(llm_events: list[dict[str, Any]]) -> None:
    assert len({event["identifier"] for event in llm_events}) == 28_185
    times = [event["timestamp"] for event in llm_events]
    assert min(times) == "2023-11-16T18:15:46.680590Z"
    assert max(times) == "2023-11-16T19:14:19.928016Z"
    assert all(datetime.fromisoformat(time).isoformat(timespec="microseconds")[:-6] + "Z" == time for time in times)


def test_the_first_and_last_llm_event_in_full(llm_events: list[dict[str, Any]]) -> None:
    assert llm_events[0] == {
        "identifier": "AzureLLMInferenceTrace_code.csv:1",
        "event_name": "llm_request",
        "timestamp": "2023-11-16T18:17:03.979960Z",
        "payload": {"stripe_customer_id": "code-assistant", "input_tokens": "4808", "output_tokens": "10"},
    }
    assert llm_events[-1]["identifier"] == "AzureLLMInferenceTrace_conv.csv:19366"
    assert llm_events[-1]["payload"]["output_tokens"] == "183"


def test_crlf_a_missing_last_newline_and_the_seventh_decimal() -> None:
    text = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:00:00.0000009,7,0\r\n2023-11-16 18:00:01.9999999,8,12"
    events = list(llm.requests(io.StringIO(text, newline=""), "f.csv", "c"))
    assert [event["identifier"] for event in events] == ["f.csv:1", "f.csv:2"]
    assert [event["timestamp"] for event in events] == ["2023-11-16T18:00:00.000000Z", "2023-11-16T18:00:01.999999Z"]
    assert events[1]["payload"] == {"stripe_customer_id": "c", "input_tokens": "8", "output_tokens": "12"}


@pytest.mark.parametrize(
    ("data_row", "reason"),
    [
        ("2023-11-16 18:00:00.0000000,7", "f.csv:1: 2 fields"),
        ("2023-11-16 18:00:00.0000000,7.5,1", "f.csv:1: '7.5' is not a whole number"),
        ("2023-11-16 18:00:00.0000000,7,-1", "f.csv:1: '-1' is not a whole number"),
        ("2023-11-16 18:00:00,7,1", "f.csv:1: TIMESTAMP .* seven decimals"),
        ("2023-11-31 18:00:00.0000000,7,1", "f.csv:1: TIMESTAMP .* does not exist"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_with_its_row(data_row: str, reason: str) -> None:
    stream = io.StringIO(f"TIMESTAMP,ContextTokens,GeneratedTokens\r\n{data_row}", newline="")
    with pytest.raises(ValueError, match=reason):
        list(llm.requests(stream, "f.csv", "c"))


def test_a_foreign_header_is_refused() -> None:
    with pytest.raises(ValueError, match=r"f\.csv: the header is"):
        list(llm.requests(io.StringIO("time,in,out\n"), "f.csv", "c"))


# --- events of the payments -----------------------------------------------------------------------------------------


def test_payments_are_counted_and_summed_as_the_naive_program_does(payment_events: list[dict[str, Any]], expected: Any) -> None:
    assert len(payment_events) == expected["fees"]["payments"] == 19_959
    pence = sum(int(event["payload"]["value"]) for event in payment_events)
    assert pence == expected["fees"]["payments_pence"] == 1_065_562_248


def test_payment_identifiers_are_unique_and_in_order_of_time(payment_events: list[dict[str, Any]]) -> None:
    assert len({event["identifier"] for event in payment_events}) == len(payment_events)
    times = [event["timestamp"] for event in payment_events]
    assert times == sorted(times)
    assert (times[0], times[-1]) == ("2010-12-01T08:26:00Z", "2011-12-09T12:50:00Z")


def test_no_payment_is_a_cancellation_or_worth_nothing(payment_events: list[dict[str, Any]]) -> None:
    assert not any(event["identifier"][0] in "CA" for event in payment_events)
    assert min(int(event["payload"]["value"]) for event in payment_events) == 38


def test_each_invoice_line_has_the_payments_of_its_class_and_london_month(payment_events: list[dict[str, Any]], expected: Any) -> None:
    """By the UTC timestamps and FEE_CLASSES: another way to the month and the class than the naive program's."""
    found: Counter[tuple[str, str]] = Counter()
    volume: Counter[tuple[str, str]] = Counter()
    for event in payment_events:
        month = f"{datetime.fromisoformat(event['timestamp']).astimezone(payments.LONDON):%Y-%m}"
        key = month, class_of(event["payload"]["country"]).label
        found[key] += 1
        volume[key] += int(event["payload"]["value"])
    lines = {(invoice["period_start"][:7], line["line"]): line for invoice in expected["fees"]["invoices"] for line in invoice["lines"]}
    assert found == {key: line["quantity"] for key, line in lines.items()}
    assert volume == {key: line["payments_pence"] for key, line in lines.items()}


def class_of(country: str) -> payments.FeeClass:
    named = [c for c in payments.FEE_CLASSES if c.countries is not None and country in c.countries]
    rest = [c for c in payments.FEE_CLASSES if c.countries is None]
    (found,) = named or rest
    return found


def test_fee_classes_are_disjoint_and_name_only_countries_of_the_data() -> None:
    uk, eea, rest = payments.FEE_CLASSES
    assert tuple(uk) == ("United Kingdom and Channel Islands", ("United Kingdom", "Channel Islands"), "1.5", 20)
    assert (eea.label, eea.percent, eea.fixed_pence) == ("EEA", "2.5", 20)
    assert tuple(rest) == ("International", None, "3.25", 20)
    named = [*(uk.countries or ()), *(eea.countries or ())]
    assert len(named) == len(set(named)) == 23
    with open_csv(payments.FOLDER, payments.FILE) as stream:
        seen = {line.rstrip("\n").rpartition(",")[2] for line in stream}
    assert set(named) <= seen


# --- the rules of a payment, each on a file made by hand ------------------------------------------------------------

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def read(*rows: str) -> list[dict[str, Any]]:
    return list(payments.payments(io.StringIO(HEADER + "".join(f"{row}\n" for row in rows))))


def row(number: str = "1", **fields: str) -> str:
    usual = {"quantity": "1", "time": "2011-01-10 09:00:00", "price": "1.00", "customer": "17850", "country": "France"}
    return ",".join([number, "85123A", "LANTERN", *(usual | fields).values()])


def test_a_payment_in_full() -> None:
    assert read(row("536365", quantity="6", price="2.55", country="United Kingdom")) == [
        {
            "identifier": "536365",
            "event_name": "payment",
            "timestamp": "2011-01-10T09:00:00Z",
            "payload": {"stripe_customer_id": "online-retail", "value": "1530", "country": "United Kingdom"},
        }
    ]


def test_cancellations_and_adjustments_are_no_payments() -> None:
    assert [e["identifier"] for e in read(row("C1"), row("2"), row("A3", price="11062.06"))] == ["2"]


@pytest.mark.parametrize("price", ["0", "0.00", "-0.01", "0.004"])
def test_a_total_of_no_pence_or_less_is_no_payment(price: str) -> None:
    assert read(row(price=price)) == []


def test_returned_goods_on_an_invoice_lower_its_payment() -> None:
    assert read(row(quantity="3"), row(quantity="-1"))[0]["payload"]["value"] == "200"
    assert read(row(quantity="1"), row(quantity="-1")) == []


def test_identical_rows_are_separate_facts() -> None:
    assert read(row(), row(), row())[0]["payload"]["value"] == "300"


def test_rows_without_customer_count() -> None:
    assert read(row(customer=""), row())[0]["payload"]["value"] == "200"


def test_the_sum_is_exact_and_rounded_once_half_away_from_zero() -> None:
    assert read(row(price="0.004"), row(price="0.004"))[0]["payload"]["value"] == "1"
    assert read(row(price="0.005"))[0]["payload"]["value"] == "1"
    assert read(row(price="1.014"))[0]["payload"]["value"] == "101"
    assert read(row(price="1.025"))[0]["payload"]["value"] == "103"
    assert read(row(quantity="80995", price="90071992547409.93"))[0]["payload"]["value"] == "729538103637746728035"


def test_rows_of_one_number_may_lie_apart_and_the_earliest_time_counts() -> None:
    events = read(row("7", time="2011-01-10 09:01:00"), row("8"), row("7", time="2011-01-10 09:00:59"))
    assert [e["identifier"] for e in events] == ["7", "8"]
    assert events[0]["timestamp"] == "2011-01-10T09:00:59Z"
    assert events[0]["payload"]["value"] == "200"


@pytest.mark.parametrize(
    ("wall_clock", "utc"),
    [
        ("2011-03-27 00:59:59", "2011-03-27T00:59:59Z"),
        ("2011-03-27 02:00:00", "2011-03-27T01:00:00Z"),
        ("2011-07-01 00:30:00", "2011-06-30T23:30:00Z"),
        ("2011-10-30 01:30:00", "2011-10-30T00:30:00Z"),
        ("2011-10-30 02:00:00", "2011-10-30T02:00:00Z"),
    ],
)
def test_london_wall_clock_becomes_utc(wall_clock: str, utc: str) -> None:
    """01:30 on 2011-10-30 happened twice: the earlier instant, still summer time, counts."""
    assert read(row(time=wall_clock))[0]["timestamp"] == utc


def test_a_time_london_clocks_skipped_is_refused() -> None:
    with pytest.raises(ValueError, match="InvoiceNo 1: London clocks never showed 2011-03-27 01:30:00"):
        read(row(time="2011-03-27 01:30:00"))


def test_a_number_of_several_countries_is_refused() -> None:
    with pytest.raises(ValueError, match="line 3: InvoiceNo 1 is of 'Japan' here and 'France' before"):
        read(row(), row(country="Japan"))


def test_quoted_commas_and_line_breaks_are_text() -> None:
    text = HEADER + '1,X,"SET OF 3, ""RED""\nBOXES",2,2011-01-10 09:00:00,0.50,,EIRE'
    (event,) = payments.payments(io.StringIO(text, newline=""))
    assert event["payload"] == {"stripe_customer_id": "online-retail", "value": "100", "country": "EIRE"}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(price="1e3"), "line 3: '1e3' is not a decimal number"),
        (row(price="NaN"), "line 3: 'NaN' is not a decimal number"),
        (row(quantity=""), "line 3: '' is not a decimal number"),
        (row(time="10/01/2011 09:00"), "line 3: InvoiceDate '10/01/2011 09:00' is not"),
        (row(time="2011-02-29 09:00:00"), "line 3: InvoiceDate '2011-02-29 09:00:00' does not exist"),
        (row(number=""), "line 3: InvoiceNo is empty"),
        ("1,2,3", "line 3: 3 fields, the header has 8"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_line(bad: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(row("0"), bad)


def test_a_header_without_a_needed_column_is_refused() -> None:
    with pytest.raises(ValueError, match="line 1: the header lacks UnitPrice, Country"):
        list(payments.payments(["InvoiceNo,Quantity,InvoiceDate\n"]))
