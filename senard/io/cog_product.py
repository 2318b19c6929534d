"""One product made of the GeoTIFFs of one STAC item: which files a part needs, how each comes to be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from senard.errors import UnusableSceneError
from senard.io.cog_folder import CogFolder
from senard.io.cog_items import CogAsset, CogItem
from senard.io.cog_pixels import Offset, add_back, averaged, centres, grid_of, seen_offset
from senard.io.disk import keeping
from senard.io.jp2 import require_band
from senard.io.safe import parse_granule_xml, parse_product_xml
from senard.io.safe_granule import GranuleXml
from senard.io.safe_images import image_key, needed_keys
from senard.io.safe_xml import ProductXml
from senard.io.sources import Told, untold
from senard.model.product import Part
from senard.model.scene import Sentinel2Scene
from senard.model.sentinel2 import BANDS, ProductType

PRODUCT_XML, GRANULE_XML = "MTD_MSIL2A.xml", "MTD_TL.xml"

_OPTIONAL = frozenset({"CLDPRB", "SNWPRB"})
"""Probabilities: judging does without them, and most providers have none."""

_ADDED_BACK = "offset_added_back"

_NOTES = (
    "60 m bands and optical thickness are means of finer pixels, no data where one of them has none; classes and "
    "probabilities at 60 m are the ones in the middle. No detector footprints, no quality masks."
)
_LOST = "ESA's offset was taken out by the provider and is added back; what it clipped (reflectances below 0) stays so."


class AssetReader(Protocol):
    """Brings files of an item."""

    def bring(self, asset: CogAsset, target: Path, what: str, told: Told) -> None:
        """One file, verified as far as the item allows; nothing happens if `target` is there.

        Raises:
            As `Source.fetch`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    """One image that a part needs."""

    key: str
    """"B04_60"."""

    place: str
    """In the SAFE, with ending."""

    @property
    def name(self) -> str:
        """ "B04", as the item's asset is called."""
        return self.key.rpartition("_")[0]

    @property
    def gsd(self) -> int:
        """Pixel side, m."""
        return int(self.key.rpartition("_")[2])


