"""Exit codes that tell the truth: judged by whether the product is whole, not by what Luigi thinks of its run.

Luigi's own return code is 0 after failures unless luigi.cfg says otherwise, 25 for a run whose tasks another worker
did, and an error while the task is built is a traceback and a 4. So `luigi --module workflows …` is met where it
starts: `luigi.retcodes.run_with_retcodes`, which the `luigi` command calls, looks up `luigi.interface._run` by name
when it runs, after `--module workflows` was imported. Our version of `_run` lets Luigi do its work and leaves with our
exit code; SystemExit passes through the `except Exception` there. Runs whose root task is not one of ours are Luigi's
own affair and stay untouched.
"""

import argparse
import functools
import logging
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import luigi
import luigi.cmdline_parser
import luigi.interface
import luigi.rpc

from senard.errors import SenardError
from senard.io.leases import give_back_leases
from workflows.failures import ExitCode, Failure, exit_code
from workflows.progress import TransferLog
from workflows.running import MosaicFactory, apply_defaults

ROUNDS = 4
"""Runs of a mosaic that is neither whole nor failed, as after a `--rebuild` within luigid's cooldown of 10 s."""

ROUND_PAUSE_S = 4.0
"""Pause between them, s: three pauses outlast the cooldown."""

ALIKE = 3
"""So many failures are shown that differ in names alone: a licence is refused for a thousand products."""

_NAME = re.compile(r"S2[A-D]_MSI\w+|[0-9a-f]{8,}(-[0-9a-f]{4,})*")
"""Names of products, their ids and checksums."""

_COORDINATE = re.compile(r"^-[\d.]")
"""A value that begins like this is a number, not an option: `--bbox -9.5,38.6,-9.0,38.9`."""


def install() -> None:
    """Make the `luigi` command leave with our exit codes when it runs one of our tasks; a second call does nothing."""
    interface: Any = luigi.interface
    original = interface._run
    if getattr(original, "leaves_with_exit_code", False):
        return

    @functools.wraps(original)
    def run(
        cmdline_args: Sequence[str] | None = None,
        main_task_cls: type[luigi.Task] | None = None,
        worker_scheduler_factory: Any = None,
        **kwargs: Any,
    ) -> Any:
        arguments = list(sys.argv[1:] if cmdline_args is None else cmdline_args)
        ours = worker_scheduler_factory is None and _is_ours(arguments, main_task_cls)
        if not ours:
            return original(cmdline_args, main_task_cls, worker_scheduler_factory, **kwargs)
        apply_defaults()
        log_to_stderr()
        factory = MosaicFactory(TransferLog())
        code = run_to_the_end(
            root=lambda: _root(arguments, main_task_cls),
            run=lambda: original(arguments, main_task_cls, factory, **kwargs),
            factory=factory,
        )
        if code is ExitCode.WHOLE:
            print_folder(_root(arguments, main_task_cls))
        raise SystemExit(int(code))

    vars(run)["leaves_with_exit_code"] = True
    interface._run = run
    _teach_parser()


def log_to_stderr() -> None:
    """Show what senard logs beside what Luigi logs, in the same form."""
    logger = logging.getLogger("senard")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def say(text: str) -> None:
    """Tell a person on stderr."""
    print(text, file=sys.stderr)


def print_folder(task: luigi.Task) -> None:
    """Say on stdout where a whole product lies; tasks that make none say nothing."""
    folder = getattr(task, "folder", None)
    if isinstance(folder, Path):
        print(folder)


def run_to_the_end(
    *,
    root: Callable[[], luigi.Task],
    run: Callable[[], Any],
    factory: MosaicFactory,
    tell: Callable[[str], None] = say,
) -> ExitCode:
    """Build the root task, let Luigi run it, judge what came of it, and say what went wrong or had to be left out.

    Args:
        root: builds the root task; may raise RequestError.
        run: lets Luigi run it once.
        factory: holds the worker that `run` uses.
        tell: takes a line for a person.
    """
    try:
        task = root()
        begin = getattr(task, "begin", None)
        if begin is not None:
            begin()
        factory.root, factory.budgets = task, getattr(task, "budgets", {})
        _run_in_rounds(task, run, factory)
        if not task.complete():
            for text in getattr(task, "left_out_so_far", list)():
                tell(f"senard: left out: {text}")
            code = _leave(_failures(factory), tell)
            _tell_totals(task, factory, tell)
            return code
        for text in getattr(task, "left_out", list)():
            tell(f"senard: left out: {text}")
        for text in getattr(task, "remarks", list)():
            tell(f"senard: {text}")
        _tell_totals(task, factory, tell)
        _tidy_up(task, tell)
    except SenardError as error:
        return _leave([Failure.of(error)], tell)
    except luigi.rpc.RPCError as error:
        return _leave([Failure(kind="RPCError", message=_no_scheduler(error))], tell)
    except OSError as error:
        return _leave([Failure.of(error)], tell)
    finally:
        give_back_leases()
    return ExitCode.WHOLE


