"""A file as a stream of inflated bytes that is watched for what text must not hold."""

from __future__ import annotations

import gzip
import io
import zlib
from codecs import getincrementaldecoder
from pathlib import Path
from typing import IO, Final

from driftgauge.profile.settings import Format, ProfileError

BLOCK_BYTES: Final = 1 << 20
LONGEST_LINE: Final = 8 << 20
_GZIP: Final = b"\x1f\x8b"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_SUFFIXES: Final = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
}


def format_of(path: Path) -> Format:
    """The form that a file's name tells.

    Raises:
        ProfileError: it tells none.
    """
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    found = _SUFFIXES.get(name.suffix.lower())
    if found is None:
        expected = "a name that ends in .csv, .tsv, .ndjson, .jsonl (each with .gz or not) or .parquet"
        raise ProfileError(f"{path}: expected {expected}, or --format, got {path.name!r}")
    return found


class Stream(io.RawIOBase):
    """The bytes of a file, gzip or not (its first bytes tell, not its name).

    Attributes:
        suspect: whether a NUL or what is not UTF-8 has been read; rows have to be looked at then.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.suspect = False
        self._raw = _opened(path)
        start = self._raw.peek(4)[:4]
        if start[:2] in _UTF_16:
            self._raw.close()
            raise ProfileError(f"{path}: expected UTF-8, got UTF-16; convert it first")
        self._bytes: IO[bytes] = (
            gzip.GzipFile(fileobj=self._raw) if start[:2] == _GZIP else self._raw  # type: ignore[assignment]  # it reads alike
        )
        self._decoder = getincrementaldecoder("utf-8")()
        self._since_line = 0

    def readable(self) -> bool:
        """True."""
        return True

    def position(self) -> int:
        """Bytes of the file itself that have been read."""
        return 0 if self._raw.closed else self._raw.tell()

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._raw.close()
        super().close()

    def readinto(self, buffer: object) -> int:
        """Fill *buffer*.

        Raises:
            ProfileError: it can't be read or inflated, or a line has no end.
        """
        view = memoryview(buffer)  # type: ignore[arg-type]  # io hands over a writable buffer
        try:
            block = self._bytes.read(len(view))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ProfileError(f"{self.path}: expected gzip to its end, got: {error}") from error
        except OSError as error:
            raise ProfileError(f"{self.path}: can't be read: {error.strerror or error}") from error
        self._inspect(block)
        view[: len(block)] = block
        return len(block)

    def _inspect(self, block: bytes) -> None:
        newline = max(block.rfind(b"\n"), block.rfind(b"\r"))
        self._since_line = len(block) - newline - 1 if newline >= 0 else self._since_line + len(block)
        if self._since_line > LONGEST_LINE:
            raise ProfileError(
                f"{self.path}: expected lines of at most {LONGEST_LINE >> 20} MiB, got a longer one"
            )
        if not self.suspect:
            self.suspect = b"\0" in block or not self._is_utf_8(block)

    def _is_utf_8(self, block: bytes) -> bool:
        try:
            self._decoder.decode(block, final=not block)
        except UnicodeDecodeError:
            return False
        return True


def _opened(path: Path) -> io.BufferedReader:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise ProfileError(f"{path}: expected a file, got none of that name") from error
    except IsADirectoryError as error:
        raise ProfileError(f"{path}: expected a file, got a directory") from error
    except OSError as error:
        raise ProfileError(f"{path}: can't be read: {error.strerror}") from error


def buffered(stream: Stream) -> io.BufferedReader:
    """*stream* read a block at a time."""
    return io.BufferedReader(stream, BLOCK_BYTES)
