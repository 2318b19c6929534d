"""Several sources as one: each product comes from the first that has it."""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from senard.errors import (
    AccountError,
    PendingError,
    RequestError,
    SenardError,
    StorageError,
    TransientError,
    UnusableSceneError,
)
from senard.io.refusals import Refusal
from senard.io.sources import Source, Told, untold
from senard.model.access import SourceName
from senard.model.product import Part
from senard.model.scene import Sentinel2Scene

LOGGER = logging.getLogger("senard")

SourceBuilder = Callable[[], Source]
"""Makes a source when it is first used: its credentials are asked for no earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """Why one source did not bring a product."""

    name: SourceName
    """Who was asked."""

    error: SenardError
    """What it said."""

    @property
    def line(self) -> str:
        """Name and reason on one line."""
        return f"{self.name.value}: {' '.join(str(self.error).split())}"


class Chain:
    """Sources in the user's order; each is built, and asked for its credentials, only when it is used.

    A source that has not the product, has it only later, or fails after its own attempts, hands over to the next. The
    first remote source is the one that the user relies on: if it wants something of a person (an account, a licence),
    the run stops there, or every product would come from a fallback unnoticed. What a fallback wants is told with the
    other reasons, if nobody brings the product. A disk that is full stops the run whoever was asked.
    """

    def __init__(
        self,
        sources: Sequence[tuple[SourceName, SourceBuilder]],
        *,
        refusing: Mapping[SourceName, str] | None = None,
    ) -> None:
        """Name the sources.

        Args:
            sources: name and builder of each, in the order in which they are tried.
            refusing: sources that have refused whoever asks, and in which words: they are not asked again.

        Raises:
            RequestError: there is none.
        """
        if not sources:
            raise RequestError("there is no source of products. Name at least one with --sources, or give --archive.")
        self._sources = tuple(sources)
        self._refusing = dict(refusing or {})
        self._built: dict[SourceName, Source] = {}
        remote = [name for name, _ in self._sources if name is not SourceName.LOCAL]
        self._relied_on = remote[0] if remote else SourceName.LOCAL

    @property
    def names(self) -> tuple[SourceName, ...]:
        """Who is tried, in this order."""
        return tuple(name for name, _ in self._sources)

    def fetch(self, scene: Sentinel2Scene, part: Part, into: Path, *, told: Told = untold) -> None:
        """Bring the product from the first source that has it.

        Raises:
            PendingError: nobody has it yet, somebody will; the shortest pause of those that said so.
            TransientError: nobody brought it, and at least one may, if it is asked again.
            RequestError: nobody brought it, and a person could change that; or the first remote source wants something
                of a person; or the disk is full. An AccountError, with the name of the source, where that source would
                refuse every other product alike.
            UnusableSceneError: nobody has it.
        """
        refusals: list[_Refusal] = []
        for name, build in self._sources:
            try:
                self._source(name, build).fetch(scene, part, into, told=told)
            except StorageError:
                raise
            except (UnusableSceneError, TransientError, RequestError) as error:
                if isinstance(error, RequestError) and name is self._relied_on:
                    raise _of_account(error, name) from error
                refusals.append(_Refusal(name=name, error=error))
                _empty(into)
                continue
            if refusals:
                reasons = "; ".join(refusal.line for refusal in refusals)
                LOGGER.info("%s: from %s, as it did not come from %s", scene.product_id, name.value, reasons)
            return
        raise _verdict(scene, refusals)

    def _source(self, name: SourceName, build: SourceBuilder) -> Source:
        if name in self._refusing:
            raise AccountError(self._refusing[name])
        if name not in self._built:
            try:
                self._built[name] = build()
            except RequestError as error:  # an account that is not found is found for no product
                raise AccountError(str(error)) from error
        return self._built[name]


def _of_account(error: RequestError, name: SourceName) -> RequestError:
    """The error, with the name of the source where it concerns all products alike."""
    concerns_all = isinstance(error, AccountError) or (isinstance(error, Refusal) and error.of_account)
    return AccountError(str(error), source=name.value) if concerns_all else error


def _empty(folder: Path) -> None:
    """Take out what a source left: the next one gets an empty folder."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _verdict(scene: Sentinel2Scene, refusals: Sequence[_Refusal]) -> SenardError:
    """One error for all that was said: the kind that leaves most hope, with every reason."""
    errors = [refusal.error for refusal in refusals]
    if len(errors) == 1:
        return errors[0]
    lines = "".join(f"\n  {refusal.line}" for refusal in refusals)
    pending = [error.again_in_s for error in errors if isinstance(error, PendingError)]
    if pending:
        return PendingError(
            f"{scene.product_id} is not to be had yet: expected it from one of {len(errors)} sources, found:{lines}\n"
            f"Ask again in {round(min(pending) / 60)} min, or let senard do so with --wait.",
            again_in_s=min(pending),
        )
    if any(isinstance(error, TransientError) for error in errors):
        return TransientError(
            f"{scene.product_id} did not come from any of {len(errors)} sources:{lines}\nRun again later: at least one "
            f"of them may have recovered."
        )
    wanted = next((refusal for refusal in refusals if isinstance(refusal.error, RequestError)), None)
    if wanted is not None:
        return RequestError(
            f"{scene.product_id} did not come from any of {len(errors)} sources:{lines}\nGive {wanted.name.value} what "
            f"it wants, or take it out of --sources: the product is then left out."
        )
    reasons = "; ".join(refusal.line for refusal in refusals)  # on one line: it becomes a cell of scenes.csv
    return UnusableSceneError(
        f"{scene.product_id} is with none of {len(errors)} sources: {reasons}", product_id=scene.product_id
    )
