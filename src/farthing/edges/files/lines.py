"""Files as byte streams, compressed or not, and streams as lines of bounded length."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from farthing.core.base.refusal import Refusal
from farthing.edges.files.refusals import FILE_CHANGED, FILE_UNREADABLE, LINE_TOO_LONG

LINE_LARGEST = 1 << 20
RAW_KEPT = 4096  # of a line that is too long
DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException)
"""What reading a damaged, cut off or vanished file raises."""

_MAGIC = {b"\x1f\x8b": "gz", b"\xfd7zXZ\x00": "xz", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zst"}
_EDGE = 1 << 16


@dataclass(slots=True)
class Stream:
    """An open file: `content` is read, decompressed; `disk` is the file itself, whose position tells how much of it is done."""

    content: io.BufferedIOBase
    disk: io.BufferedReader

    def done(self, offset: int) -> int:
        """How many bytes of the file on disk are behind content offset `offset`, roughly for a compressed one."""
        return offset if self.content is self.disk else self.disk.tell()

    def close(self) -> None:
        """Close both."""
        self.content.close()
        self.disk.close()


def open_stream(path: Path) -> Stream:
    """Open a file for reading, decompressing .gz, .xz, .bz2 and .zst by their first bytes. Errors: file_unreadable."""
    try:
        disk = path.open("rb")
    except OSError as error:
        raise unreadable(path.name, error) from None
    try:
        start = disk.read(6)
        disk.seek(0)
        return Stream(_decompressed(disk, start), disk)
    except DAMAGE as error:
        disk.close()
        raise unreadable(path.name, error) from None


def _decompressed(disk: io.BufferedReader, start: bytes) -> io.BufferedIOBase:
    match next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None):
        case "gz":
            return gzip.GzipFile(fileobj=disk)
        case "xz":
            return lzma.LZMAFile(disk)
        case "bz2":
            return bz2.BZ2File(disk)
        case "zst":
            return io.BufferedReader(_Zstandard(disk), _EDGE)
        case _:
            return disk


class _Zstandard(io.RawIOBase):
    """Arrow's decompressor as a raw stream."""

    def __init__(self, disk: io.BufferedReader) -> None:
        self._stream = pa.CompressedInputStream(disk, "zstd")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader passes is a memoryview
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def unreadable(name: str, error: BaseException) -> Refusal:
    """The refusal of a file that could not be read."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Refusal(FILE_UNREADABLE, f"{name}: {reason.splitlines()[0] if reason else type(error).__name__}.")


def skip_to(content: io.BufferedIOBase, offset: int) -> None:
    """Go to a content offset; by reading where the stream cannot seek. Errors: file_changed when the content ends before it."""
    if content.seekable():
        content.seek(offset)
        at_end = content.tell() < offset or (offset > 0 and _shorter(content, offset))
    else:
        left = offset
        while left > 0 and (data := content.read(min(left, LINE_LARGEST))):
            left -= len(data)
        at_end = left > 0
    if at_end:
        raise Refusal(FILE_CHANGED, f"the content ends before byte {offset}.")


def _shorter(content: io.BufferedIOBase, offset: int) -> bool:
    """Whether the content ends before the offset that was sought, which a plain file does not say by itself."""
    content.seek(offset - 1)
    return not content.read(1)


def fingerprint(path: Path) -> str:
    """A cheap name of a file's content: its size, and a digest of its first and last 64 KiB. It tells whether a mark still fits."""
    with path.open("rb") as disk:
        head = disk.read(_EDGE)
        size = disk.seek(0, io.SEEK_END)
        disk.seek(max(0, size - _EDGE))
        return f"{size}-{hashlib.sha256(head + disk.read(_EDGE)).hexdigest()[:32]}"


@dataclass(slots=True)
class Line:
    """A physical line: its number from 1, where it ends, its bytes without the line end, or why it could not be read."""

    number: int
    end: int
    data: bytes
    refusal: Refusal | None = None


def physical_lines(content: io.BufferedIOBase, name: str, offset: int, line: int) -> Iterator[Line]:
    """The lines from `offset` on, where `line` lines come before. A line over 1 MiB is passed over and refused; damage to the
    stream is the last line, refused."""
    while True:
        line += 1
        try:
            data = content.readline(LINE_LARGEST + 1)
            if not data:
                return
            offset += len(data)
            refusal = None
            if len(data) > LINE_LARGEST and not data.endswith(b"\n"):
                passed = _pass_over(content)
                offset += passed
                refusal = Refusal(LINE_TOO_LONG, f"the line has {len(data) + passed} bytes.")
                data = data[:RAW_KEPT]
        except DAMAGE as error:
            yield Line(line, offset, b"", unreadable(name, error))
            return
        yield Line(line, offset, data.removesuffix(b"\n").removesuffix(b"\r"), refusal)


def _pass_over(content: io.BufferedIOBase) -> int:
    passed = 0
    while data := content.readline(LINE_LARGEST):
        passed += len(data)
        if data.endswith(b"\n"):
            break
    return passed
