"""How Luigi runs our tasks: soon again after what passes, at once no more after what a person must change."""

import contextlib
import json
import logging
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import luigi
import luigi.configuration
import luigi.rpc
import luigi.scheduler
import luigi.worker
from luigi.task_status import DISABLED, DONE, FAILED

from workflows.failures import Failure
from workflows.gauge import available_cores
from workflows.progress import Display
from workflows.refusing import remember_refusing

LOGGER = logging.getLogger("senard")

RETRIES = 3
"""Runs of one task before it is given up; set on each task, so that luigid needs no configuration."""

LOOK_EVERY_S = 1.0
"""Pause between two looks of an idle worker at what others have found to do, s."""

KNOCKS = 5
"""Attempts to reach luigid, a second apart, before a run begins: it may still be starting."""

RETRY_DELAY_S = 5.0
"""Pause before a task that failed runs again, s, unless `[senard.worker] retry_delay` of luigi.cfg says otherwise."""

DEFAULTS: tuple[tuple[str, str, str], ...] = (
    ("core", "no_lock", "true"),  # results appear whole: two equal commands share the work instead of refusing it
    ("worker", "keep_alive", "true"),  # another worker may still give up what this one could do
    ("worker", "wait_interval", "0.5"),
    ("worker", "wait_jitter", "0.5"),
    ("worker", "max_reschedules", "10"),
    ("worker", "check_complete_on_run", "true"),  # judge by what lies on disk
    ("worker", "send_failure_email", "false"),
)
"""Luigi's settings that a mosaic needs where luigi.cfg does not name them: it runs from any folder."""


def apply_defaults() -> None:
    """Set what luigi.cfg leaves open."""
    config = luigi.configuration.get_config()
    for section, option, value in DEFAULTS:
        if not config.has_option(section, option):
            config.set(section, option, value)


