"""How long a run will still take: learned from its own tasks, told from a third of the way on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from itertools import pairwise
from math import exp, log

from workflows.meter import clock_text

TOLD_FROM = 1 / 3
"""Share of the whole run that must lie behind before anything is told."""

MACHINES = 0.7
"""How machines differ in speed from the one that costs were measured on: standard deviation of the logarithm."""

TASKS = 0.4
"""How tasks of one kind differ in time for the same cost, the same measure."""

SECONDS = 0.3
"""What else differs for a kind that has cost a second in all, the same measure; it falls with the root of the cost."""

HELP = 0.8
"""Of a core that others leave idle, how much serves a task that can use it: 10 m bands of a tile of 30 megapixels took
66 s with two cores, 120 with one; at 20 m 36 and 63."""

LEAST_LEFT = 0.02
"""A running task takes at least this share of its time from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A task that is still to come."""

    kind: str
    """Class of the task: "MaskScene"."""

    label: str
    """What it does, for a person: "MaskScene S2A_…"; empty where that is not known yet."""

    cost_s: float
    """What it takes on the machine that costs were measured on, s."""

    stage: int
    """Tasks of a later stage wait for all of an earlier one."""

    doubt: float = 0.3
    """How far its kind as a whole may be off its cost, by what scenes show: standard deviation of the logarithm."""

    loads_s: float = 0.0
    """What the first of its kind takes besides, to load what it computes with, s on that machine."""

    threads: int = 1
    """Cores that it uses at once where other tasks leave them idle."""

    fetches: bool = False
    """Whether it needs one of the connections to a service."""

    curve: tuple[tuple[float, float], ...] = ()
    """Points between its begin and its end: to which share it says that it is done, 0-1, and which share of its time
    has passed then; ascending. Empty: both are the same."""

    def passed(self, share: float) -> float:
        """Share of its time that has passed when it says that it is done to a share, 0-1."""
        for (low, passed_low), (high, passed_high) in pairwise(((0.0, 0.0), *self.curve, (1.0, 1.0))):
            if share <= high:
                return passed_low + (passed_high - passed_low) * (share - low) / (high - low)
        return 1.0


@dataclass(slots=True, kw_only=True)
class _Running:
    """A task that has begun."""

    planned: Planned
    began: float
    loads_s: float
    passed: float = 0.0
    looked: float = 0.0
    """When it last told how far it is; before that, when it began."""


class Estimate:
    """Predicts the end of a run from what was planned, what is running and what is done.

    Times are seconds from any start. Costs of kinds that were not met yet are scaled by how fast the others went.
    """

    def __init__(self, workers: int = 1) -> None:
        """Nothing is planned yet.

        Args:
            workers: tasks that run at once.
        """
        self.workers = workers
        self.cores = workers
        """Cores that all of them have."""
        self.connections = workers
        """Fetches that run at once."""
        self._to_come: list[Planned] = []
        self._running: dict[str, _Running] = {}
        self._cost: dict[str, float] = defaultdict(float)
        self._took: dict[str, float] = defaultdict(float)
        self._tasks: dict[str, int] = defaultdict(int)
        self._doubt: dict[str, float] = defaultdict(lambda: 1.0)
        self._started: float | None = None

    def plan(self, tasks: Iterable[Planned]) -> None:
        """Say what is still to come, the running ones too; what was planned before is forgotten."""
        self._to_come = [task for task in tasks if task.label not in self._running]

    def began(self, label: str, kind: str, now: float) -> None:
        """A task begins; again after each thing that it waited for."""
        self._started = now if self._started is None else self._started
        before = self._running.pop(label, None)
        planned = before.planned if before is not None else self._take(label, kind)
        first = not self._tasks[kind] and not any(one.planned.kind == kind for one in self._running.values())
        loads_s = planned.loads_s if first else 0.0
        self._doubt[kind] = planned.doubt
        self._running[label] = _Running(planned=planned, began=now, loads_s=loads_s, looked=now)

    def share(self, label: str, share: float, now: float) -> None:
        """A running task tells how far it is, 0-1."""
        one = self._running.get(label)
        if one is not None:
            one.passed, one.looked = one.planned.passed(share), now

    def waits(self, label: str) -> None:
        """A task waits for others, and will begin again."""
        one = self._running.pop(label, None)
        if one is not None:
            self._to_come.append(one.planned)

    def done(self, label: str, now: float) -> None:
        """A task is done; one that never began here was done by others or before."""
        one = self._running.pop(label, None)
        if one is None:
            self._take(label, "")
            return
        kind = one.planned.kind
        self._to_come = [task for task in self._to_come if task.stage >= one.planned.stage]  # it waited for all of them
        self._tasks[kind] += 1
        self._cost[kind] += one.planned.cost_s + one.loads_s
        self._took[kind] += now - one.began

    def remaining_s(self, now: float) -> float:
        """Time from now to the end of the run, s."""
        speeds = self._speeds()
        left = 0.0
        stages = {task.stage for task in self._to_come} | {one.planned.stage for one in self._running.values()}
        for stage in sorted(stages):
            busy = [one for one in self._running.values() if one.planned.stage == stage]
            waiting = [task for task in self._to_come if task.stage == stage]
            fetches = [one for one in busy if one.planned.fetches], [task for task in waiting if task.fetches]
            left += max(
                self._makespan(busy, waiting, self.workers, speeds, now),
                self._makespan(*fetches, min(self.workers, self.connections), speeds, now),
            )
        return left

    def text(self, now: float) -> str:
        """For a person: "2:10 left"; empty before a third of the run lies behind."""
        if self._started is None or not (self._to_come or self._running):
            return ""
        remaining, elapsed = self.remaining_s(now), now - self._started
        return f"{clock_text(remaining)} left" if elapsed >= TOLD_FROM * (elapsed + remaining) else ""

    def _take(self, label: str, kind: str) -> Planned:
        """The planned task that this is: by its name, else the next of its kind; one that nobody planned costs as
        much as others of its kind on average."""
        for matches in (lambda task: task.label == label, lambda task: not task.label and task.kind == kind):
            found = next((task for task in self._to_come if matches(task)), None)
            if found is not None:
                self._to_come.remove(found)
                return found
        cost_s = self._cost[kind] / self._tasks[kind] if self._tasks[kind] else 0.0
        return Planned(kind=kind, label=label, cost_s=cost_s, stage=0)

    def _speeds(self) -> Mapping[str, float]:
        """Seconds here for a second of cost, by kind."""
        cost, took, tasks = dict(self._cost), dict(self._took), dict(self._tasks)
        for one in self._running.values():  # what is half done tells as much as half a task
            if one.passed > 0:
                kind = one.planned.kind
                cost[kind] = cost.get(kind, 0.0) + one.planned.cost_s * one.passed + one.loads_s
                took[kind] = took.get(kind, 0.0) + one.looked - one.began
                tasks[kind] = tasks.get(kind, 0) + 1
        machine = self._speed_of_the_machine(cost, took)
        planned: dict[str, list[float]] = defaultdict(list)
        for task in (*self._to_come, *(one.planned for one in self._running.values())):
            planned[task.kind].append(task.cost_s)
            self._doubt[task.kind] = task.doubt
        speeds = {}
        for kind, costs in planned.items():
            belief = (TASKS / self._doubt[kind]) ** 2 * sum(costs) / len(costs) or 1.0
            speeds[kind] = (took.get(kind, 0.0) + belief * machine) / (cost.get(kind, 0.0) + belief)
        return speeds

    def _speed_of_the_machine(self, cost: Mapping[str, float], took: Mapping[str, float]) -> float:
        """Seconds here for a second of cost: kinds whose time depends on little else say most about it."""
        weights = {
            kind: 1 / (self._doubt[kind] ** 2 + SECONDS**2 / cost[kind])
            for kind in cost
            if cost[kind] > 0 and took[kind] > 0
        }
        known = sum(weight * log(took[kind] / cost[kind]) for kind, weight in weights.items())
        return exp(known / (sum(weights.values()) + 1 / MACHINES**2))

    def _left(self, one: _Running, speeds: Mapping[str, float], now: float) -> float:
        """Time that a running task still takes, s."""
        cost_s, speed = one.planned.cost_s, speeds[one.planned.kind]
        if one.passed > 0:  # the further it is, the more it counts by itself
            own = (one.looked - one.began) / (cost_s * one.passed + one.loads_s) if cost_s else speed
            speed += one.passed * (own - speed)
        loads = one.loads_s * speed if one.passed == 0 else 0.0
        return max(cost_s * speed * (1 - one.passed) + loads - (now - one.looked), LEAST_LEFT * cost_s * speed)

    def _makespan(
        self,
        busy: Iterable[_Running],
        waiting: Iterable[Planned],
        at_once: int,
        speeds: Mapping[str, float],
        now: float,
    ) -> float:
        """When the last of some tasks is done, s from now: long ones first, as soon as there is room."""
        busy, waiting = list(busy), list(waiting)
        lasting = sorted(self._left(one, speeds, now) for one in busy)
        free = lasting[-at_once:] + [0.0] * max(0, at_once - len(lasting))
        heapify(free)
        for took in sorted((task.cost_s * speeds[task.kind] for task in waiting), reverse=True):
            heapreplace(free, free[0] + took)
        threads = min((task.threads for task in (*(one.planned for one in busy), *waiting)), default=1)
        return _helped(sorted(free), threads, self.cores)


def pace(threads: int, cores: float) -> float:
    """How much faster a task is that may use several cores than on one.

    Args:
        threads: cores that it uses at most.
        cores: how many there are for it.
    """
    return 1 + HELP * (max(1.0, min(threads, cores)) - 1)


def _helped(ends: Sequence[float], threads: int, cores: int) -> float:
    """When the last is done if those that still run use the cores of those that are done.

    Args:
        ends: when each process would be done if all were busy, ascending, s from now.
        threads: cores that a task uses at most.
        cores: how many there are for all.
    """
    last = ends[0] if ends else 0.0
    for done, (before, after) in enumerate(pairwise(ends), 1):
        helped = pace(threads, cores / (len(ends) - done)) / pace(threads, cores / len(ends))
        last += (after - before) / helped
    return last
