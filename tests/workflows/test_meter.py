"""How far a download is, how fast it goes and how long it will take."""

import pytest

from workflows.meter import Meter, Reading, Totals, clock_text

MB = 1_000_000


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class TestMeter:
    """The meter"""

    def test_tells_speed_and_remaining_time(self, clock: Clock) -> None:
        meter = Meter(clock)
        meter.read(0, 100 * MB)
        clock.now += 10
        reading = meter.read(20 * MB, 100 * MB)
        assert reading == Reading(done=20 * MB, total=100 * MB, bytes_s=2 * MB)
        assert reading is not None
        assert (reading.percent, reading.remaining_s) == (20, 40)

    def test_counts_what_an_earlier_run_left_but_not_as_speed(self, clock: Clock) -> None:
        meter = Meter(clock)
        first = meter.read(50 * MB, 100 * MB)
        assert first is not None
        assert (first.percent, first.bytes_s) == (50, None)
        clock.now += 5
        second = meter.read(60 * MB, 100 * MB)
        assert second is not None
        assert second.bytes_s == 2 * MB

    def test_is_read_once_a_second_and_at_the_end(self, clock: Clock) -> None:
        meter = Meter(clock)
        assert meter.read(0, 10) is not None
        clock.now += 0.5
        assert meter.read(5, 10) is None
        assert meter.read(10, 10) is not None

    def test_forgets_a_stall_that_is_long_over(self, clock: Clock) -> None:
        meter = Meter(clock)
        meter.read(0, 1000 * MB)
        clock.now += 300
        for step in range(1, 41):
            clock.now += 1
            reading = meter.read(step * MB, 1000 * MB)
        assert reading is not None
        assert reading.bytes_s == pytest.approx(MB)

    def test_begins_anew_where_the_download_does(self, clock: Clock) -> None:
        meter = Meter(clock)
        meter.read(50 * MB, 100 * MB)
        clock.now += 10
        again = meter.read(0, 100 * MB)
        assert again is not None
        assert again.bytes_s is None


class TestReading:
    """A reading is told to a person"""

    @pytest.mark.parametrize(
        ("done", "total", "speed", "text"),
        [
            (412 * MB, 1100 * MB, 18.2 * MB, "412 of 1100 MB, 18.2 MB/s, 0:38 left"),
            (1_234_567, 9 * MB, None, "1.2 of 9.0 MB"),
            (3 * MB, 0, 2 * MB, "3.0 MB, 2.0 MB/s"),
            (2_100 * MB, 12_300 * MB, MB, "2.1 of 12.3 GB, 1.0 MB/s, 2:50:00 left"),
            (9 * MB, 9 * MB, MB, "9.0 of 9.0 MB, 1.0 MB/s"),
        ],
    )
    def test_in_units_of_his(self, done: int, total: int, speed: float | None, text: str) -> None:
        assert Reading(done=done, total=total, bytes_s=speed).text == text

    def test_with_no_share_where_the_total_is_unknown(self) -> None:
        reading = Reading(done=5, total=0, bytes_s=1.0)
        assert (reading.percent, reading.remaining_s) == (0, None)

    @pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3725, "1:02:05")])
    def test_and_its_time_as_a_clock_shows_it(self, seconds: float, text: str) -> None:
        assert clock_text(seconds) == text


class TestTotals:
    """What all fetches of a command brought"""

    def test_counts_bytes_once_and_time_that_ran_side_by_side_once(self) -> None:
        totals = Totals()
        totals.add("S2A", 4_000_000, 10, 20)
        totals.add("S2B", 5_000_000, 15, 22)
        totals.add("S2A", 6_000_000, 100, 103)
        assert (totals.size, totals.seconds, totals.products) == (15_000_000, 15, {"S2A", "S2B"})
        assert totals.text == "15.0 MB in 15.0 s, 1.0 MB/s"

    def test_passes_over_who_found_all_in_its_place(self) -> None:
        totals = Totals()
        totals.add("S2A", 0, 10, 20)
        assert totals.products == frozenset()
        assert totals.text == "0.0 MB in 0.0 s"