class MosaicWorker(luigi.worker.Worker):
    """Luigi's worker with four habits of its own.

    - A task that failed for a passing reason is tried again after `RETRY_DELAY_S`, whatever luigid's own delay (900 s).
    - A task that waits for something is put up again after the pause that it asks for, as often as it asks: the
      scheduler keeps it as disabled until then, so that nobody runs it earlier, and no process sleeps for it.
    - A task that failed for good stops at once, and a later command may try it again at once; luigid alone would lock
      it away for a day.
    - It stays as long as another worker runs something that this one's mosaic needs, and takes part in it. Luigi gives
      what a running task asks for to the worker of that task alone: an idle worker therefore lets its own mosaic ask.
    """

    display: Display | None = None

    root: Any = None
    """What the command was typed for; hears of the tasks that this process starts."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.failures: dict[str, Failure] = {}
        self._due: dict[str, float] = {}
        self._awaited: dict[str, float] = {}
        self._tries: Counter[str] = Counter()
        self._look_at = self._ask_at = 0.0
        self._waits = False
        config = luigi.configuration.get_config()
        self._delay_s = config.getfloat("senard.worker", "retry_delay", RETRY_DELAY_S)

    @cached_property
    def _given_up(self) -> set[str]:
        """What earlier commands gave up; asked once, for asking about each task would double what luigid has to do."""
        return set(self._scheduler.task_list(DISABLED, "", limit=False))

    def run(self) -> bool:
        """Run until nothing is left to do, then learn why others failed."""
        succeeded = bool(super().run())
        self._learn_of_others()
        return succeeded

    def _add_task(self, *args: Any, **kwargs: Any) -> None:
        task_id, status = kwargs["task_id"], kwargs["status"]
        if task_id in self._given_up:
            self._given_up.discard(task_id)
            self._scheduler.re_enable_task(task_id)  # a new command is a new chance
        super()._add_task(*args, **kwargs)
        if status == FAILED:
            self._failed(task_id, kwargs)
        elif status == DONE:
            self.failures.pop(task_id, None)
        fresh = task_id in self._running_tasks
        if fresh and status != DONE and self.display is not None:
            self.display.wait(getattr(self._scheduled_tasks.get(task_id), "label", task_id))
        self._show(task_id, status, fresh=fresh)
        if status == DONE and fresh:
            getattr(self.root, "task_ends", _ignore)(self._scheduled_tasks[task_id])

    def _failed(self, task_id: str, kwargs: dict[str, Any]) -> None:
        """Remember why, and decide whether to try again."""
        failure = _failure(kwargs.get("expl"))
        self.failures[task_id] = failure
        if failure.source:
            remember_refusing(failure.source, failure.message)
        if failure.pause_s is not None:
            self._awaited[task_id] = time.monotonic() + failure.pause_s
        elif failure.again and (tries := self._tries[task_id] + 1) < RETRIES:
            self._tries[task_id] = tries
            self._due[task_id] = time.monotonic() + self._delay_s
            return
        kwargs.update(status=DISABLED, runnable=False)
        self._scheduler.add_task(**{key: value for key, value in kwargs.items() if value is not None})

    def _create_task_process(self, task: luigi.Task) -> Any:
        """A task that computes in a process of its own has from this one what it computes with."""
        getattr(self.root, "task_begins", _ignore)(task)
        if self.display is not None:
            self.display.begin(getattr(task, "label", task.task_id), task.task_family)
        process = super()._create_task_process(task)
        if process.use_multiprocessing and getattr(task, "computes", False):
            from senard.steps.load_kernels import load_kernels

            load_kernels()
        return process

    def _handle_next_task(self) -> Any:
        if self.display is not None:
            self.display.listen()
        return super()._handle_next_task()

    def _get_work(self) -> Any:
        if self.display is not None:
            self.display.listen()
        now = time.monotonic()
        for task_id in [task_id for task_id, due in self._awaited.items() if due <= now]:
            del self._awaited[task_id]
            self._scheduler.re_enable_task(task_id)
            self.add(self._scheduled_tasks[task_id])
        for task_id in [task_id for task_id, due in self._due.items() if due <= now]:
            del self._due[task_id]
            self._scheduler.forgive_failures(task_id)
        response = super()._get_work()
        if response.task_id is None and now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            self._look_around()
        return response

    def _look_around(self) -> None:
        """Put the root task up again: run anew, it asks for what is missing now, and this worker may do that too.

        Not after a failure, which would be asked for again and again; not without luigid, where nobody else works.
        """
        root = self._scheduled_tasks.get(self._first_task)
        shared = isinstance(self._scheduler, luigi.rpc.RemoteScheduler)
        if shared and root is not None and not self.failures and self._first_task not in self._running_tasks:
            self.add(root)

    def _keep_alive(self, get_work_response: Any) -> bool:
        waiting = bool(self._awaited or get_work_response.running_tasks)
        return waiting or bool(super()._keep_alive(get_work_response)) or self._others_wait()

    def _others_wait(self) -> bool:
        """Whether another worker waits for something that this one's mosaic needs; asked now and then."""
        now = time.monotonic()
        shared = isinstance(self._scheduler, luigi.rpc.RemoteScheduler)
        if shared and now >= self._ask_at:
            self._ask_at = now + LOOK_EVERY_S
            awaited = self._scheduler.task_list(DISABLED, "", limit=False).keys() & self._scheduled_tasks.keys()
            errors = (_failure(self._scheduler.fetch_error(task_id).get("error")) for task_id in awaited)
            self._waits = any(failure.pause_s is not None for failure in errors)
        return self._waits

    def _log_complete_error(self, task: luigi.Task, tb: str) -> None:
        self._cannot_schedule(task, tb)
        super()._log_complete_error(task, tb)

    def _log_dependency_error(self, task: luigi.Task, tb: str) -> None:
        self._cannot_schedule(task, tb)
        super()._log_dependency_error(task, tb)

    def _cannot_schedule(self, task: luigi.Task, traceback: str) -> None:
        """A task could not even be looked at: the last line of the traceback says why."""
        kind, _, message = traceback.strip().splitlines()[-1].partition(": ")
        name = kind.rpartition(".")[2]
        self.failures[task.task_id] = Failure(kind=name, message=message or name)

    def _learn_of_others(self) -> None:
        """Ask the scheduler why tasks of this mosaic failed in other workers."""
        for status in (FAILED, DISABLED):
            for task_id in self._scheduler.task_list(status, "", limit=False):
                if task_id in self._scheduled_tasks and task_id not in self.failures:
                    self.failures[task_id] = _failure(self._scheduler.fetch_error(task_id).get("error"))

    def _show(self, task_id: str, status: str, *, fresh: bool) -> None:
        """Let the display follow."""
        if self.display is None:
            return
        task = self._scheduled_tasks.get(task_id)
        label = getattr(task, "label", task_id)
        if status == DONE:
            self.display.finish(task_id, label, fresh=fresh)
        elif status == FAILED:
            failure = self.failures[task_id]
            if task_id in self._awaited:
                self.display.fail(label, failure.message, again_in_s=failure.pause_s)
            elif failure.again and task_id in self._due:
                self.display.fail(label, failure.message)
        else:
            self.display.add(task_id)
            self.display.expect(label, getattr(task, "expected_bytes", 0))


