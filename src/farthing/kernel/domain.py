"""What the kernel does not compute: said by name, so that the caller sends it to core."""

from __future__ import annotations


class OutsideDomain(Exception):
    """The job, the columns' types or the data lie outside the kernel's numeric domain; `reason` says which and why.

    It says nothing against the input: core computes it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