def _tidy_up(task: luigi.Task, tell: Callable[[str], None]) -> None:
    """Let the task take away what it needs no more: the product is whole, whatever comes of that."""
    try:
        told = getattr(task, "tidy_up", str)()
        if told:
            tell(f"senard: {told}")
    except (SenardError, OSError) as error:
        tell(f"senard: warning: not everything that is needed no more could be deleted: {error}")


def _tell_totals(task: luigi.Task, factory: MosaicFactory, tell: Callable[[str], None]) -> None:
    """One line on all that was fetched, where that is what the task is for."""
    summary = getattr(task, "summary", None)
    if summary is not None and factory.display is not None:
        factory.display.listen()
        for text in summary(factory.display.totals):
            tell(f"senard: {text}")


def _run_in_rounds(task: luigi.Task, run: Callable[[], Any], factory: MosaicFactory) -> None:
    """Run until the product is whole, or something failed that it cannot do without."""
    rounds = 0
    while rounds < ROUNDS:
        run()
        if task.complete():
            return
        failed = {task_id for task_id, failure in _failed(factory).items() if not failure.unmet}
        if failed:
            goes_on = getattr(task, "goes_on", None)
            if goes_on is None or not goes_on(failed):
                return
            continue  # each such round leaves something out: they come to an end
        rounds += 1
        time.sleep(ROUND_PAUSE_S)


def _failed(factory: MosaicFactory) -> dict[str, Failure]:
    """What failed, by the ids of the tasks."""
    return factory.worker.failures if factory.worker is not None else {}


def _failures(factory: MosaicFactory) -> list[Failure]:
    return list(_failed(factory).values())


def _leave(failures: Sequence[Failure], tell: Callable[[str], None]) -> ExitCode:
    """Say each reason once, and of those that differ in names alone the first few; and find the exit code.

    What a source answers whoever asks is said once, with the number of those that wait for it.
    """
    code = exit_code(failures)
    common = [failure for failure in failures if failure.concerns_all]
    for text, waiting in Counter(_NAME.sub("…", failure.message) for failure in common).items():
        tell(f"senard: {next(one.message for one in common if _NAME.sub('…', one.message) == text)}")
        if waiting > 1:
            tell(f"senard: {waiting} products wait for that.")
    alike: dict[str, list[str]] = {}
    own = (failure for failure in failures if not failure.concerns_all)
    for text in dict.fromkeys(f"{failure.message}\n{failure.detail}".strip() for failure in own):
        alike.setdefault(_NAME.sub("…", text), []).append(text)
    for texts in alike.values():
        for text in texts[:ALIKE]:
            tell(f"senard: {text}")
        if len(texts) > ALIKE:
            tell(f"senard: … and {len(texts) - ALIKE} more that say the same of other products.")
    if code is ExitCode.INCOMPLETE:
        tell("senard: the product is not whole. The same command goes on where this run ended.")
    return code


def _no_scheduler(error: luigi.rpc.RPCError) -> str:
    return (
        f"No scheduler answers: {error}. Start one with `luigid --address 127.0.0.1`, check host and port, "
        "or work without it (`--local-scheduler`; `senard mosaic` without `--scheduler`)."
    )


def _root(arguments: list[str], main_task_cls: type[luigi.Task] | None) -> luigi.Task:
    """The root task as Luigi's own parser builds it; Luigi keeps instances, so `_run` gets the same one."""
    first = [main_task_cls.task_family] if main_task_cls is not None else []
    with luigi.cmdline_parser.CmdlineParser.global_instance(first + arguments) as parser:
        return parser.get_task_obj()


def _is_ours(arguments: list[str], main_task_cls: type[luigi.Task] | None) -> bool:
    """Whether the root task says that it is one of ours."""
    if main_task_cls is None:
        with luigi.cmdline_parser.CmdlineParser.global_instance(arguments) as parser:
            main_task_cls = luigi.task_register.Register.get_task_cls(parser.known_args.root_task)
    return bool(getattr(main_task_cls, "judged_by_completeness", False))


def _teach_parser() -> None:
    """Let Luigi's parser take `--bbox -9.5,38.6,-9.0,38.9`, which argparse would read as an option, and `--no-clip`."""
    parser_class: Any = luigi.cmdline_parser.CmdlineParser
    build = parser_class._build_parser

    def build_parser(root_task: str | None = None, help_all: bool = False) -> Any:
        parser = build(root_task=root_task, help_all=help_all)
        parser._negative_number_matcher = _COORDINATE
        tasks: Any = luigi.task_register.Register._get_reg()
        root = tasks.get(root_task)
        for name, parameter in root.get_params() if hasattr(root, "get_params") else ():
            if getattr(parameter, "is_switch", False):
                flag = f"--no-{name.replace('_', '-')}"
                parser.add_argument(flag, dest=name, action="store_const", const="false", help=argparse.SUPPRESS)
        return parser

    parser_class._build_parser = staticmethod(build_parser)
