"""One reply's body, from the network into the file under construction: what is believed of it and what is not."""

import re
import time
from dataclasses import dataclass
from enum import Enum

from senard.io.bandwidth import bandwidth_of
from senard.io.digests import FollowingDigest
from senard.io.http import Reply
from senard.io.part_file import PartFile
from senard.io.patience import Again
from senard.io.sources import Told
from senard.model.access import Pace

_CONTENT_RANGE = re.compile(r"\s*bytes\s+(?:(?P<first>\d+)-(?P<last>\d+)|\*)/(?P<total>\d+|\*)\s*", re.IGNORECASE)

_PAGES = (b"<!doctype html", b"<html", b'{"')
"""How pages and messages begin."""

_HEAD_BYTES = 64
"""A page shows itself within."""

_EXCESS_BYTES = 64 * 1024
"""What a body has too much is read to its end up to so many bytes, so that the connection ends properly."""

_TELL_EVERY_S = 0.2


class Content(Enum):
    """What kind of file is wanted: tells a page that came instead."""

    BINARY = "binary"
    """An image or a zip: neither a page nor XML."""

    XML = "xml"
    """XML: no page."""

    PAGE = "page"
    """A page itself: nothing tells it from another one but its checksum."""

    @classmethod
    def of(cls, name: str) -> "Content":
        """By the file's final name."""
        ending = name.rsplit(".", 1)[-1].lower()
        if ending in {"html", "htm", "json", "txt", "css", "js"}:
            return cls.PAGE
        return cls.XML if ending in {"xml", "safe", "gml", "xsd", "xsl", "kml"} else cls.BINARY

    def refuses(self, head: bytes, *, announced: bool) -> bool:
        """Whether a body is no such file.

        Args:
            head: its first bytes; empty where only its end was asked for.
            announced: its header Content-Type says that it is a page or XML.
        """
        if self is Content.PAGE:
            return False
        begins = head.lstrip()[:32].lower()
        if begins.startswith(_PAGES):
            return True
        return self is Content.BINARY and (announced or begins.startswith(b"<?xml"))


