"""What a mosaic's tasks cost, and which are still to come: what the estimate of the remaining time starts from.

Costs are CPU-seconds on one core of an AMD EPYC: those of whole products in docs/explanation/speed.md, and of products
of 18 km in the recorded runs of tests/workflows/test_estimate.py. Only their ratios matter: the estimate scales them by
how fast the run's own tasks go.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from senard.model.product import Part
from senard.model.request import Method
from senard.steps.size_up import Sizes
from workflows.estimate import Planned, pace

STAGES = ("find", "judge", "weigh", "choose", "unpack", "settle", "level", "compose", "describe", "finish")
"""What waits for what."""

SUPPLIERS = 5
"""Scenes that supply parts of one place, as long as more cover it and nobody knows."""

BANDS_READ = 8
"""Scenes that supply pixels, as long as nobody knows: more scenes are hardly ever worth reading."""

LOADS_S = {"MaskScene": 1.2, "WeighScenes": 0.3, "SelectSources": 1.2}
"""What the first task of a kind takes to load what it computes with, where one process does all, s."""

FORK_S = 0.9
"""What all processes of a run share is loaded once, before the first that computes, s."""

STARTING_S = 0.1
"""What it takes to give a task to a process of its own, s."""

SMALL_MEGAPIXELS = 0.25
"""A mosaic of fewer pixels is weighed at each of them, and not at one of 36."""

CHOOSING = ((0.25, 0.4), (0.5, 0.62), (0.75, 0.84))
"""How the share that SelectSources tells goes with its time."""

DECODED_S = 7.8
"""Pixels of JPEG 2000 that are decoded in a second, millions."""

EDGE_KM = 3.0
"""By so much a mosaic grows on each axis when whole internal tiles are decoded."""

BYTES_S = 10e6
"""Speed of a connection, bytes per second."""

ASKING_S = 2.0
"""Time until the first byte of a product's files comes, all together, s."""

PART_BYTES_KM2 = {Part.JUDGE: 2.5e3, Part.BANDS: 6e4, Part.ALL: 9e4}
"""How large the parts of a product are, bytes for each km²."""


