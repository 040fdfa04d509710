"""The column kernel: what core's rating computes for one charge, over columns for very many at once. See docs/kernel.md."""

from farthing.kernel.domain import OutsideDomain
from farthing.kernel.engine import Engine
from farthing.kernel.job import Job
from farthing.kernel.rate import domain, rate
from farthing.kernel.result import KernelResult

__all__ = ["Engine", "Job", "KernelResult", "OutsideDomain", "domain", "rate"]
