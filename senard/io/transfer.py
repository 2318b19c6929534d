"""One file from the network: fetched beside its final name, resumed, verified, renamed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from senard.errors import PendingError, TransientError, UnusableSceneError
from senard.io.digests import FollowingDigest, digest_file, quickest
from senard.io.disk import require_room
from senard.io.http import Reply
from senard.io.incoming import Content, Incoming, StatedRange, UnfitRange
from senard.io.openers import Opener
from senard.io.part_file import PartFile, hold_part
from senard.io.patience import Again, Patience
from senard.io.refusals import Reaction
from senard.io.sources import Told, untold
from senard.model.access import Pace
from senard.model.remote import Checksum, ChecksumKind

__all__ = ["GoneError", "RemoteFile", "fetch_file"]

LOGGER = logging.getLogger("senard")

_ASK_AGAIN_S = 1800.0
"""Pause before asking again for what is being brought from tape, s."""

_PROGRESS_BYTES = 1 << 20
"""With an attempt that brought so much, or a hundredth of the file, counting starts anew."""

_NEVER_ABOUT_RANGE = (401, 407, 408, 425, 429)
"""Refusals that have nothing to do with which bytes were asked for."""


_MOST_REFUSED_TOKENS = 2
"""One may have expired on the way; where fresh ones are refused too, something else is wrong."""


class GoneError(UnusableSceneError):
    """The file is not there (status 404 or 410)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """What is fetched, and what its bytes must add up to."""

    what: str
    """For messages: "S2B_…: T31TCJ_…_B04_10m.jp2"."""

    open: Opener
    """Asks for it."""

    size_bytes: int = 0
    """Size, bytes; 0: unknown, what the reply states counts."""

    least_bytes: int = 0
    """A body of no stated length broke off if it has fewer, bytes; 0: unknown. A stated length counts all the same."""

    checksums: tuple[Checksum, ...] = ()
    """Of the whole file; the quickest of them is verified."""

    content: Content = Content.BINARY
    """What kind of file it is."""

    verify: Callable[[Path], None] | None = None
    """Looks into the file before it takes its final name; raises UnusableSceneError."""

    sound_bytes: Callable[[Path], int] | None = None
    """How many bytes from the start of a file that failed are good all the same: only the rest is fetched again."""


def fetch_file(file: RemoteFile, target: Path, pace: Pace, *, told: Told = untold) -> None:
    """Fetch a file into `target` by way of `target.part`, which survives kills and is resumed.

    Nothing is done where `target` is there. Another process that fetches the same file is waited for.

    Raises:
        TransientError: the far side failed as often as `pace.retries` allows, or its bytes are wrong twice.
        PendingError: it will be there later.
        GoneError: it is not there.
        UnusableSceneError: it is damaged at its source.
        StorageError: the disk is full or read-only.
        RequestError: a person must act: a password, a licence, a wrong kind of token.
    """
    with hold_part(target, file.what) as part:
        if part is not None:
            _Transfer(file, part, pace, told).run()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    """Why a file of the right length is not the one that was wanted."""

    reason: str
    """For a person."""

    digest: str
    """Checksum that it has, lower-case hex: tells whether a second copy is the same."""

    by_checksum: bool = False
    """The catalogue's checksum tells; nobody has looked into the file."""

    at_source: bool = False
    """The source itself has it so: the catalogue's checksum is right, or it came again as it was."""


