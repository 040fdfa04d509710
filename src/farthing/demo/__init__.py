"""The demo's real data sets, bundled with Farthing, and their conversion into event documents.

`llm` reads an hour of requests to two LLM services, `payments` thirteen months of card payments. Licence, source and
citation of each set are in the `NOTICE` beside its files.
"""

import io
import lzma
from importlib import resources
from typing import TextIO


def open_csv(folder: str, name: str) -> TextIO:
    """The bundled file `name` of data set `folder`, decompressed, as UTF-8 text with its line ends untouched."""
    packed = resources.files(__name__).joinpath("data", folder, f"{name}.xz").read_bytes()
    return io.TextIOWrapper(lzma.open(io.BytesIO(packed)), encoding="utf-8", newline="")
