"""Every ratchet fails on a snippet that breaks it, and on nothing beside it."""

from __future__ import annotations

import textwrap

import pytest

from tools import ratchets
from tools.purity import purity_violations
from tools.sources import Source, python_sources
from tools.words import wording_violations

CORE = "src/farthing/core/rating/some.py"
APP = "src/farthing/app/some.py"
KERNEL = "src/farthing/kernel/some.py"
EDGE = "src/farthing/edges/http/some.py"
TEST = "tests/rating/test_some.py"


def rules(path: str, code: str) -> list[str]:
    source = Source(path, textwrap.dedent(code))
    return [one.rule for one in [*purity_violations(source), *wording_violations(source)]]


IMPURE = [
    ("float", "x = 1.5"),
    ("float", "x = 1e3"),
    ("float", "x = 2j"),
    ("float", "x = float(y)"),
    ("float", "def f(x: float) -> int: ..."),
    ("float", "def f(x: 'list[float]') -> int: ..."),
    ("float", "x: 'float' = y"),
    ("float", "x = pa.float64()"),
    ("float", "x = math.sqrt(y)"),
    ("float", "from math import floor, gcd"),
    ("float", "x = moment.timestamp()"),
    ("float", "x = delta.total_seconds()"),
    ("bare-round", "x = round(y)"),
    ("clock-or-chance", "x = datetime.now(UTC)"),
    ("clock-or-chance", "x = datetime.datetime.utcnow()"),
    ("clock-or-chance", "x = date.today()"),
    ("clock-or-chance", "import time"),
    ("clock-or-chance", "from random import choice"),
    ("clock-or-chance", "import uuid"),
    ("io", "import os.path"),
    ("io", "from pathlib import Path"),
    ("io", "def f():\n    import subprocess"),
    ("io", "x = open('f')"),
    ("io", "print(x)"),
    ("outside-import", "import pydantic"),
    ("outside-import", "from sqlalchemy.orm import Session"),
    ("outside-import", "import pyarrow as pa"),
    ("sql-text", "x = 'SELECT a FROM b'"),
    ("sql-text", "x = f'insert into {table} values (1)'"),
]


@pytest.mark.parametrize(("rule", "code"), IMPURE)
def test_each_impurity_is_found_in_core(rule: str, code: str) -> None:
    assert rule in rules(CORE, code)


@pytest.mark.parametrize(
    "code",
    [
        "x = Fraction(1) / 3",
        "x = math.gcd(a, b)",
        "def round_to_whole(x: int) -> int: ...",
        "x = round_to_whole(y)",
        "x = {'float': 1}",
        "from datetime import datetime",
        "x = self.timestamp",
        "import hashlib, json",
        "from farthing.core.base.exact import show",
        '"""Select the events from a log."""',
        "x = 'update the customer'",
        "def f(now: int) -> int:\n    return now",
    ],
)
def test_what_is_pure_passes(code: str) -> None:
    assert rules(CORE, code) == []


def test_each_folder_has_its_own_rules() -> None:
    assert rules(EDGE, "import time, os, psycopg\nx = 1.5\nprint(round(x), 'select a from b')") == []
    assert rules(KERNEL, "import duckdb, pyarrow") == []
    assert rules(APP, "import pyarrow\nx = 1.5") == []
    assert rules(APP, "import duckdb") == ["outside-import"]
    assert rules(APP, "import time") == ["clock-or-chance"]
    assert rules(APP, "x = 'delete from t'") == ["sql-text"]
    assert rules(KERNEL, "x = 0.5") == ["float"]
    assert rules(KERNEL, "import tempfile") == ["io"]
    assert rules("src/farthing/core_helpers.py", "x = 0.5") == [], "a name that only begins like core's folder is not core"


DISHONEST = [
    ("type-ignore", EDGE, "x = y  # type: ignore"),
    ("type-ignore", EDGE, "x = y  # type: ignore[arg-type]"),
    ("type-ignore", EDGE, "x = y  #type:ignore[arg-type]  # reason"),
    ("noqa", EDGE, "x = y  # noqa"),
    ("noqa", EDGE, "x = y  # noqa: S608"),
    ("unfinished", EDGE, "x = y  # TO" + "DO later"),
    ("unfinished", EDGE, "def f():\n    raise NotImplementedError"),
    ("unfinished", EDGE, "def f():\n    return NotImplemented"),
    ("refusal-elsewhere", EDGE, "X = refusal_kind('a', 'b', 'c')"),
    ("refusal-elsewhere", CORE, "X = refusal.refusal_kind('a', 'b', 'c')"),
    ("chance-in-test", TEST, "import random\nx = random.randint(1, 2)"),
    ("chance-in-test", TEST, "from random import choice"),
    ("chance-in-test", TEST, "x = uuid.uuid4()"),
    ("capped-examples", TEST, "@settings(max_examples=20)\ndef test_a(): assert f()"),
    ("empty-test", TEST, "def test_a():\n    f()"),
    ("empty-test", TEST, "def test_a():\n    assert True"),
]