class UnfitRange(Again):
    """The service answered a Range with another one: nothing of it is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedRange:
    """What a header Content-Range says; None where it says nothing."""

    first: int | None
    """First byte, counted from 0."""

    last: int | None
    """Last byte, included."""

    total: int | None
    """Bytes of the whole file."""

    @classmethod
    def parse(cls, text: str) -> "StatedRange":
        """From "bytes 100-199/200" or "bytes */200"; anything else says nothing."""
        match = _CONTENT_RANGE.fullmatch(text)
        values = match.groupdict() if match else {}
        first, last, total = (
            int(value) if (value := values.get(name)) and value.isdigit() else None
            for name in ("first", "last", "total")
        )
        return cls(first=first, last=last, total=total)


class Incoming:
    """Takes bodies into one file."""

    def __init__(
        self, part: PartFile, pace: Pace, digest: FollowingDigest | None, content: Content, told: Told
    ) -> None:
        """Nothing is read yet.

        Args:
            part: where bytes go.
            pace: stall rule and bandwidth.
            digest: follows what is written.
            content: what kind of file is wanted.
            told: takes how far it is.
        """
        self._part = part
        self._pace = pace
        self._digest = digest
        self._content = content
        self._told = told
        self._told_at = 0.0
        self._bandwidth = bandwidth_of(pace.bandwidth_bytes_s)

    def take(self, reply: Reply, start: int, expected: int | None, *, least: int = 0) -> int | None:
        """Write a body: behind what is here if it fits there, else from the first byte on.

        Args:
            reply: status 200 or 206.
            start: what was asked for: 0, or the bytes that are here.
            expected: size of the whole file, bytes; None: unknown.
            least: size below which a body of no stated length broke off, bytes; 0: unknown.

        Returns:
            Size of the whole file, bytes; None if it is still unknown.

        Raises:
            Again: a page instead of data, or a size or range that does not fit, or too slow, or broken off.
            TransientError: the connection broke.
        """
        total, appended = self._announced(reply, start, expected)
        body = _Body(reply, self._pace, self._bandwidth.chunk_bytes)
        head = self._head(reply, body, start if appended else 0)
        if not appended:
            self._refuse_short(reply, body, expected)
            self.cut(0)
        self._write(head if total is None else head[: max(total - self._part.size, 0)], total)
        while total is None or self._part.size < total:
            chunk = body.read(None if total is None else total - self._part.size)
            if not chunk:
                break
            self._write(chunk, total)
        if total is not None and self._part.size == total:
            body.end()
        if total is not None or reply.length is not None:
            return total
        if self._part.size < least:
            raise Again(f"the body, of no stated length, ended at byte {self._part.size} of {least}")
        reply.end_is_stated = least > 0 or reply.is_chunked
        return self._part.size

    def cut(self, size: int) -> None:
        """Keep so many bytes from the start."""
        self._part.cut(size)
        if self._digest is not None:
            self._digest.restart()

    def _write(self, chunk: bytes, total: int | None) -> None:
        start = self._part.size
        self._part.append(chunk)
        if self._digest is not None:
            self._digest.feed(chunk, start)
        now = time.monotonic()
        if now >= self._told_at + _TELL_EVERY_S or self._part.size == total:
            self._told_at = now
            self._told(self._part.size, total or 0)
        self._bandwidth.took(len(chunk))

    def _announced(self, reply: Reply, start: int, expected: int | None) -> tuple[int | None, bool]:
        """Size of the whole file by now, and whether the body goes behind what is here."""
        if reply.status == 206:
            stated = StatedRange.parse(reply.headers.get("Content-Range", ""))
            wrong_total = expected is not None and stated.total is not None and stated.total != expected
            wrong_length = (
                reply.length is not None
                and stated.first is not None
                and stated.last is not None
                and reply.length != stated.last - stated.first + 1
            )
            if stated.first != start or wrong_total or wrong_length:
                raise UnfitRange(
                    f"asked for bytes from {start}{f' of {expected}' if expected else ''}, found Content-Range "
                    f"{reply.headers.get('Content-Range', 'missing')!r}"
                )
            return expected if expected is not None else stated.total, True
        return expected if expected is not None else reply.length, False

    def _head(self, reply: Reply, body: "_Body", start: int) -> bytes:
        """The first bytes; refused where they are a page's, before anything that is here is given up."""
        head = b""
        while len(head) < _HEAD_BYTES and (chunk := body.read(None)):
            head += chunk
        if self._content.refuses(b"" if start else head, announced=reply.is_page):
            text = " ".join(head[:200].decode("utf-8", "replace").split())
            raise Again(f"expected the file, found a page with status {reply.status}: {text!r}", ended=body.drained())
        return head

    @staticmethod
    def _refuse_short(reply: Reply, body: "_Body", expected: int | None) -> None:
        """A body that cannot be the whole file; nothing that is here is given up for it."""
        least = max(expected or 0, 1)
        if reply.length is not None and reply.length < least:
            raise Again(f"expected {least} bytes, the service announces {reply.length}", ended=body.drained())


class _Body:
    """Reads a body under the stall rule."""

    def __init__(self, reply: Reply, pace: Pace, chunk_bytes: int) -> None:
        self._reply = reply
        self._pace = pace
        self._chunk_bytes = chunk_bytes
        self._waited_s = 0.0
        self._came = 0

    def read(self, most: int | None) -> bytes:
        """What has arrived; b"" at the end. Only waiting counts against the service, not our own writing."""
        began = time.monotonic()
        chunk = self._reply.read1(self._chunk_bytes if most is None else min(most, self._chunk_bytes))
        self._waited_s += time.monotonic() - began
        self._came += len(chunk)
        if self._waited_s >= self._pace.stall_window_s:
            if chunk and self._came < self._pace.stall_bytes:
                raise Again(
                    f"stalled: expected at least {self._pace.stall_bytes} bytes within "
                    f"{self._pace.stall_window_s:g} s, found {self._came}"
                )
            self._waited_s, self._came = 0.0, 0
        return chunk

    def end(self) -> None:
        """Read what should be nothing, so that the connection ends properly.

        Raises:
            Again: there is more than a little; the connection is broken off.
        """
        if not self.drained():
            raise Again("the body has more bytes than the file")

    def drained(self) -> bool:
        """Whether little enough was left to read it to its end.

        Raises:
            Again: it trickles.
        """
        left = 0
        while left < _EXCESS_BYTES and (chunk := self.read(_EXCESS_BYTES)):
            left += len(chunk)
        return left < _EXCESS_BYTES