def stage(name: str) -> int:
    """Number of a stage."""
    return STAGES.index(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a mosaic consists of."""

    sizes: Sizes
    """Scenes and tiles."""

    to_judge: Collection[str]
    """product_ids of scenes that are not judged yet."""

    settled: bool
    """Whether scenes are chosen already."""

    suppliers: Sequence[float] = ()
    """Scenes that supply parts of one place, on average, by tile; empty until scenes are weighed."""

    composites: Sequence[tuple[int, int]]
    """Tile and pixel side, m, of files that are not made yet."""

    method: Method
    """What is made of observations."""

    processes: int = 1
    """Tasks that run at once."""

    threads: int = 1
    """Cores that a task that reads bands uses at most."""

    cores: int = 1
    """Cores that all tasks have."""

    remote: bool = False
    """Whether products are fetched from a service."""

    whole: bool = False
    """Whether they are fetched whole."""

    @property
    def scenes(self) -> int:
        """Scenes that the query kept."""
        return len(self.sizes.scenes_km2)


def planned_tasks(work: Work) -> Iterator[Planned]:
    """The tasks that are still to come, as far as they cost something."""
    for task in _tasks(work):
        yield replace(task, cost_s=task.cost_s + STARTING_S) if work.processes > 1 else task


def _tasks(work: Work) -> Iterator[Planned]:
    """The same, each as it costs in a process that is already there."""
    forked = work.processes > 1
    loads_s = FORK_S if forked else LOADS_S["MaskScene"]
    for name in work.to_judge:
        km2 = work.sizes.scenes_km2[name]
        judge = stage("judge")
        if work.remote:  # what lies in an archive takes no time
            yield _download(f"DownloadProduct {name}", Part.ALL if work.whole else Part.JUDGE, km2, judge)
        yield Planned(kind="Unzip", doubt=0.4, label=f"Unzip {name}", cost_s=0.06 + 2e-5 * km2, stage=judge)
        yield Planned(
            kind="MaskScene",
            doubt=0.1,
            label=f"MaskScene {name}",
            cost_s=0.2 + 6.9e-4 * km2,
            stage=judge,
            loads_s=loads_s,
        )
    if not work.settled:
        yield from _choosing(work)
    yield from _composing(work)
    for tile, size in enumerate(work.sizes.tiles):
        cost_s = 0.05 + 0.12 * size.megapixels
        yield Planned(kind="WriteQuality", label=f"WriteQuality {tile}", cost_s=cost_s, stage=stage("describe"))
    megapixels = sum(size.megapixels for size in work.sizes.tiles)
    cost_s = 0.5 + 3.65 * min(1.0, megapixels / 2) + 0.045 * megapixels
    yield Planned(
        kind="MosaicAOI", doubt=0.2, label="MosaicAOI: report and checksums", cost_s=cost_s, stage=stage("finish")
    )


def _composing(work: Work) -> Iterator[Planned]:
    """From bands that lie ready to mosaic files."""
    largest_km2 = max(work.sizes.scenes_km2.values(), default=0.0)
    ground_km2 = sum(size.ground_km2 for size in work.sizes.tiles)
    growth = min((ground_km2**0.5 + EDGE_KM) ** 2, max(largest_km2, ground_km2)) / max(ground_km2, 1e-9)
    for tile, gsd in work.composites:
        size, at = work.sizes.tiles[tile], stage("compose")
        decoded_km2 = growth * size.ground_km2
        suppliers = work.suppliers[tile] if work.suppliers else min(size.depth, SUPPLIERS)
        images = {10: 4, 20: 6}[gsd] * decoded_km2 / (gsd / 1000) ** 2 / 1e6  # Mpix of each scene that supplies a part
        read_s = 0.2 + suppliers * images / DECODED_S + {10: 0.8, 20: 0.5}[gsd] * size.megapixels
        write_s = 0.05 + {10: 1.35, 20: 0.7}[gsd] * size.megapixels
        shared = pace(work.threads, work.cores / work.processes)
        if work.method.reads_all:
            blend_s, label = read_s * size.depth / max(suppliers, 1), f"BlendTile {tile} at {gsd} m"
            yield Planned(kind="BlendTile", label=label, cost_s=blend_s / shared, stage=at, threads=work.threads)
        yield Planned(
            kind="CompositeTile",
            doubt=0.2,
            label=f"CompositeTile {tile} at {gsd} m",
            cost_s=(read_s + write_s) / shared,
            stage=at,
            threads=work.threads,
            curve=((0.5, read_s / (read_s + write_s)),),
        )


def _choosing(work: Work) -> Iterator[Planned]:
    """From judged scenes to bands that lie ready."""
    alone = work.processes == 1
    small = sum(size.megapixels for size in work.sizes.tiles) < SMALL_MEGAPIXELS
    for tile, size in enumerate(work.sizes.tiles):
        if work.method is Method.BEST and not work.suppliers:
            side, each, base = (0.3, 0.2, 0.5) if small else (0.58, 0.018, 0.09)
            yield Planned(
                kind="WeighScenes",
                label=f"WeighScenes {tile}",
                cost_s=(size.megapixels**0.5 + side) ** 2 * (base + each * size.depth),
                stage=stage("weigh"),
                loads_s=LOADS_S["WeighScenes"] if alone else 0.0,
            )
        yield Planned(
            kind="SelectSources",
            label=f"SelectSources {tile}",
            cost_s=(size.megapixels**0.5 + 0.3) ** 2 * (0.8 + 0.22 * size.depth),
            stage=stage("choose"),
            loads_s=LOADS_S["SelectSources"] if alone else 0.0,
            curve=CHOOSING,
        )
    lands = sorted(work.sizes.scenes_km2.values())
    read = work.scenes if work.method.reads_all else min(work.scenes, BANDS_READ)
    for km2 in lands[len(lands) - read :]:
        if work.remote and not work.whole:
            yield _download("", Part.BANDS, km2, stage("unpack"))
        yield Planned(kind="Unzip", doubt=0.4, label="", cost_s=0.05 + 2.5e-4 * km2, stage=stage("unpack"))
    yield Planned(kind="SettleScenes", label="", cost_s=0.02, stage=stage("settle"))


def _download(label: str, part: Part, km2: float, at: int) -> Planned:
    """A fetch from a service."""
    cost_s = ASKING_S + PART_BYTES_KM2[part] * km2 / BYTES_S
    return Planned(kind="DownloadProduct", doubt=1.0, label=label, cost_s=cost_s, stage=at, fetches=True)
