"""What choosing sources costs: memory whatever the number of scenes, and seconds for each."""

import pickle
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from shapely.geometry import box

from senard.model.grid import Tile
from senard.model.request import MosaicRequest
from tests.steps.judged_scenes import Plan, cloudy, write_judged

pytestmark = pytest.mark.prove

SIZE_PX = 1740
"""Side of the scenes, pixels of 20 m: 35 km, more than one block with its halo."""
LEFT, TOP = 500_040, 6_600_000
FEW, MANY = 8, 40
MORE_MEMORY = 1.05
"""Peak memory with many scenes over that with few."""

CHOOSE = """
import pickle, resource, sys, time
from pathlib import Path
from senard.steps.select_sources import select_sources
request, judged, tile, out = pickle.loads(Path(sys.argv[1]).read_bytes())
began = time.process_time()
select_sources(request, [one.scene for one in judged], [one.folder for one in judged], tile, out)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, time.process_time() - began)
"""


class TestMemory:
    """A tile fits a worker whatever the period."""

    def test_is_the_same_for_eight_scenes_and_for_forty(self, tmp_path: Path) -> None:
        plans = [
            Plan(day=number, left=LEFT, top=TOP, size=SIZE_PX, scl=cloudy(number, SIZE_PX, 0.4), noise=150, seed=number)
            for number in range(MANY)
        ]
        judged = [write_judged(tmp_path / "masks", plan) for plan in plans]
        peaks, seconds = {}, {}
        for count in (2, FEW, MANY):  # the first one compiles
            peaks[count], seconds[count] = chosen(tmp_path, judged[:count])
        tile = (5000 / SIZE_PX) ** 2
        per_scene = tile * (seconds[MANY] - seconds[FEW]) / (MANY - FEW)
        print(
            f"\npeak {peaks[FEW]} MiB with {FEW} scenes, {peaks[MANY]} MiB with {MANY}; {seconds[FEW]:.1f} and "
            f"{seconds[MANY]:.1f} CPU-s: {per_scene:.1f} CPU-s for each scene of a tile of 100 km, "
            f"{tile * seconds[FEW] - FEW * per_scene:.0f} CPU-s for the tile"
        )
        assert peaks[MANY] <= MORE_MEMORY * peaks[FEW]


def chosen(folder: Path, judged: list[object]) -> tuple[int, float]:
    """Choose in a process of its own: peak memory, MiB, and CPU-seconds."""
    request = MosaicRequest(
        name="scale",
        aoi=box(-180, -85, 180, 85),
        first_day=date(2024, 6, 1),
        last_day=date(2024, 7, 15),
        crs="EPSG:32635",
        clip=False,
    )
    side = 20 * SIZE_PX
    tile = Tile(index=0, crs="EPSG:32635", left=LEFT, bottom=TOP - side, right=LEFT + side, top=TOP)
    work = folder / f"{len(judged)}.pickle"
    work.write_bytes(pickle.dumps((request, judged, tile, folder / f"out-{len(judged)}")))
    done = subprocess.run(
        [sys.executable, "-c", CHOOSE, str(work)], check=True, capture_output=True, text=True, timeout=1800
    )
    peak, seconds = done.stdout.split()
    return int(peak), float(seconds)
