"""The index of a mosaic, read from a web server."""

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window as RasterioWindow

from senard.model.labels import MOSAIC_PROFILES
from tests.io.test_vrt import mosaic


class RangeHandler(SimpleHTTPRequestHandler):
    """Serves files and single byte ranges, silently."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not path.is_file() or wanted is None:
            super().do_GET()
            return
        content = path.read_bytes()
        start, stop = int(wanted[1]), min(int(wanted[2] or len(content)) + 1, len(content))
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        self.wfile.write(content[start:stop])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Address of a product folder on loopback."""
    mosaic(tmp_path, MOSAIC_PROFILES[20])
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(RangeHandler, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class TestVrtOverHttp:
    """The index of a mosaic on a web server"""

    def test_finds_its_files_beside_it(self, served: str, tmp_path: Path) -> None:
        window = RasterioWindow(280, 190, 40, 20)
        with rasterio.open(tmp_path / "mosaic_20.vrt") as index:
            expected = index.read(window=window)
        options = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_HTTP_TIMEOUT": 20, "no_proxy": "127.0.0.1"}
        with rasterio.Env(**options), rasterio.open(f"/vsicurl/{served}/mosaic_20.vrt") as index:
            np.testing.assert_array_equal(index.read(window=window), expected)
