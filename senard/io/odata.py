"""The OData catalogue of the Copernicus Data Space Ecosystem (protocols §2)."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from senard.errors import TransientError
from senard.io.found_products import Period, find
from senard.io.http import Http
from senard.io.odata_filter import Question, count_url, named, names_url, questions, search_url
from senard.io.odata_products import Entry, Page, read_page
from senard.io.refusals import PassingRefusal
from senard.io.replies import SilentError
from senard.io.retries import LONGEST_PAUSE_S, pause_s, retrying
from senard.model.access import Access
from senard.model.request import MosaicRequest
from senard.model.scene import QueriedScene, Sentinel2Scene

LOGGER = logging.getLogger("senard")

REACH = 10_000
"""The catalogue names no further pages from here on: a longer answer is asked for in shorter periods."""

LONGEST_PERIOD = timedelta(days=31)
"""Of one question: open windows run into time-outs at the service."""

LIGHT_PERIOD = timedelta(days=1)
"""Shorter ones are no lighter questions."""

SHORTEST_PERIOD = timedelta(seconds=1)
"""Shorter ones are not cut: a datatake has one start."""

NAMES_AT_ONCE = 20
"""Names that are posted together: what clients are known to send."""

_TRIES = 3
"""Questions of a period that cannot be cut, while the catalogue changes."""

_WHAT = "The catalogue search"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What one pass over the pages of an answer met."""

    entries: dict[str, Entry]
    """By id."""

    whole: bool
    """True if nothing can have been lost: count before = entries met = count after."""


