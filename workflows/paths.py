"""The only author of file names: where each result lies under `--workdir` and `--outdir`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely

from senard import ALGORITHM_VERSION
from senard.io.product_folder import RUN, SCENES, SUMS, index_files, layer_file, layer_index_files, mosaic_file
from senard.model.labels import LAYER_PROFILES
from senard.model.product import Part
from senard.model.request import MosaicRequest

EVERY_SCENE = "all"
"""Folder of the source maps that leave no scene out."""


def query_key(request: MosaicRequest, catalogue: str) -> str:
    """Name of the folder that keeps one query: 16 hex digits that no other request or catalogue shares.

    Args:
        request: what was asked.
        catalogue: who was asked: `Access.identity`.
    """
    return hashlib.sha256((request.canonical() + catalogue).encode()).hexdigest()[:16]


def without_key(without: Sequence[int], spared: Sequence[int] = ()) -> str:
    """Name of the folder of source maps that do without some scenes.

    Args:
        without: source numbers that cannot be used, 1-based, any order.
        spared: source numbers that are not worth reading, any order.
    """
    named = {"without": without, "sparing": spared}
    parts = ["-".join([word, *map(str, sorted(numbers))]) for word, numbers in named.items() if numbers]
    text = "_".join(parts) or EVERY_SCENE
    return text if len(text) <= 48 else f"without-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPaths:
    """What one query keeps."""

    folder: Path
    """WORKDIR/queries/<query key>."""

    @property
    def request(self) -> Path:
        """The canonical request."""
        return self.folder / "request.json"

    @property
    def access(self) -> Path:
        """How products are found and fetched, as the last command said."""
        return self.folder / "access.json"

    @property
    def comparison(self) -> Path:
        """What only one of two catalogues knows, for a person."""
        return self.folder / "catalogue_check.txt"

    @property
    def waiting_stamp(self) -> Path:
        """Its age says how long something has been waited for."""
        return self.folder / "waiting.stamp"

    @property
    def scenes(self) -> Path:
        """Every scene, kept or left out."""
        return self.folder / "scenes.json"

    @property
    def rebuild_stamp(self) -> Path:
        """What is older than this file counts as absent."""
        return self.folder / "rebuild.stamp"

    @property
    def refresh_stamp(self) -> Path:
        """An answer of the catalogue that is older than this file counts as absent."""
        return self.folder / "refresh.stamp"

    @property
    def notes(self) -> Path:
        """One line of figures per finished task since the last whole product."""
        return self.folder / "notes.jsonl"

    @property
    def keep(self) -> Path:
        """What must stay for this query, as its last command said."""
        return self.folder / "keep.txt"

    @property
    def for_good(self) -> Path:
        """Says that its last command wanted the products themselves, and no mosaic."""
        return self.folder / "download.txt"

    @property
    def run(self) -> Path:
        """What a run took that ended before its product was whole, JSON."""
        return self.folder / "run.json"

    def failed(self, product_id: str) -> Path:
        """Note on the part of one product that could not be fetched, JSON; it goes when the part has come."""
        return self.folder / "failed" / f"{product_id}.json"

    def missing(self, product_id: str) -> Path:
        """Note on whether one product could be fetched, for `--allow-missing`."""
        return self.folder / "missing" / f"{product_id}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPaths:
    """The work folder: everything between the archive and the product."""

    root: Path
    """`--workdir`, absolute."""

    def queries(self) -> list[QueryPaths]:
        """Folders of all queries."""
        return [QueryPaths(folder=folder) for folder in sorted((self.root / "queries").glob("*"))]

    def query(self, key: str) -> QueryPaths:
        """Folder of one query."""
        return QueryPaths(folder=self.root / "queries" / key)

    def download(self, product_id: str, part: Part) -> Path:
        """Folder of what a source fetched of one product."""
        return self.root / "downloads" / product_id / part.value

    def downloads(self, product_id: str) -> Path:
        """Folder of those of all parts of one product."""
        return self.root / "downloads" / product_id

    def safes(self, product_id: str) -> Path:
        """Folder of all that was unpacked of one product."""
        return self.root / "safe" / product_id

    def delivered(self, product_id: str, place: str) -> Path:
        """Folder that says that one product was unpacked to a place of the user's, or why it cannot be."""
        return self.root / "delivered" / product_id / place

    def safe(self, product_id: str, part: Part) -> Path:
        """Folder of one product's unpacked members, or of the verdict on it."""
        return self.root / "safe" / product_id / part.value

    def masks(self, product_id: str, evidence: str = "") -> Path:
        """Folder of one scene's judgement by this version of the rules, or of the verdict on it.

        Args:
            product_id: the scene's product.
            evidence: `MosaicRequest.evidence_key`: empty for the evidence that holds by default.
        """
        rules = "-".join([ALGORITHM_VERSION, *([evidence] if evidence else [])])
        return self.root / "masks" / rules / product_id

    def forecast(self, product_id: str) -> Path:
        """Folder of what one product's small classification tells, or of the verdict on it."""
        return self.root / "forecasts" / product_id

    def preview(self, product_id: str) -> Path:
        """Folder that says why one product has no preview."""
        return self.root / "previews" / product_id

    def land(self, request: MosaicRequest) -> Path | None:
        """Folder of what was taken over of a request's terrain model and land cover; None if it names neither."""
        if not (request.dem or request.landcover):
            return None
        given = (request.dem or "", request.landcover or "")
        parts = (ALGORITHM_VERSION, *given, request.crs, shapely.to_wkb(request.aoi, hex=True))
        return self.root / "land" / hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]

    def product(self, mosaic: str) -> Path:
        """Folder of one mosaic's intermediate results."""
        return self.root / "products" / mosaic

    def sources(self, mosaic: str, without: str, tile: int) -> Path:
        """Folder of one tile's source map; `without` as `without_key` gives it."""
        return self.product(mosaic) / "sources" / without / str(tile)

    def weights(self, mosaic: str, without: str, tile: int) -> Path:
        """Folder of what tells on one tile which scenes can be spared; `without` as `without_key` gives it."""
        return self.product(mosaic) / "weights" / without / str(tile)

    def spared(self, mosaic: str, without: str) -> Path:
        """What a mosaic does without, JSON; `without` as `without_key` gives it."""
        return self.product(mosaic) / "weights" / without / "spared.json"

    def ranks(self, mosaic: str) -> Path:
        """How much of the area every scene saw clear, JSON."""
        return self.product(mosaic) / "clear.json"

    def refused(self, mosaic: str) -> Path:
        """Source numbers of scenes that turned out unusable while tiles were composed, and why, JSON."""
        return self.product(mosaic) / "refused.json"

    def returned_stamp(self, mosaic: str) -> Path:
        """What of the mosaic is older than this file was chosen without a product that has come back since."""
        return self.product(mosaic) / "returned.stamp"

    def choices(self, mosaic: str) -> Path:
        """Folder of what follows from choosing without refused scenes, one folder for each choice."""
        return self.product(mosaic) / "choices"

    def choice(self, mosaic: str, refused: Sequence[int] = ()) -> "ChoicePaths":
        """Folder of what follows from one choice; `refused` are source numbers."""
        return ChoicePaths(folder=self.choices(mosaic) / without_key(refused))

    def log(self) -> Path:
        """What Luigi tells while `senard mosaic` shows its progress."""
        return self.root / "luigi.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePaths:
    """What follows from one choice of scenes for a whole mosaic: results of two choices never meet."""

    folder: Path
    """WORKDIR/products/<product_id>/choices/<all or without-…>."""

    @property
    def settled(self) -> Path:
        """What was decided for the mosaic as a whole, once all its scenes were known to be whole."""
        return self.folder / "settled.json"

    @property
    def settled_without(self) -> Path:
        """Source numbers that the settled source maps do without, and those that they spare, JSON."""
        return self.folder / "without.json"

    @property
    def levels(self) -> Path:
        """Folder of the corrections that level the scenes of one mosaic."""
        return self.folder / "levels"

    @property
    def factors(self) -> Path:
        """Folder of the factors that bring the scenes of one mosaic to the view from straight above."""
        return self.folder / "nbar"

    @property
    def slopes(self) -> Path:
        """Folder of what brings the slopes of one mosaic to the light of level ground."""
        return self.folder / "topography"

    @property
    def decoded(self) -> Path:
        """Folder of decoded internal tiles that several tiles of the mosaic need; it goes when all tiles are made."""
        return self.folder / "decoded"

    def blend(self, tile: int, gsd: int) -> Path:
        """Folder of what a method that reads several scenes of a pixel makes of one tile; at 20 m a source map too."""
        return self.folder / "blends" / f"{tile}_{gsd}"

    def blend_refusal(self, tile: int, gsd: int) -> Path:
        """The same as `refusal`, found while the scenes of a tile were read for that folder."""
        return self.folder / "refusals" / f"blend_{tile}_{gsd}.json"

    def flags(self, tile: int, gsd: int) -> Path:
        """Flags that composing one tile left for the QA layer; its figures lie beside as .json."""
        return self.folder / "composite" / f"{tile}_{gsd}.flags.tif"

    def figures(self, tile: int, gsd: int) -> Path:
        """Figures of composing one tile."""
        return self.folder / "composite" / f"{tile}_{gsd}.json"

    def refusal(self, tile: int, gsd: int) -> Path:
        """Which scene turned out unusable while this tile was composed, and why; it is then not composed."""
        return self.folder / "refusals" / f"{tile}_{gsd}.json"

    def quality_note(self, tile: int, resolutions: str) -> Path:
        """Says that a tile's QA layer carries the flags of these resolutions: "10,20"."""
        return self.folder / "quality" / f"{tile}_{resolutions.replace(',', '-')}.txt"

    def layer_note(self, tile: int, layer: str) -> Path:
        """Says that a tile's layer is of this choice."""
        return self.folder / "layers" / f"{tile}_{layer}.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductPaths:
    """One product folder."""

    folder: Path
    """OUTDIR/<product_id>."""

    @property
    def name(self) -> str:
        """The product_id."""
        return self.folder.name

    @property
    def sums(self) -> Path:
        """The list of checksums that marks the product as whole."""
        return self.folder / SUMS

    @property
    def scenes(self) -> Path:
        """Every kept scene, and what it supplies."""
        return self.folder / SCENES

    @property
    def run(self) -> Path:
        """What the run took that made it, JSON."""
        return self.folder / RUN

    def tile(self, index: int, gsd: int) -> Path:
        """Mosaic file of one tile."""
        return self.folder / mosaic_file(index, gsd)

    def vrt(self, gsd: int) -> Path:
        """Index over all mosaic files of one resolution."""
        return self.folder / index_files(gsd)[0]

    def quality(self, index: int) -> Path:
        """QA layer of one tile."""
        return self.folder / layer_file(index, "QA", 20)

    def quality_vrt(self) -> Path:
        """Index over all QA layers."""
        return self.folder / layer_index_files("QA", 20)[0]

    def layer(self, index: int, layer: str) -> Path:
        """A layer of one tile that is made on request: "SCL"."""
        return self.folder / layer_file(index, layer, LAYER_PROFILES[layer].gsd)

    def layer_vrt(self, layer: str) -> Path:
        """Index over this layer of all tiles."""
        return self.folder / layer_index_files(layer, LAYER_PROFILES[layer].gsd)[0]
