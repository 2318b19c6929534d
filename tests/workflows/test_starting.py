"""How a command starts, and what processes that it forks begin with."""

import gc
import subprocess
import sys

import pytest

from senard.steps import load_kernels as kernels
from workflows.collector import collector_at_rest
from workflows.running import MosaicFactory
from workflows.task import SenardTask

LOOK = "import sys, workflows.cli; print(*sorted(sys.modules.keys() & set(sys.argv[1:])))"


class Task(SenardTask):
    """A step of a mosaic that does nothing."""


class Computing(Task):
    """A step that works on pixels, and does nothing either."""

    computes = True


class TestACommand:
    """A command"""

    def test_starts_without_what_only_some_of_them_compute_or_read_with(self) -> None:
        heavy = ("numba", "scipy", "pandas", "pyogrio", "sentinelsat")
        found = subprocess.run([sys.executable, "-c", LOOK, *heavy], capture_output=True, text=True, check=True)
        assert found.stdout == "\n"


class TestCollectorAtRest:
    """While modules are loaded Python's collector"""

    def test_rests_and_works_again_afterwards(self) -> None:
        with collector_at_rest():
            assert not gc.isenabled()
        assert gc.isenabled()

    def test_goes_on_resting_where_somebody_else_said_so(self) -> None:
        gc.disable()
        try:
            with collector_at_rest():
                assert not gc.isenabled()
            assert not gc.isenabled()
        finally:
            gc.enable()


class TestLoadKernels:
    """What a mosaic computes with is loaded in the process that others are forked from"""

    @pytest.mark.parametrize(
        ("task", "processes", "loaded"), [(Computing, 2, True), (Computing, 1, False), (Task, 2, False)]
    )
    def test_before_one_that_computes_and_for_no_other(
        self, monkeypatch: pytest.MonkeyPatch, task: type[SenardTask], processes: int, loaded: bool
    ) -> None:
        calls: list[str] = []
        monkeypatch.setattr(kernels, "load_kernels", lambda: calls.append("loaded"))
        factory = MosaicFactory()
        worker = factory.create_worker(factory.create_local_scheduler(), processes)
        worker._create_task_process(task(workdir="work", query="query"))
        assert bool(calls) is loaded

    def test_so_that_the_first_of_its_calls_finds_numba_ready(self) -> None:
        look = (
            "import sys; from senard.steps.load_kernels import load_kernels; load_kernels(); "
            "before = set(sys.modules); import numpy as np; "
            "from senard.algorithms.smoothing import distance_to; distance_to(np.zeros((2, 2), dtype=bool)); "
            "print(*(set(sys.modules) - before))"
        )
        found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
        assert found.stdout == "\n"
