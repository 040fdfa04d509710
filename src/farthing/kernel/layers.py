"""Queries built in layers: each names the intermediate numbers of the one below, so that no expression is written out twice."""

from __future__ import annotations

from collections.abc import Mapping

from farthing.kernel.numbers import Num


class Layers:
    """A query that grows outwards. Numbers named by `let` are plain columns of all later layers."""

    def __init__(self, relation: str) -> None:
        self.sql = relation

    def let(self, numbers: Mapping[str, Num]) -> dict[str, Num]:
        """Name numbers over the columns so far. What is the same for every row stays a constant."""
        varying = {name: num for name, num in numbers.items() if num.constant is None}
        self.columns({name: num.sql for name, num in varying.items()})
        return {name: Num(name, num.den, num.low, num.high, num.width) if name in varying else num for name, num in numbers.items()}

    def one(self, name: str, num: Num) -> Num:
        """Name one number."""
        return self.let({name: num})[name]

    def columns(self, items: Mapping[str, str]) -> None:
        """Name expressions that are no numbers."""
        if items:
            self.sql = f"SELECT *, {', '.join(f'{sql} AS {name}' for name, sql in items.items())} FROM ({self.sql})"
