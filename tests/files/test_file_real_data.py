"""A bundled file of real data, read through a mapping, gives the events that the demo makes of it by its own program."""

from importlib.resources import as_file, files

from farthing.core.events.parse import event_document
from farthing.demo import llm, open_csv
from farthing.edges.files.options import options_from_arguments
from farthing.edges.files.source import open_source

FILE = "AzureLLMInferenceTrace_code.csv"


def test_requests_of_an_llm_service():
    options = options_from_arguments(
        ["timestamp=TIMESTAMP", "input_tokens=ContextTokens", "output_tokens=GeneratedTokens"],
        [f"event_name={llm.EVENT_NAME}", "customer=code-assistant"],
        [f"identifier={FILE}:{{#row}}"],
        timestamp={"time_zone": "UTC", "truncate": True},
    )
    with as_file(files("farthing.demo") / "data" / llm.FOLDER / f"{FILE}.xz") as path:
        batches = list(open_source(path, options).batches(1000))
    assert [reject for batch in batches for reject in batch.rejected] == []
    read = [event_document(accepted.fact) for batch in batches for accepted in batch.accepted]
    with open_csv(llm.FOLDER, FILE) as stream:
        expected = list(llm.requests(stream, FILE, "code-assistant"))
    assert len(read) == len(expected) == 8_819
    for found, wanted in zip(read, expected, strict=True):
        assert {**found, "timestamp": None} == {**wanted, "timestamp": None}
        assert found["timestamp"].rstrip("Z0").rstrip(".") == wanted["timestamp"].rstrip("Z0").rstrip(".")