class ODataCatalogue:
    """Searches by filter, in windows of time, and makes sure that nothing was lost on the way."""

    def __init__(
        self, access: Access, http: Http | None = None, *, today: date | None = None, page_size: int = 200
    ) -> None:
        """Nothing is asked yet.

        Args:
            access: address, collection and pace.
            http: asks; None: one of its own.
            today: UTC day, for what is still pending; None: the real one.
            page_size: entries of a page, 1-1000. An entry has some 10 kB.
        """
        self._address = access.addresses.search
        self._collection = access.collection
        self._pace = access.pace
        self._http = http if http is not None else Http(access.pace)
        self._once = http if http is not None else Http(replace(access.pace, retries=1))
        self._unanswered = 0  # questions in a row that may have been too heavy
        self._today = today
        self._page_size = page_size

    def search(self, request: MosaicRequest) -> Iterator[Sentinel2Scene | QueriedScene]:
        """Everything that may answer the request, see `senard.io.found_products.find`.

        Raises:
            TransientError: no answer, or it changes faster than it can be read.
            RequestError: the catalogue refuses the question.
        """
        return find(self, request, self._today or datetime.now(UTC).date())

    def matching(self, request: MosaicRequest, period: Period) -> Iterator[Sentinel2Scene | QueriedScene]:
        """Products around the request's ground, in windows of time."""
        entries: dict[str, Entry] = {}
        for question in questions(request, self._collection, self._address, period):
            for piece in period.pieces(LONGEST_PERIOD):
                entries |= self._within(question, piece)
        return (entry.product for entry in entries.values())

    def listed(self, product_ids: Sequence[str]) -> Iterator[Sentinel2Scene | QueriedScene]:
        """Products by name, in batches."""
        for start in range(0, len(product_ids), NAMES_AT_ONCE):
            names = [f"{product_id}.SAFE" for product_id in product_ids[start : start + NAMES_AT_ONCE]]
            for entry in self._named(names).values():
                yield entry.product

    def _within(self, question: Question, period: Period) -> dict[str, Entry]:
        """Every product of a period by its id: all that were there when it was asked, each once.

        Pages are places in a list that changes while it is read: what comes in pushes entries to the next page, where
        they are met twice, and what is withdrawn pulls them to a page that was read already, where they are lost. So
        the number of entries must be the same before and after, and be met. Else the period is halved, down to answers
        of one page, which no change can tear.
        """
        if period.length <= SHORTEST_PERIOD:
            return self._moment(question, period)
        reading = self._read(question, period)
        if reading is not None and reading.whole:
            return reading.entries
        first, second = period.halves()
        return self._within(question, first) | self._within(question, second)

    def _moment(self, question: Question, period: Period) -> dict[str, Entry]:
        """Every product of a period that cannot be cut: read until two readings agree."""
        entries: dict[str, Entry] | None = None
        for _ in range(_TRIES):
            reading = self._read(question, period)
            if reading is None:
                break
            if reading.whole:
                return reading.entries
            if entries is not None and entries.keys() == reading.entries.keys():
                LOGGER.warning(
                    "%s: counts other than the %d products that it names for %s; these are taken",
                    self._address, len(entries), period.start,
                )  # fmt: skip
                return entries
            entries = reading.entries
        raise TransientError(
            f"{self._address}: the products of {period.start:%Y-%m-%d %H:%M:%S} could not be read as a whole: there "
            f"are too many, or the catalogue changes. Run again later, or ask for a smaller area."
        )

    def _read(self, question: Question, period: Period) -> _Reading | None:
        """One reading of a period; None if there is more than can be read, or it may be too heavy a question."""
        failures = 0
        while True:
            try:
                return self._tried(question.filter(period), period)
            except TransientError as error:
                if not _may_be_too_heavy(error):
                    raise
                failures += 1
                self._unanswered += 1
                self._pause(error, period, max(failures, self._unanswered))
                if period.length > LIGHT_PERIOD:
                    return None  # the halves are lighter

    def _tried(self, filter_: str, period: Period) -> _Reading | None:
        """One reading, page by page, in one attempt; None if there is more than can be read."""
        entries: dict[str, Entry] = {}
        count, pages, met = 0, 0, 0
        for page in self.pages(search_url(self._address, filter_, self._page_size)):
            self._unanswered = 0
            pages += 1
            if pages == 1:
                count = page.count if page.count is not None else self._count(filter_)
                if count > REACH:
                    return None
            met += len(page.entries)
            entries |= {entry.uuid: entry for entry in page.entries}
        whole = met == count == len(entries) and (pages == 1 or self._count(filter_) == count)
        if not whole:
            LOGGER.info("the catalogue changes while it is read, or counts wrongly: asking again from %s", period.start)
        return _Reading(entries=entries, whole=whole)

    def _pause(self, error: TransientError, period: Period, failures: int) -> None:
        """Wait before the next question, which is a lighter one where there is any.

        Raises:
            TransientError: lighter ones were not answered either: the catalogue is down.
        """
        if failures >= self._pace.retries:
            raise TransientError(
                f"{self._address}: expected products, but {failures} questions in a row were not answered, the last "
                f"one for {period.length / timedelta(days=1):.1f} days from {period.start:%Y-%m-%d}: {error} If it "
                f"stays so, ask the other catalogue (--catalogue cdse-stac)."
            ) from error
        pause = pause_s(failures, self._pace, error)
        LOGGER.info("%s Question %d; the next one in %.1f s.", error, failures, pause)
        time.sleep(pause)

    def pages(self, url: str) -> Iterator[Page]:
        """Follow an answer from page to page; empty pages with a successor are passed.

        Raises:
            TransientError: a page leads back to itself.
        """
        asked = set()
        while url not in asked:
            asked.add(url)
            page = self._page(url)
            yield page
            if not page.next_query:
                return
            url = f"{self._address}/Products?{page.next_query}"
        raise TransientError(f"{self._address}: the pages of the answer run in a circle. Run again later.")

    def _page(self, url: str) -> Page:
        """One page; an answer in JSON that holds no products is an outage, and passes as others do.

        Raises:
            TransientError: no answer; at once where the question may be too heavy.
        """
        asking = retrying(self._pace, never=_may_be_too_heavy)
        return asking(lambda: read_page(self._once.get_json(url, what=_WHAT), self._address))

    def _count(self, filter_: str) -> int:
        """How many products there are now."""
        count = self._page(count_url(self._address, filter_)).count
        if count is None:
            raise TransientError(
                f"{self._address}: expected @odata.count, found none: nobody can tell whether the answer is whole. "
                f"Run again later, or ask the other catalogue (--catalogue cdse-stac)."
            )
        return count

    def _named(self, names: list[str]) -> Mapping[str, Entry]:
        body = {"FilterProducts": [{"Name": name} for name in names]}
        answer = self._http.post_json(names_url(self._address), body, what=_WHAT)
        if _lacks_attributes(answer):  # not every service expands a posted list
            url = search_url(self._address, named(names), 1000)
            pages = retrying(self._pace)(lambda: tuple(self.pages(url)))
            return {entry.uuid: entry for page in pages for entry in page.entries}
        return {entry.uuid: entry for entry in read_page(answer, self._address).entries}


def _may_be_too_heavy(error: BaseException) -> bool:
    """Whether the service thought about a question for too long: a shorter period may be answered."""
    if isinstance(error, PassingRefusal):
        return error.status == 504 and (error.retry_after_s or 0.0) <= LONGEST_PAUSE_S
    return isinstance(error, SilentError)


def _lacks_attributes(answer: Any) -> bool:
    values = answer.get("value", []) if isinstance(answer, Mapping) else answer
    return isinstance(values, list) and any(
        isinstance(value, Mapping) and "Attributes" not in value for value in values
    )
