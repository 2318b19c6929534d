"""The XML of simulated products holds the same elements in the same places as that of real ones."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from lxml import etree

BASELINES = "data/s2-metadata/openeo-cdse-T31UFS-baselines"
REAL_TREES = {
    "0214": f"{BASELINES}/S2B_MSIL2A_20200205T105129_N0214_R051_T31UFS_20200207T150106.SAFE",
    "0301": f"{BASELINES}/S2A_MSIL2A_20210701T104021_N0301_R008_T31UFS_20210701T134352.SAFE",
    "0400": f"{BASELINES}/S2B_MSIL2A_20220125T105229_N0400_R051_T31UFS_20220125T151458.SAFE",
    "0511": f"{BASELINES}/S2A_MSIL2A_20221206T105431_N0509_R051_T31UFS_20221206T135452.SAFE",
}
REAL_GRANULES = {
    "0214": "data/s2-metadata/stactools-sentinel2/"
    "esa_S2B_MSIL2A_20210122T133229_N0214_R081_T22HBD_20210122T155500.SAFE",
    **{baseline: REAL_TREES[baseline] for baseline in ("0301", "0400", "0511")},
}
REAL_INSPIRE = (
    "data/s2-safe/ALCD-L1C-T31TCJ-20240305/S2B_MSIL1C_20240305T104819_N0510_R051_T31TCJ_20240305T125347.SAFE/"
    "INSPIRE.xml"
)
# The real 05.09 product failed one inspection; simulated ones pass all.
FAILED = "Level-2A_User_Product/Quality_Indicators_Info/Quality_Control_Checks/Failed_Inspections/Datastrip_Report"
ONLY_REAL = {FAILED, f"{FAILED}@datastripId", f"{FAILED}/REPORT_FILENAME"}


def element_paths(content: bytes) -> set[str]:
    """Every element and attribute by the names on the way to it."""
    return set(_walk(etree.fromstring(content), ""))


def _walk(element: etree._Element, above: str) -> Iterable[str]:
    if not isinstance(element.tag, str):
        return
    path = f"{above}/{etree.QName(element).localname}".lstrip("/")
    yield path
    for name in element.attrib:
        yield f"{path}@{etree.QName(name).localname}"
    for child in element:
        yield from _walk(child, path)


def simulated(archive: Path, baseline: str, name: str) -> bytes:
    zipped = next(archive.glob(f"*_N{baseline}_*.zip"))
    with zipfile.ZipFile(zipped) as members:
        return members.read(next(member for member in members.namelist() if member.endswith(f"/{name}")))


@pytest.mark.real_data
class TestElements:
    """Where a reader of real products looks, a simulated one has the same element."""

    @pytest.mark.parametrize("baseline", REAL_TREES)
    def test_of_the_product_are_those_of_a_real_one(self, tiny_archive: Path, shared: Path, baseline: str) -> None:
        real = element_paths((shared / REAL_TREES[baseline] / "MTD_MSIL2A.xml").read_bytes())
        assert element_paths(simulated(tiny_archive, baseline, "MTD_MSIL2A.xml")) == real - ONLY_REAL

    @pytest.mark.parametrize("baseline", REAL_GRANULES)
    def test_of_the_granule_are_those_of_a_real_one(self, tiny_archive: Path, shared: Path, baseline: str) -> None:
        granule = next((shared / REAL_GRANULES[baseline] / "GRANULE").glob("*/MTD_TL.xml"))
        real = element_paths(granule.read_bytes())
        assert element_paths(simulated(tiny_archive, baseline, "MTD_TL.xml")) == real

    @pytest.mark.parametrize("baseline", REAL_TREES)
    def test_of_the_manifest_are_those_of_a_real_one(self, tiny_archive: Path, shared: Path, baseline: str) -> None:
        real = element_paths((shared / REAL_TREES[baseline] / "manifest.safe").read_bytes())
        assert element_paths(simulated(tiny_archive, baseline, "manifest.safe")) == real

    def test_of_the_inspire_record_are_those_of_a_real_one(self, tiny_archive: Path, shared: Path) -> None:
        real = element_paths((shared / REAL_INSPIRE).read_bytes())
        assert element_paths(simulated(tiny_archive, "0511", "INSPIRE.xml")) == real
