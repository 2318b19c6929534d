"""The area of interest, however it is given."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from rasterio.warp import transform_bounds
from shapely.geometry import MultiPolygon, Polygon, box

from senard.errors import RequestError
from senard.io.aoi import bbox_area, mgrs_area, read_area, reference_area, slug

SQUARE = {"type": "Polygon", "coordinates": [[[24.8, 60.1], [25.2, 60.1], [25.2, 60.3], [24.8, 60.3], [24.8, 60.1]]]}
EXPECTED = shapely.normalize(box(24.8, 60.1, 25.2, 60.3))
KML = """<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{}</Document></kml>"""
PLACEMARK = (
    "<Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>24.8,60.1,7 25.2,60.1,7 25.2,60.3,7 24.8,60.3,7 "
    "24.8,60.1,7</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
)
POINT = "<Placemark><Point><coordinates>25,60,0</coordinates></Point></Placemark>"


def write(path: Path, content: object) -> str:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def write_layer(path: Path, geometry: Polygon, crs: str, layer: str | None = None) -> str:
    pyogrio.raw.write(
        path,
        geometry=np.array([shapely.to_wkb(geometry)]),
        field_data=[np.array(["area"])],
        fields=["name"],
        geometry_type="Polygon",
        crs=crs,
        layer=layer,
        append=path.exists(),
    )
    return str(path)


def ring(*corners: tuple[float, float]) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}


class TestReadArea:
    """The same area is the same polygon, whatever the format."""

    @pytest.mark.parametrize(
        "document",
        [
            SQUARE,
            {"type": "Feature", "properties": {}, "geometry": SQUARE},
            {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": None, "geometry": SQUARE}]},
            {"type": "GeometryCollection", "geometries": [SQUARE]},
            {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]},
            {**SQUARE, "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}},
            {**SQUARE, "crs": None},
            {"type": "Polygon", "coordinates": [[[*xy, 12.5] for xy in reversed(SQUARE["coordinates"][0])]]},
        ],
        ids=["geometry", "feature", "collection", "geometries", "multi", "crs84", "null crs", "3D and turned round"],
    )
    def test_is_read_from_geojson_of_every_shape(self, document: object, tmp_path: Path) -> None:
        area = read_area(write(tmp_path / "Test Area.geojson", document))
        assert area.geometry.wkb == EXPECTED.wkb
        assert area.name == "test-area"

    @pytest.mark.parametrize("text", [json.dumps(SQUARE), shapely.to_wkt(EXPECTED), "SRID=4326;" + EXPECTED.wkt])
    def test_is_read_from_text(self, text: str) -> None:
        area = read_area(text)
        assert area.geometry.wkb == EXPECTED.wkb
        assert area.name == "aoi"

    def test_is_read_from_a_wkt_file(self, tmp_path: Path) -> None:
        assert read_area(write(tmp_path / "a.wkt", EXPECTED.wkt + "\n")).geometry.wkb == EXPECTED.wkb

    @pytest.mark.parametrize("suffix", [".shp", ".gpkg"])
    def test_is_read_from_what_gdal_writes(self, suffix: str, tmp_path: Path) -> None:
        assert read_area(write_layer(tmp_path / f"a{suffix}", EXPECTED, "EPSG:4326")).geometry.wkb == EXPECTED.wkb

    def test_is_the_same_under_another_name_of_the_crs(self, tmp_path: Path) -> None:
        path = write_layer(tmp_path / "a.shp", EXPECTED, "EPSG:4326")
        datum = 'DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]]'
        units = 'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]'
        (tmp_path / "a.prj").write_text(f'GEOGCS["GCS_WGS_1984",{datum},{units}]')
        assert read_area(path).geometry.wkb == EXPECTED.wkb

    def test_is_read_from_kml(self, tmp_path: Path) -> None:
        assert read_area(write(tmp_path / "a.kml", KML.format(PLACEMARK))).geometry.wkb == EXPECTED.wkb

    def test_is_read_from_all_folders_of_a_kml(self, tmp_path: Path) -> None:
        east = PLACEMARK.replace("24.8,", "26,").replace("25.2,", "26.5,")
        folders = f"<Folder><name>a</name>{PLACEMARK}</Folder><Folder><name>b</name>{east}</Folder>"
        area = read_area(write(tmp_path / "a.kml", KML.format(folders)))
        assert area.geometry.bounds == (24.8, 60.1, 26.5, 60.3)

    def test_is_read_from_kmz(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.kmz", "w") as kmz:
            kmz.writestr("doc.kml", KML.format(PLACEMARK))
        assert read_area(str(tmp_path / "a.kmz")).geometry.wkb == EXPECTED.wkb

    def test_follows_the_curve_of_projected_edges(self, tmp_path: Path) -> None:
        metres = box(400_000, 6_600_000, 600_000, 6_700_000)  # UTM 33, about its central meridian of 15 degrees east
        area = read_area(write_layer(tmp_path / "a.gpkg", metres, "EPSG:32633"))
        assert area.geometry.bounds[0] == pytest.approx(13.18, abs=0.03)
        # The upper edge is a chord of the parallel: its middle lies 0.7 km north of its ends.
        _, south, _, north = shapely.intersection(area.geometry, box(14.99, 50, 15.01, 70)).bounds
        corner = max(lat for lon, lat in shapely.get_coordinates(area.geometry) if lon < 13.3)
        assert (north - corner) * 111_000 == pytest.approx(1300, abs=300)
        assert south < north

    def test_covers_the_same_pixels_when_it_was_written_and_read(self) -> None:
        area = read_area("POLYGON((1 43, 1.11 43.0001, 1.1 43.1, 1 43))").geometry
        again = shapely.from_wkb(shapely.to_wkb(area))
        between = [shapely.segmentize(one, 0.01) for one in (area, again)]
        assert shapely.equals_exact(*between, tolerance=0)

    def test_joins_features_and_keeps_holes(self, tmp_path: Path) -> None:
        holed = {"type": "Polygon", "coordinates": [ring((0, 0), (4, 0), (4, 4), (0, 4))["coordinates"][0]]}
        holed["coordinates"].append(ring((1, 1), (2, 1), (2, 2), (1, 2))["coordinates"][0])
        features = [holed, ring((3, 3), (6, 3), (6, 6), (3, 6)), ring((8, 8), (9, 8), (9, 9), (8, 9))]
        one = read_area(write(tmp_path / "a.json", {"type": "GeometryCollection", "geometries": features})).geometry
        two = read_area(
            write(tmp_path / "b.json", {"type": "GeometryCollection", "geometries": features[::-1]})
        ).geometry
        assert isinstance(one, MultiPolygon)
        assert one.area == pytest.approx(16 - 1 + 9 - 1 + 1)
        assert one.wkb == two.wkb

    def test_leaves_out_points_and_says_so(self, tmp_path: Path) -> None:
        area = read_area(write(tmp_path / "a.kml", KML.format(PLACEMARK + POINT)))
        assert area.geometry.wkb == EXPECTED.wkb
        assert "left out 1 x Point" in area.note

    @pytest.mark.parametrize(
        "outline",
        [
            ring((179, -17), (181, -17), (181, -16), (179, -16)),
            ring((-181, -17), (-179, -17), (-179, -16), (-181, -16)),
            ring((179, -17), (-179, -17), (-179, -16), (179, -16)),
        ],
        ids=["beyond 180", "beyond -180", "jump"],
    )
    def test_is_split_at_the_antimeridian(self, outline: dict[str, object], tmp_path: Path) -> None:
        area = read_area(write(tmp_path / "fiji.geojson", outline)).geometry
        east, west = box(179, -17, 180, -16), box(-180, -17, -179, -16)
        assert area.wkb == shapely.normalize(MultiPolygon([east, west])).wkb

    def test_keeps_a_hole_over_the_antimeridian(self, tmp_path: Path) -> None:
        outline = ring((178, -18), (-178, -18), (-178, -14), (178, -14))
        outline["coordinates"].append(ring((-179, -17), (-179, -16), (179, -16), (179, -17))["coordinates"][0])  # type: ignore[attr-defined]
        assert read_area(write(tmp_path / "a.json", outline)).geometry.area == pytest.approx(16 - 2)

    def test_may_be_the_whole_world(self, tmp_path: Path) -> None:
        outline = ring((-180, -60), (180, -60), (180, 80), (-180, 80))
        assert read_area(write(tmp_path / "a.json", outline)).geometry.area == 360 * 140


class TestUnreadableArea:
    """An area that cannot be meant is refused with a way out."""

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            (ring((0, 0), (1, 1), (1, 0), (0, 1)), r"not simple.*0\.5 0\.5.*does not cross itself"),
            ({"type": "FeatureCollection", "features": []}, "needs polygons, found nothing"),
            ({"type": "Polygon", "coordinates": []}, "needs polygons, found nothing"),
            ({"type": "Feature", "geometry": None}, "needs polygons, found nothing"),
            ({"type": "Point", "coordinates": [25, 60]}, "found only 1 x Point"),
            ({"type": "LineString", "coordinates": [[25, 60], [26, 60]]}, "found only 1 x LineString"),
            (ring((0, 0), (1, 1), (2, 2)), "found only 1 x outline without area"),
            ({"type": "Polygon", "coordinates": [[[24, 8, 60, 1], [25, 2, 60, 1]]]}, "29.30, not 29,30"),
            ({"type": "Polygon", "coordinates": [[[24, 8], [25, 2]]]}, "four points"),
            ({"type": "Topology", "objects": {}}, "found type 'Topology'"),
            ([1, 2], "expected an object"),
            ("{", "not JSON"),
            (ring((60.1, 124.8), (60.1, 125.2), (60.3, 125.2)), "write longitude first"),
            (ring((385000, 6671000), (386000, 6671000), (386000, 6672000)), "look like metres"),
            ({**SQUARE, "crs": {"type": "name", "properties": {"name": "Kartta"}}}, "unknown CRS"),
            ({**SQUARE, "crs": {"type": "link"}}, "crs member has no name"),
            (ring((0, 80), (90, 80), (180, 80), (-90, 80)), "round a pole"),
            ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [float("nan"), 1], [0, 0]]]}, "not a number"),
        ],
    )
    def test_in_geojson(self, document: object, message: str, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match=message):
            read_area(write(tmp_path / "a.geojson", document))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("POLYGON ((29,30 59,10, 30,1 60,2, 29,3 60))", "29.30, not 29,30"),
            ("POLYGON EMPTY", "needs polygons"),
            ("29,30", "use --bbox"),
            ("missing.geojson", "no such file"),
            ("/tmp", "expected a file, found a folder"),
        ],
    )
    def test_in_text(self, text: str, message: str) -> None:
        with pytest.raises(RequestError, match=message):
            read_area(text)

    def test_of_unknown_format(self, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match=r"cannot tell the format from '\.dwg'"):
            read_area(write(tmp_path / "a.dwg", "x"))

    def test_in_a_shapefile_without_prj(self, tmp_path: Path) -> None:
        write_layer(tmp_path / "a.shp", EXPECTED, "EPSG:4326")
        (tmp_path / "a.prj").unlink()
        with pytest.raises(RequestError, match=r"a\.prj is missing, so the CRS is unknown"):
            read_area(str(tmp_path / "a.shp"))

    def test_in_a_geopackage_of_several_layers(self, tmp_path: Path) -> None:
        write_layer(tmp_path / "a.gpkg", EXPECTED, "EPSG:4326", layer="one")
        write_layer(tmp_path / "a.gpkg", EXPECTED, "EPSG:4326", layer="two")
        with pytest.raises(RequestError, match=r"2 layers \(one, two\)"):
            read_area(str(tmp_path / "a.gpkg"))

    @pytest.mark.parametrize("suffix", [".shp", ".gpkg", ".kml", ".kmz"])
    def test_in_a_broken_file(self, suffix: str, tmp_path: Path) -> None:
        (tmp_path / "a.prj").write_text("")
        with pytest.raises(RequestError, match="cannot be read"):
            read_area(write(tmp_path / f"a{suffix}", "not a vector file"))


class TestBboxArea:
    """A rectangle is west, south, east, north."""

    def test_is_a_rectangle(self) -> None:
        assert bbox_area("24.8,60.1,25.2,60.3").geometry.wkb == EXPECTED.wkb
        assert bbox_area(" 24.8, 60.1, 25.2, 60.3 ").geometry.wkb == EXPECTED.wkb

    def test_may_end_beyond_180(self) -> None:
        assert bbox_area("175,-20,185,-10").geometry.equals(
            MultiPolygon([box(175, -20, 180, -10), box(-180, -20, -175, -10)])
        )

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ("25.2,60.1,24.8,60.3", "west 25.2 lies east of 24.8. Swap them"),
            ("175,-20,-175,-10", r"--bbox=175,-20,185,-10"),
            ("24.8,60.3,25.2,60.1", "south 60.3 lies north"),
            ("29,30,59,10,30,1,60,2", "found 8 parts.*29.30, not 29,30"),
            ("29,30", "found 2 parts"),
            ("24.8;60.1;25.2;60.3", "found 1 parts"),
            ("a,b,c,d", "expected west,south,east,north"),
            ("60.1,124.8,60.3,125.2", "Longitude stands first"),
            ("24.8,60.1,24.8,60.3", "empty"),
            ("-200,0,200,10", "round the Earth"),
            ("nan,0,1,1", "empty"),
            ("0,nan,1,1", "beyond 90"),
        ],
    )
    def test_is_refused_when_it_cannot_be_meant(self, given: str, message: str) -> None:
        with pytest.raises(RequestError, match=message):
            bbox_area(given)


class TestMgrsArea:
    """MGRS tiles are an area: their whole squares."""

    def test_is_the_square_of_one_tile(self) -> None:
        area = mgrs_area(["31TDH"])
        assert area.name == "31tdh"
        assert area.geometry.bounds == pytest.approx((1.766, 42.358, 3.120, 43.353), abs=0.002)

    def test_is_the_union_of_several(self) -> None:
        assert mgrs_area(["T31UFS", "31UES"]).geometry.area < 2 * mgrs_area(["31UFS"]).geometry.area
        assert mgrs_area(["31UFS", "31UES"]) == mgrs_area(["31UES", "T31UFS"])

    def test_is_split_at_the_antimeridian(self) -> None:
        left, _, right, _ = mgrs_area(["01KAB"]).geometry.bounds
        assert (left, right) == (-180, 180)


class TestReferenceArea:
    """The rectangle that a raster covers is an area."""

    def test_is_the_outline_of_the_raster(self, tmp_path: Path) -> None:
        path = tmp_path / "Old Mosaic.tif"
        transform = rasterio.Affine(10, 0, 385_000, 0, -10, 6_672_000)
        profile = {"driver": "GTiff", "width": 200, "height": 100, "count": 1, "dtype": "uint8"}
        with rasterio.open(path, "w", crs="EPSG:32635", transform=transform, **profile):
            pass
        area = reference_area(path)
        assert area.name == "old-mosaic"
        expected = transform_bounds("EPSG:32635", "EPSG:4326", 385_000, 6_671_000, 387_000, 6_672_000)
        assert area.geometry.bounds == pytest.approx(expected, abs=1e-6)

    def test_is_refused_without_georeference(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        with pytest.warns(rasterio.errors.NotGeoreferencedWarning):  # the writer's own complaint
            rasterio.open(path, "w", driver="PNG", width=2, height=2, count=1, dtype="uint8").close()
        with pytest.raises(RequestError, match="says not where it lies"):
            reference_area(path)

    def test_is_refused_for_what_is_no_raster(self, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match="no raster that can be read"):
            reference_area(Path(write(tmp_path / "a.tif", "text")))
        with pytest.raises(RequestError, match="no such file"):
            reference_area(tmp_path / "b.tif")


class TestSlug:
    """A file's name becomes a product's name."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("Helsinki", "helsinki"), ("Zürich (Süd)", "zurich-sud"), ("東京", "aoi"), ("_", "aoi"), ("a" * 60, "a" * 48)],
    )
    def test_is_plain(self, text: str, expected: str) -> None:
        assert slug(text) == expected