class MosaicFactory:
    """What Luigi asks for a scheduler and a worker; remembers the worker, so that its failures can be told."""

    def __init__(self, display: Display | None = None) -> None:
        self.display = display
        self.root: luigi.Task | None = None
        self.worker: MosaicWorker | None = None
        self.budgets: Mapping[str, int] = {}

    def create_local_scheduler(self) -> luigi.scheduler.Scheduler:
        """A scheduler inside this process."""
        return luigi.scheduler.Scheduler(prune_on_get_work=True, record_task_history=False)

    def create_remote_scheduler(self, url: str) -> luigi.rpc.RemoteScheduler:
        """The door to luigid.

        Raises:
            luigi.rpc.RPCError: if nobody answers within some seconds; Luigi itself would knock for minutes.
        """
        _knock(url)
        return luigi.rpc.RemoteScheduler(url)

    def create_worker(self, scheduler: Any, worker_processes: int, assistant: bool = False) -> MosaicWorker:
        """A worker with our habits."""
        self.worker = MosaicWorker(scheduler=scheduler, worker_processes=worker_processes, assistant=assistant)
        self.worker.display, self.worker.root = self.display, self.root
        estimate = getattr(self.root, "estimate", None)
        if estimate is not None and self.display is not None:
            estimate.workers, estimate.cores = worker_processes, available_cores()
            self.display.estimate = estimate
        announce(scheduler, self.budgets)
        return self.worker


def _ignore(task: luigi.Task) -> None:
    """For roots that do not listen."""


def announce(scheduler: Any, budgets: Mapping[str, int]) -> None:
    """Tell the scheduler how many fetches may run at once for each account; what it knows already holds.

    A luigid that serves many commands keeps what its own luigi.cfg says in `[resources]`, else what the first command
    said. Unknown resources count as 1 there.

    Args:
        scheduler: Luigi's, in this process or behind its door.
        budgets: name of the resource and amount: {"cdse": 2}.
    """
    if not budgets:
        return
    known = {resource["name"]: resource["num_total"] for resource in scheduler.resource_list()}
    for name, amount in budgets.items():
        if name not in known:
            scheduler.update_resource(name, amount)
        elif known[name] != amount:
            LOGGER.warning(
                "The scheduler lets %s fetches of %s run at once, --connections says %s. The scheduler's number holds: "
                "change it in its luigi.cfg, section [resources], and start it anew.", known[name], name, amount,
            )  # fmt: skip


def _knock(url: str) -> None:
    """Make sure that somebody answers before work is handed over."""
    for attempt in range(KNOCKS):
        if attempt:
            time.sleep(1.0)
        try:
            with urllib.request.urlopen(f"{url.rstrip('/')}/api/is_paused", timeout=10):
                return
        except OSError as error:
            reason = str(error)
    raise luigi.rpc.RPCError(f"{url}: {reason}")


def _failure(expl: str | None) -> Failure:
    """The failure in Luigi's `expl`, which is JSON where a worker wrote it."""
    text: object = expl or ""
    with contextlib.suppress(ValueError):
        text = json.loads(str(text))
    return Failure.from_text(str(text))
