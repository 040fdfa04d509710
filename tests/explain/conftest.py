"""Makes the helpers beside the tests, and the builders of bills, importable under pytest's importlib mode."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "money")]