@pytest.mark.parametrize(("rule", "path", "code"), DISHONEST)
def test_each_dishonesty_is_found(rule: str, path: str, code: str) -> None:
    assert rules(path, code) == [rule]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (EDGE, "x = y  # type: ignore[arg-type]  # the driver's stub says text only"),
        (EDGE, "x = y  # noqa: S608  # the name comes from a list of ours"),
        (EDGE, "def __eq__(self, other):\n    return NotImplemented"),
        ("src/farthing/core/rating/refusals.py", "X = refusal_kind('a', 'b', 'c')"),
        (TEST, "import random\nx = random.Random(7).randint(1, 2)"),
        (TEST, "from random import Random"),
        (TEST, "def helper(random):\n    return random.sample([1, 2], 1)"),
        (TEST, "@settings(max_examples=settings.default.max_examples // 4)\ndef test_a(): assert f()"),
        (TEST, "def test_a():\n    with pytest.raises(ValueError):\n        f()"),
        (TEST, "def test_a():\n    assert_balanced(f())"),
    ],
)
def test_what_is_honest_passes(path: str, code: str) -> None:
    assert rules(path, code) == []


# --- sizes ----------------------------------------------------------------------------------------------------------


def function(lines: int) -> str:
    return "def f():\n" + "    x = 1\n" * (lines - 1)


def test_a_function_may_be_as_long_as_the_limit_and_no_longer() -> None:
    numbers = {"p90": 100, "max": 70}
    assert list(ratchets.function_lengths([Source(CORE, function(70))], numbers)) == []
    (found,) = ratchets.function_lengths([Source(CORE, function(71))], numbers)
    assert (found.rule, found.line) == ("function-length", 1)
    assert list(ratchets.function_lengths([Source(TEST, function(71))], numbers)) == [], "tests are held by the length of the file"


def test_methods_and_inner_functions_are_measured_too() -> None:
    inner = textwrap.indent(textwrap.indent(function(71), "    "), "    ")
    code = f"class A:\n    async def g(self):\n{inner}"
    assert sorted(one.message.split()[0] for one in ratchets.function_lengths([Source(CORE, code)], {"p90": 100, "max": 70})) == ["f", "g"]


def test_nine_functions_of_ten_are_within_p90() -> None:
    numbers = {"p90": 30, "max": 70}
    nine = function(30) * 9
    assert list(ratchets.function_lengths([Source(CORE, nine + function(60))], numbers)) == []
    (found,) = ratchets.function_lengths([Source(CORE, function(30) * 8 + function(31) * 2)], numbers)
    assert found.rule == "function-p90"


def test_the_percentile_is_the_nearest_rank() -> None:
    assert ratchets.percentile(range(1, 11), 90) == 9
    assert ratchets.percentile([5], 90) == 5
    assert ratchets.percentile([3, 1, 2], 90) == 3


def test_files_have_their_folders_limit() -> None:
    numbers = {"src": 500, "tests": 800}
    assert list(ratchets.file_lengths([Source(CORE, "x = 1\n" * 500), Source(TEST, "x = 1\n" * 800)], numbers)) == []
    found = ratchets.file_lengths([Source(CORE, "x = 1\n" * 501), Source("tools/t.py", "x = 1\n" * 501), Source(TEST, "x = 1\n" * 801)], numbers)
    assert [one.path for one in found] == [CORE, "tools/t.py", TEST]


def test_a_module_neither_imports_nor_offers_nor_does_too_much() -> None:
    numbers = {"imports": 1, "public_names": 2, "public_methods": 1, "exempt": {"src/farthing/main.py": "the wiring"}}
    good = "from farthing.core.base import exact\nimport json\nclass A:\n    def a(self): ...\n    def _b(self): ...\ndef g(): ...\n"
    bad = good + "from farthing.core.base.time import Interval\nclass B:\n    def a(self): ...\n    def b(self): ...\n"
    assert list(ratchets.module_sizes([Source(CORE, good), Source("src/farthing/main.py", bad), Source(TEST, bad)], numbers)) == []
    found = [one.rule for one in ratchets.module_sizes([Source(CORE, bad)], numbers)]
    assert found == ["module-imports", "module-public-names", "module-public-methods"]


# --- the whole ------------------------------------------------------------------------------------------------------


def test_a_violation_is_let_pass_only_by_path_and_rule() -> None:
    source = Source(CORE, "x = 1.5\nprint(x)\n")
    numbers = {**ratchets.limits(), "allow": {CORE: {"float": "a reason"}}}
    assert [one.rule for one in ratchets.violations([source], numbers)] == ["io"]
    assert [one.rule for one in ratchets.violations([Source(KERNEL, "x = 1.5\n")], numbers)] == ["float"]


def test_the_numbers_are_the_promised_ones_or_lower() -> None:
    numbers = ratchets.limits()
    assert numbers["functions"]["p90"] <= 30
    assert numbers["functions"]["max"] <= 70
    assert numbers["files"]["src"] <= 500
    assert numbers["files"]["tests"] <= 800
    assert all(reason.strip() for allowed in numbers["allow"].values() for reason in allowed.values())


def test_our_own_files_are_all_looked_at() -> None:
    paths = {source.path for source in python_sources()}
    assert {"src/farthing/core/base/exact.py", "tests/tools/test_ratchets.py", "tools/ratchets.py"} <= paths
    assert not [path for path in paths if ".venv" in path or "__pycache__" in path]


def test_a_violation_says_where_it_is() -> None:
    (found,) = purity_violations(Source(CORE, "a = 1\nb = 0.5\n"))
    assert str(found) == f"{CORE}:2: 0.5 is a float [float]"