class _Transfer:
    """One file into one `.part`."""

    def __init__(self, file: RemoteFile, part: PartFile, pace: Pace, told: Told) -> None:
        self._file = file
        self._part = part
        self._checksum = quickest(file.checksums)
        self._digest = FollowingDigest(self._checksum.kind) if self._checksum is not None else None
        self._incoming = Incoming(part, pace, self._digest, file.content, told)
        self._patience = Patience(file.what, pace)
        self._size: int | None = file.size_bytes or None
        self._best = part.size
        self._unfit_ranges = 0
        self._refused_tokens = 0
        self._plainly = False  # the next request goes without Range

    def run(self) -> None:
        """Fetch, verify, rename; what is wrong is fetched again."""
        try:
            self._trust_what_is_here()
            self._bring()
            fault = self._fault()
            if fault is not None:
                self._mend(fault)
            self._part.finish()
        finally:
            if self._digest is not None:
                self._digest.close()

    def _trust_what_is_here(self) -> None:
        """What an earlier process left: never more than the file has, nothing of more if nothing can be verified."""
        if self._size is not None and self._part.size > self._size:
            verifiable = self._checksum is not None or self._file.verify is not None
            self._part.cut(self._size if verifiable else 0)

    def _whole(self) -> bool:
        return self._size is not None and self._part.size == self._size

    def _bring(self) -> None:
        """Ask until every byte is here."""
        while not self._whole():
            try:
                self._attempt()
            except PendingError:
                raise
            except TransientError as error:
                self._count_progress()
                if not self._whole():
                    self._patience.failed(error, self._kept())

    def _count_progress(self) -> None:
        """Only bytes beyond all earlier ones count, so that a service that always starts anew is given up too."""
        enough = min(_PROGRESS_BYTES, max((self._size or 0) // 100, 1))
        if self._part.size >= self._best + enough:
            self._best = self._part.size
            self._refused_tokens = 0
            self._patience.progressed()

    def _kept(self) -> str:
        if not self._part.size:
            return "Nothing is here yet."
        return f"{self._part.size} of {self._size or 'an unknown number of'} bytes are kept in {self._part.path}."

    def _attempt(self) -> None:
        """Ask once."""
        start = 0 if self._plainly else self._part.size
        self._plainly = False
        require_room(self._file.what, self._part.path.parent, max((self._size or 0) - self._part.size, 0))
        trouble: Again | None = None
        with self._file.open({"Range": f"bytes={start}-"} if start else {}) as reply:
            if reply.status in (200, 206):
                trouble = self._take(reply, start)
        # Raised out here, what was read to its end does not count as broken off.
        if trouble is not None:
            raise trouble
        if reply.status not in (200, 206):
            self._judge(reply, start)

    def _take(self, reply: Reply, start: int) -> Again | None:
        """Write the body; what is wrong with one that was read to its end."""
        try:
            self._size = self._incoming.take(reply, start, self._size, least=self._file.least_bytes)
        except UnfitRange:
            self._unfit_ranges += 1
            self._plainly = self._unfit_ranges > 1
            raise
        except Again as trouble:
            if trouble.ended:
                return trouble
            raise
        if not self._whole():
            raise Again(f"the body ended at byte {self._part.size} of {self._size}")
        return None

    def _judge(self, reply: Reply, start: int) -> None:
        """What is neither the file nor a piece of it."""
        if reply.status == 202:
            raise PendingError(
                f"{self._file.what}: it is being brought from the archive (status 202). Ask again in half an hour, or "
                f"let senard do so with --wait.",
                again_in_s=reply.retry_after_s or _ASK_AGAIN_S,
            )
        if start and reply.status == 416:
            self._judge_end(reply)
            return
        refusal = reply.refusal(self._file.what)
        if start and 400 <= reply.status < 500 and reply.status not in _NEVER_ABOUT_RANGE:
            self._unfit_ranges += 1
            self._plainly = self._unfit_ranges > 1
            raise Again(f"{refusal} Once more{' without Range' * self._plainly}", at_once=True) from refusal
        if refusal.reaction is Reaction.GONE or reply.status == 410:
            raise GoneError(str(refusal)) from refusal
        if refusal.reaction is Reaction.NEW_TOKEN:
            self._refused_tokens += 1
            if self._refused_tokens <= _MOST_REFUSED_TOKENS:
                raise Again(str(refusal), at_once=True) from refusal
        raise refusal

    def _judge_end(self, reply: Reply) -> None:
        """Status 416: the file ends where our bytes end, or it is another one."""
        stated = StatedRange.parse(reply.headers.get("Content-Range", "")).total
        here = self._part.size
        if self._size is None and stated == here:
            self._size = stated
            return
        self._unfit_ranges += 1
        if stated is not None and stated == self._size and self._unfit_ranges == 1:
            raise Again(f"refused bytes from {here} of the {stated} that it states itself (status 416)")
        self._incoming.cut(0)
        raise Again(f"refused bytes from {here} (status 416): what was here is given up")

    def _fault(self) -> _Fault | None:
        """What is wrong with a file of the right length."""
        found = ""
        if self._checksum is not None and self._digest is not None:
            found = self._digest.hexdigest(self._part.path)
            if found != self._checksum.value.lower():
                reason = f"its {self._checksum.kind.value} is {found}, expected {self._checksum.value}"
                return _Fault(reason=reason, digest=found, by_checksum=True)
        damage = self._damage()
        if damage is None:
            return None
        digest = found or digest_file(self._part.path, ChecksumKind.BLAKE3)
        return _Fault(reason=damage, digest=digest, at_source=bool(found))

    def _damage(self) -> str | None:
        """What a look into the file finds."""
        if self._file.verify is None:
            return None
        try:
            self._file.verify(self._part.path)
        except UnusableSceneError as error:
            return str(error)
        return None

    def _mend(self, fault: _Fault) -> None:
        """Fetch again what may be wrong: first from its first wrong byte, then all of it.

        What comes again as it was is so at its source, and not asked for a third time.

        Raises:
            UnusableSceneError: the source has it so, and it is damaged.
            TransientError: the source has it so, and only the catalogue states otherwise; or no two copies are alike.
        """
        reason = fault.reason
        for start in (self._sound_bytes, lambda: 0):
            if fault.at_source or (kept := start()) is None:
                continue
            LOGGER.warning(
                "%s: %s; fetched again from byte %d of %d", self._file.what, fault.reason, kept, self._part.size
            )
            self._give_up_from(kept)
            self._bring()
            again = self._fault()
            if again is None:
                return
            fault = again if again.digest != fault.digest else replace(again, at_source=True)
        raise self._given_up(reason, fault)

    def _sound_bytes(self) -> int | None:
        """How much of it is sound; None if nothing tells."""
        sound = self._file.sound_bytes(self._part.path) if self._file.sound_bytes is not None else 0
        return sound if 0 < sound < self._part.size else None

    def _give_up_from(self, size: int) -> None:
        """Keep so many bytes; what only the last reply said of the size is forgotten with the rest."""
        self._incoming.cut(size)
        self._best = size
        self._size = self._file.size_bytes or None

    def _given_up(self, first: str, fault: _Fault) -> UnusableSceneError | TransientError:
        """What to raise of a file that was fetched again and is wrong all the same.

        Args:
            first: what was wrong with it at first.
            fault: what is wrong with it now.
        """
        if not fault.at_source:
            self._part.discard()
            return TransientError(
                f"{self._file.what}: two copies differ and both are wrong: {first.rstrip('.')}. Second copy: "
                f"{fault.reason.rstrip('.')}. Both are deleted. Run again later, or name another source in --sources."
            )
        damage = self._damage() if fault.by_checksum else fault.reason
        if damage is not None:
            self._part.discard()
            return UnusableSceneError(
                f"{self._file.what}: it arrived as the source has it, and is damaged there: {damage} It is deleted. "
                f"Name another source in --sources, or leave it out."
            )
        twice = f"{self._file.what}: {fault.reason}; it came twice so"
        again = "Run again later, or name another source in --sources."
        if self._file.sound_bytes is None:
            self._part.discard()
            return TransientError(f"{twice}. Both copies are deleted. {again}")
        return TransientError(
            f"{twice}, and every file in it is whole: the catalogue is wrong. It is kept as {self._part.path}, unused, "
            f"and taken if the catalogue states what it is one day; delete it to have all of it fetched anew. {again}"
        )
