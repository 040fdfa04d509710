"""Conditions on properties as SQL. Values are bound parameters; a test is never NULL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from farthing.core.events.condition import Condition, NumberTest, Test, TextTest
from farthing.kernel.columns import holds
from farthing.kernel.domain import OutsideDomain
from farthing.kernel.typed import Typed


@dataclass(slots=True)
class Conditions:
    """Turns conditions into SQL over the columns of `typed`; collects the values to bind in `params`."""

    typed: Typed
    params: dict[str, Any]

    def sql(self, condition: Condition) -> str:
        """Whether all tests hold; TRUE for none."""
        return " AND ".join(self._test(test) for test in condition.tests) or "TRUE"

    def _test(self, test: Test) -> str:
        if isinstance(test, NumberTest):
            return holds(self.typed.numbers[test.property], test.operator, test.bound)
        match test.operator:
            case "exists":
                return self.typed.present[test.property]
            case "absent":
                return f"(NOT {self.typed.present[test.property]})"
            case "in":
                return f"coalesce({self._among(test)}, FALSE)"
            case "not_in":
                return f"(NOT coalesce({self._among(test)}, FALSE))"

    def _among(self, test: TextTest) -> str:
        if not test.values:
            return "FALSE"
        return f"{self.typed.texts[test.property]} IN ({', '.join(self._bind(value) for value in test.values)})"

    def _bind(self, value: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise OutsideDomain("a condition compares with a text that is no Unicode") from None
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"CAST(${name} AS VARCHAR)"