@pytest.mark.real_data
class TestRealAreas:
    """Areas as people really draw them are read."""

    @pytest.mark.parametrize(
        ("name", "bounds"),
        [
            ("eo-learn/bbox.geojson", (14.5513, 45.8659, 14.5643, 45.8750)),
            ("eo-learn/svn_border.geojson", (13.3653, 45.4236, 16.5153, 46.8640)),
            ("eodal/BY_AOI_2019_MNI_EPSG32632.shp", (11.6136, 48.2184, 11.8011, 48.3258)),
            ("eodal/lake_lucerne.gpkg", (8.236, 46.937, 8.483, 47.082)),
            ("leafmap-us-states/us_states.kml", (-178.123, 18.948, 173.305, 71.352)),
            ("leafmap-us-states/us_states.kmz", (-178.123, 18.948, 173.305, 71.352)),
            ("openeo-mixed/FeatureCollectionWithCRS.json", (3.9502, 50.7957, 4.7402, 51.0344)),
            ("openeo-mixed/GeometryCollection.json", (3.9502, 50.7957, 4.7402, 51.0344)),
            ("openeo-mixed/minimallyOverlappingGeometryCollection.json", (3.2482, 50.9754, 3.2564, 50.9800)),
            ("sen2r-vectors/barbellino.geojson", (10.0416, 46.0641, 10.0448, 46.0679)),
            ("sen2r-vectors/dam.geojson", (10.0424, 46.0649, 10.0433, 46.0672)),
            ("sen2r-vectors/scalve.kml", (10.015, 45.929, 10.262, 46.062)),
        ],
    )
    def test_lie_where_their_makers_say(self, name: str, bounds: tuple[float, ...], shared: Path) -> None:
        geometry = read_area(str(shared / "data/aoi" / name)).geometry
        assert geometry.bounds == pytest.approx(bounds, abs=6e-4)
        assert geometry.is_valid
        assert not geometry.has_z

    def test_are_the_same_request_as_kml_and_kmz(self, shared: Path) -> None:
        folder = shared / "data/aoi/leafmap-us-states"
        kml, kmz = (read_area(str(folder / f"us_states.{suffix}")) for suffix in ("kml", "kmz"))
        assert kml.geometry.wkb == kmz.geometry.wkb
        assert "left out 2 x outline without area" in kml.note

    def test_hold_their_reference_raster(self, shared: Path) -> None:
        image = next((shared / "data/s2-safe").rglob("*.jp2"))
        area = reference_area(image)
        assert area.geometry.is_valid
        assert area.geometry.area > 0
