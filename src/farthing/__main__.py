"""`python -m farthing`."""

from farthing.main import run

run()
