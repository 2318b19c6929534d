"""The products as items of a STAC catalogue, as other programs search for them."""

import importlib
from datetime import datetime
from typing import Any

from bench.peers.question import FINE, AskedProduct, Question


def items_of(question: Question) -> list[Any]:
    """One pystac.Item for each product, whose assets are the local files."""
    pystac = importlib.import_module("pystac")
    return [_item(pystac, question, product) for product in question.products]


def _item(pystac: Any, question: Question, product: AskedProduct) -> Any:
    lons, lats = zip(*question.outline, strict=True)
    item = pystac.Item(
        id=product.product_id,
        geometry={"type": "Polygon", "coordinates": [[list(point) for point in question.outline]]},
        bbox=[min(lons), min(lats), max(lons), max(lats)],
        datetime=datetime.fromisoformat(product.time),
        properties={
            "proj:code": question.crs,
            "proj:epsg": int(question.crs.removeprefix("EPSG:")),
            "sat:relative_orbit": product.orbit,
            "s2:nodata_pixel_percentage": 0.0,
            "s2:high_proba_clouds_percentage": product.cloud_shadow,
            "s2:cloud_shadow_percentage": 0.0,
        },
        stac_extensions=["https://stac-extensions.github.io/projection/v1.1.0/schema.json"],
    )
    left, top = question.left - 10 * question.offset_px, question.top + 10 * question.offset_px
    for band, href in product.images.items():
        gsd = 10 if band in FINE else 20
        side = question.product_px * 10 // gsd
        fields = {"proj:shape": [side, side], "proj:transform": [gsd, 0, left, 0, -gsd, top]}
        item.add_asset(band, pystac.Asset(href=href, media_type="image/jp2", roles=["data"], extra_fields=fields))
    return item
