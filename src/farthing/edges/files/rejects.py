"""The reject file: one NDJSON line for every row that was refused, with its place, so that it can be mended and sent again."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from farthing.edges.files.rows import START, Mark, Rejected, shown_row


class RejectFile:
    """Rejects of one event file, appended to a file that may hold those of others: `{"file", "line", "field", "code", "message",
    "row"}`.

    Rejects are written before the mark behind them is kept. So opening it drops what this event file rejected after the mark from
    which it is read on (it will be rejected again), and a last line that was cut off: each refused row is in it once, however
    often the process was killed. It comes into being with the first reject.
    """

    def __init__(self, path: Path, file: str, start_after: Mark = START) -> None:
        self.path, self.file, self.written = path, file, 0
        self._stream: BinaryIO | None = None
        if path.exists():
            self._keep(start_after)

    def _keep(self, mark: Mark) -> None:
        """Write anew, beside the old one, what is to be kept; the new file takes its place at once or not at all."""
        with tempfile.NamedTemporaryFile(dir=self.path.parent, prefix=f"{self.path.name}.", delete=False) as kept:
            try:
                with self.path.open("rb") as lines:
                    for line in lines:
                        if line.endswith(b"\n") and self._belongs(line, mark):
                            kept.write(line)
                kept.flush()
                os.fsync(kept.fileno())
                shutil.copymode(self.path, kept.name)
                Path(kept.name).replace(self.path)
            except BaseException:
                Path(kept.name).unlink(missing_ok=True)
                raise

    def _belongs(self, line: bytes, mark: Mark) -> bool:
        try:
            reject: Any = json.loads(line)
            return not (reject["file"] == self.file and reject["line"] > mark.line)
        except (ValueError, KeyError, TypeError):
            return True  # not ours to judge

    def write(self, rejected: Iterable[Rejected]) -> None:
        """Append refused rows; they are durable when this returns."""
        text = "".join(self._line(reject) for reject in rejected)
        if not text:
            return
        if self._stream is None:
            self._stream = self.path.open("ab")
        self._stream.write(text.encode("utf-8", "backslashreplace"))
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def _line(self, reject: Rejected) -> str:
        self.written += 1
        why = reject.refusal.document()
        place = {"file": self.file, "line": reject.line, "field": why["field"]}
        return json.dumps({**place, "code": why["code"], "message": why["message"], "row": shown_row(reject.raw)}, ensure_ascii=False) + "\n"

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __enter__(self) -> RejectFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
