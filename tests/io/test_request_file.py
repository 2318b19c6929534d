"""The configuration file, after senprep's, and the list of products."""

import json
from pathlib import Path
from typing import Any

import pytest

from senard.errors import RequestError
from senard.io.request_file import read_product_names, read_request_file

GEOJSON = {"type": "Point", "coordinates": [-4.25, 55.86]}


def config(folder: Path, **document: Any) -> Path:
    path = folder / "glasgow.json"
    path.write_text(json.dumps(document))
    return path


class TestReadRequestFile:
    """A configuration file says what could be typed."""

    def test_takes_senpreps_keys(self, tmp_path: Path) -> None:
        file = read_request_file(
            config(
                tmp_path,
                name="Glasgow",
                geojson=GEOJSON,
                dates=["20200501", "20200601"],
                cloudcover=[0, 50],
                s2_producttype="S2MSI2A",
                size=[256, 256],
                overlap=[0, 0],
                bands_S2=["B4_M"],
            )
        )
        assert file.values == {
            "name": "Glasgow",
            "aoi": json.dumps(GEOJSON),
            "start": "20200501",
            "end": "20200601",
            "cloud_cover_min": "0",
            "cloud_cover_max": "50",
            "product_type": "S2MSI2A",
        }
        assert file.patches == (("bands_S2", '["B4_M"]'), ("overlap", "[0,0]"), ("size", "[256,256]"))

    def test_takes_cloud_cover_as_another_spelling(self, tmp_path: Path) -> None:
        assert read_request_file(config(tmp_path, cloud_cover=[5, 50])).values["cloud_cover_max"] == "50"

    def test_takes_the_options_own_names(self, tmp_path: Path) -> None:
        file = read_request_file(
            config(tmp_path, bbox=[24.8, 60.1, 25.2, 60.3], mgrs_tiles=["35VLG"], clip=False, start=20240501, fill=None)
        )
        assert file.values == {
            "bbox": "24.8,60.1,25.2,60.3",
            "mgrs_tiles": "35VLG",
            "clip": "false",
            "start": "20240501",
        }

    def test_takes_geojson_as_text_or_as_a_file_beside_it(self, tmp_path: Path) -> None:
        assert read_request_file(config(tmp_path, geojson=json.dumps(GEOJSON))).values["aoi"] == json.dumps(GEOJSON)
        assert read_request_file(config(tmp_path, geojson="a.geojson")).values["aoi"] == str(tmp_path / "a.geojson")

    def test_counts_paths_from_its_own_folder(self, tmp_path: Path) -> None:
        file = read_request_file(config(tmp_path, archive="s2", outdir="/data/out"))
        assert file.values == {"archive": str(tmp_path / "s2"), "outdir": "/data/out"}

    @pytest.mark.parametrize(
        ("document", "message"),
        [
            ({"cloudcovr": [0, 5]}, "unknown key 'cloudcovr'. Did you mean 'cloudcover'"),
            ({"bands_s2": []}, "Did you mean 'bands_S2'"),
            ({"config": "a.json"}, "unknown key 'config'"),
            ({"dates": ["20200501"]}, r"'dates' is a list of two, \[first, last\]"),
            ({"dates": "20200501"}, "list of two"),
            ({"cloudcover": 5}, "list of two"),
            ({"dates": ["20200501", "20200601"], "start": "20200501"}, "'start' says again"),
            ({"cloudcover": [0, 5], "cloud_cover": [0, 5]}, "'cloud_cover' says again"),
            ({"geojson": GEOJSON, "aoi": "a.geojson"}, "'aoi' says again"),
            ({"name": {"a": 1}}, "'name' is a text or a number"),
            ({"name": True}, "'name' is a text or a number, found true"),
        ],
    )
    def test_names_a_key_that_it_does_not_understand(
        self, document: dict[str, Any], message: str, tmp_path: Path
    ) -> None:
        with pytest.raises(RequestError, match=message):
            read_request_file(config(tmp_path, **document))

    @pytest.mark.parametrize(("text", "message"), [("{", "is not JSON"), ("[]", "expected an object")])
    def test_must_be_a_json_object(self, text: str, message: str, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        path.write_text(text)
        with pytest.raises(RequestError, match=message):
            read_request_file(path)

    def test_must_exist(self, tmp_path: Path) -> None:
        with pytest.raises(RequestError, match="cannot be read"):
            read_request_file(tmp_path / "a.json")


class TestReadProductNames:
    """A list of products is one name per line."""

    def test_takes_names_with_and_without_suffixes_and_folders(self, tmp_path: Path) -> None:
        path = tmp_path / "products.txt"
        path.write_text("# spring\nS2B_B.SAFE\n\n/data/S2A_A.SAFE.zip  # clear\nS2C_C.zip\nS2B_B\n")
        assert read_product_names(path) == ("S2A_A", "S2B_B", "S2C_C")

    def test_must_name_something(self, tmp_path: Path) -> None:
        path = tmp_path / "products.txt"
        path.write_text("# nothing yet\n")
        with pytest.raises(RequestError, match="names no product"):
            read_product_names(path)
        with pytest.raises(RequestError, match="cannot be read"):
            read_product_names(tmp_path / "absent.txt")
