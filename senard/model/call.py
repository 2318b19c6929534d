"""One call of the main job: what is asked, and how this run goes about it."""

from dataclasses import dataclass
from pathlib import Path

from senard.model.access import Access
from senard.model.keep import Keep
from senard.model.request import MosaicRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request and everything about its run that does not change pixels."""

    request: MosaicRequest
    """Area, period, grid, options: the identity of the product."""

    access: Access
    """Who is asked, who brings products, and how."""

    outdir: Path
    """Where the product folder appears, absolute."""

    workdir: Path
    """Where intermediate results lie, absolute."""

    resolutions: tuple[int, ...] = (10, 20)
    """Files to make, pixel side in m, ascending."""

    layers: tuple[str, ...] = ()
    """Layers to make besides, names of LAYER_PROFILES, sorted: ("SCL",)."""

    keep: Keep = Keep.ALL
    """What stays on the disk once it is needed no more."""

    rebuild: bool = False
    """Make every processing step anew."""

    refresh: bool = False
    """Ask the catalogue again what it holds."""

    allow_missing: bool = False
    """Go on without scenes that could not be fetched."""

    unzip_dir: Path | None = None
    """Where DownloadAOI unpacks products, absolute; None: they stay as they came."""

    quick: bool = False
    """Plan from the catalogue's cloud percentages alone."""

    detach: bool = False
    """Go on in the background."""

    dem: Path | None = None
    """The terrain model, absolute; None: none is used. The request holds its digest."""

    landcover: Path | None = None
    """The land cover, absolute; None: none is used. The request holds its digest."""

    patches: tuple[tuple[str, str], ...] = ()
    """Keys of the configuration file that belong to patches, and their values as JSON: (("size", "[256,256]"),)."""

    warnings: tuple[str, ...] = ()
    """What a person should know before the run: "The period of 31 days is short: …"."""