class CogProduct:
    """A SAFE folder under construction."""

    def __init__(
        self, scene: Sentinel2Scene, item: CogItem, reader: AssetReader, folder: CogFolder, product_xml: bytes | None
    ) -> None:
        """Read the product's XML.

        Args:
            scene: which product is wanted.
            item: who has it.
            reader: brings its files.
            folder: where they go.
            product_xml: MTD_MSIL2A.xml if it is here already; used where the item has none.

        Raises:
            UnusableSceneError: the item is not of this product, or has not what it takes.
        """
        self._scene, self._item, self._reader, self._folder = scene, item, reader, folder
        with keeping(scene.product_id, folder.root.parent):
            self._raw_folder.mkdir(parents=True, exist_ok=True)
        self._xml = self._product_xml(product_xml)
        places = {image_key(file): file for file in self._xml.image_files}
        self._places = {key: f"{file}.tif" for key, file in places.items() if key is not None}
        granules = {"/".join(file.split("/")[:2]) for file in self._xml.image_files if file.startswith("GRANULE/")}
        if len(granules) != 1:
            raise self._not_here(f"its XML names {len(granules)} granules, expected 1")
        self._granule_place = granules.pop()
        self._granule = self._granule_xml()

    def add(self, part: Part, told: Told) -> None:
        """Bring what a part needs.

        Raises:
            UnusableSceneError: the item lacks an image, or its pixels contradict what it says of them.
            TransientError, StorageError, RequestError: as `Source.fetch`.
        """
        wanted = [image for image in self._wanted(part) if image.place not in self._folder]
        names = [name for name in sorted({image.name for image in wanted}) if self._native_here(name) is None]
        self._bring(names, told)
        raws = {name: self._raw(name) for name in names}
        shift = self._shift({name: raw for name, raw in raws.items() if name in BANDS})
        self._mark(shift)
        for name, raw in raws.items():
            self._settle(name, raw, shift or 0)
        for image in wanted:
            self._derive(image)
        self._clear_raws()

    def _wanted(self, part: Part) -> Iterator[_Image]:
        for key in sorted(needed_keys(ProductType.L2A, part)):
            name = key.rpartition("_")[0]
            if name in self._item.assets:
                yield _Image(key=key, place=self._place(key))
            elif name not in _OPTIONAL:
                raise self._not_here(f"its item {self._item.item_id} has no {name}")

    def _place(self, key: str) -> str:
        """Where an image of that key belongs, by the product's own XML."""
        name, _, gsd = key.rpartition("_")
        if name in _OPTIONAL:
            return f"{self._granule_place}/QI_DATA/MSK_{name}_{gsd}m.tif"
        if key not in self._places:
            raise self._not_here(f"its XML names no image {key}")
        return self._places[key]

    @property
    def _raw_folder(self) -> Path:
        return raw_folder(self._folder.root)

    def _raw(self, name: str) -> Path:
        return self._raw_folder / f"{name}.tif"

    def _clear_raws(self) -> None:
        """Delete what a killed process had brought and put in its place already."""
        with keeping(self._scene.product_id, self._raw_folder):
            for raw in self._raw_folder.glob("*.tif"):
                if self._native_here(raw.stem) is not None:
                    raw.unlink()

    def _native_here(self, name: str) -> _Image | None:
        """The image at the provider's own pixel side, if it is in the folder."""
        for gsd in (10, 20):
            key = f"{name}_{gsd}"
            if (key in self._places or name in _OPTIONAL) and self._place(key) in self._folder:
                return _Image(key=key, place=self._place(key))
        return None

    def _bring(self, names: Sequence[str], told: Told) -> None:
        sizes = [self._item.assets[name].size_bytes for name in names]
        total = sum(sizes) if all(sizes) else 0
        done = 0
        for name in names:
            self._reader.bring(self._item.assets[name], self._raw(name), self._what(name), _beyond(told, done, total))
            done += self._raw(name).stat().st_size

    def _settle(self, name: str, raw: Path, shift: int) -> None:
        """Give an image that was brought its place and ESA's values."""
        found = grid_of(raw)
        if found != self._granule.grids.get(found.gsd):
            raise self._not_here(f"its {name} lies on another grid than ESA's: {found}")
        if name in BANDS:
            require_band(str(raw), found)
        with self._folder.adding(self._place(f"{name}_{found.gsd}")) as partial:
            if shift and name in BANDS:
                add_back(raw, partial, shift)
            else:
                raw.replace(partial)
        with keeping(self._scene.product_id, raw.parent):
            raw.unlink(missing_ok=True)

    def _derive(self, image: _Image) -> None:
        """Make a coarse image of the provider's finer one."""
        if image.place in self._folder:
            return
        native = self._native_here(image.name)
        if native is None:
            raise self._not_here(f"its {image.name} has neither 10 nor 20 m")
        make = centres if image.name in {"SCL", *_OPTIONAL} else averaged
        with self._folder.adding(image.place) as partial:
            make(self._folder.path(native.place), partial, image.gsd // native.gsd)

    def _shift(self, bands: Mapping[str, Path]) -> int | None:
        """What has to be added to the bands' DN for the offset in the product's XML to hold; None without bands.

        The item's own word counts only if the baseline and the pixels agree: it has been wrong, on items of 2022 and
        again of 2025, mostly so that the offset was taken out and the item denied it.
        """
        known = self._folder.facts().get(_ADDED_BACK, "")
        if known.isdigit() or not bands:
            return int(known) if known.isdigit() else None
        offsets = {self._xml.add_offset[name] for name in bands}
        if len(offsets) != 1:
            raise self._not_here(f"its XML states several offsets, {sorted(offsets)}: pixels cannot tell them apart")
        offset, said = offsets.pop(), self._item.offset_applied
        if offset == 0:
            if said:
                raise self._not_here("its item says that an offset is taken out, and the product's XML knows of none")
            return 0
        seen = seen_offset(bands, offset)
        if said is True and seen is Offset.TAKEN_OUT:
            return -offset
        if (said is False and seen is Offset.LEFT_IN) or (said is None and seen is not Offset.TAKEN_OUT):
            return 0
        claim = {True: "taken out", False: "left in", None: "left in (by saying nothing)"}[said]
        raise self._not_here(
            f"its item says that ESA's offset {offset} is {claim}, its pixels say: {seen.value}. A reflectance of 0.1 "
            f"hangs on it"
        )

    def _mark(self, shift: int | None) -> None:
        facts = {"collection": self._item.collection, "item": self._item.item_id}
        facts["notes"] = f"{_NOTES} {_LOST}" if shift else _NOTES
        self._folder.mark(self._scene.product_id, facts if shift is None else {**facts, _ADDED_BACK: str(shift)})

    def _product_xml(self, at_hand: bytes | None) -> ProductXml:
        """The product's XML: the one thing that says for certain which product the pixels are of."""
        data = self._metadata(PRODUCT_XML, PRODUCT_XML) or at_hand
        if data is None:
            raise self._not_here(f"its item {self._item.item_id} has no {PRODUCT_XML}, so its offset is not known")
        xml = parse_product_xml(data, f"{self._scene.product_id}: {PRODUCT_XML}")
        if xml.product_id != self._scene.product_id:
            raise self._not_here(f"its XML is of {xml.product_id}: reprocessed, or another baseline")
        self._keep(PRODUCT_XML, data)
        return xml

    def _granule_xml(self) -> GranuleXml:
        place = f"{self._granule_place}/{GRANULE_XML}"
        data = self._metadata(GRANULE_XML, place)
        if data is None:
            raise self._not_here(f"its item {self._item.item_id} has no {GRANULE_XML}")
        granule = parse_granule_xml(data, f"{self._scene.product_id}: {GRANULE_XML}")
        self._keep(place, data)
        return granule

    def _metadata(self, name: str, place: str) -> bytes | None:
        """A file of metadata, from the folder or from the item; None where neither has it."""
        if place in self._folder:
            return self._folder.path(place).read_bytes()
        asset = self._item.assets.get(name)
        if asset is None:
            return None
        raw = self._raw_folder / name
        self._reader.bring(asset, raw, self._what(name), untold)
        data = raw.read_bytes()
        raw.unlink()  # what it says is looked at first, and only then it is kept
        return data

    def _what(self, name: str) -> str:
        """For messages."""
        return f"{self._scene.product_id}: {name} of {self._item.collection}"

    def _keep(self, place: str, data: bytes) -> None:
        if place not in self._folder:
            with self._folder.adding(place) as partial:
                partial.write_bytes(data)

    def _not_here(self, why: str) -> UnusableSceneError:
        return UnusableSceneError(
            f"{self._scene.product_id} is not to be had as GeoTIFFs of {self._item.collection}: {why}. Take another "
            f"source.",
            product_id=self._scene.product_id,
        )


def raw_folder(root: Path) -> Path:
    """Where files lie as they came, until they have their place in the SAFE folder `root`."""
    return root.with_suffix(".raw")


def _beyond(told: Told, done: int, total: int) -> Told:
    """Tells of one file as of a piece of all."""
    return lambda here, _: told(done + here, total)
