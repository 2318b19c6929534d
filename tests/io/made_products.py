"""Hand-made products: real structure and XML, images of a few bytes that only look like JPEG 2000."""

import hashlib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from senard.model.sentinel2 import BANDS

WHOLE_JP2 = b"\xff\x4f\xff\x51" + b"pixels" + b"\xff\xd9"

L2A_IMAGES = (
    *(f"R10m/{band}_10m" for band in ("B02", "B03", "B04", "B08", "TCI")),
    *(f"R20m/{band}_20m" for band in ("B05", "B06", "B07", "B8A", "B11", "B12", "SCL")),
    *(f"R60m/{band}_60m" for band in ("B01", "B02", "B04", "B8A", "B11", "AOT")),
)


@dataclass(frozen=True, kw_only=True)
class MadeProduct:
    """What a hand-made product says of itself."""

    product_id: str = "S2B_MSIL2A_20240615T104619_N0510_R051_T31TCJ_20240615T133822"
    product_type: str = "S2MSI2A"
    baseline: str = "05.10"
    offset: int | None = -1000
    cloud_cover: str = "12.5"
    footprint: str = "43 1 44 1 44 2 43 2 43 1"
    sensing_time: str = "2024-06-15T10:56:45.746550Z"
    datastrip_time: str = "20240615T104832"
    spacecraft: str = "Sentinel-2B"
    size: int = 1098
    algorithm: str = "SHA3-256"
    without: tuple[str, ...] = ()
    extra_granules: int = 0
    images: dict[str, bytes] = field(default_factory=dict)

    @property
    def tile(self) -> str:
        return self.product_id.split("_T")[1][:5]

    @property
    def granule(self) -> str:
        return f"GRANULE/L2A_T{self.tile}_A038000_{self.datastrip_time}"

    def image(self, name: str) -> str:
        """Place of an image: "R10m/B04_10m"."""
        folder, stem = name.split("/")
        return f"{self.granule}/IMG_DATA/{folder}/T{self.tile}_{self.product_id.split('_')[2]}_{stem}"

    def members(self) -> dict[str, bytes]:
        files = {f"{self.image(name)}.jp2": WHOLE_JP2 for name in L2A_IMAGES}
        files |= {
            f"{self.granule}/QI_DATA/MSK_CLDPRB_60m.jp2": WHOLE_JP2,
            f"{self.granule}/QI_DATA/MSK_DETFOO_B02.jp2": WHOLE_JP2,
            f"{self.granule}/MTD_TL.xml": self.granule_xml().encode(),
            "MTD_MSIL2A.xml": self.product_xml().encode(),
            "HTML/UserProduct_index.html": b"<html/>",
        }
        files |= self.images
        files = {place: data for place, data in files.items() if not any(part in place for part in self.without)}
        return {"manifest.safe": self.manifest(files).encode(), **files}

    def product_xml(self) -> str:
        offsets = "".join(
            f'<BOA_ADD_OFFSET band_id="{band.band_id}">{self.offset}</BOA_ADD_OFFSET>' for band in BANDS.values()
        )
        images = "".join(f"<IMAGE_FILE>{self.image(name)}</IMAGE_FILE>" for name in L2A_IMAGES)
        granules = "".join(
            f'<Granule granuleIdentifier="G{number}" datastripIdentifier="S2B_OPER_MSI_L2A_DS_2BPS_20240615T133822_'
            f'S{self.datastrip_time}_N{self.baseline}" imageFormat="JPEG2000">{images if number == 0 else ""}</Granule>'
            for number in range(1 + self.extra_granules)
        )
        start = self.product_id.split("_")[2]
        stated = f"{start[:4]}-{start[4:6]}-{start[6:8]}T{start[9:11]}:{start[11:13]}:{start[13:15]}.024Z"
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd">
<n1:General_Info><Product_Info><PRODUCT_URI>{self.product_id}.SAFE</PRODUCT_URI>
<PRODUCT_TYPE>{self.product_type}</PRODUCT_TYPE><PROCESSING_BASELINE>{self.baseline}</PROCESSING_BASELINE>
<GENERATION_TIME>2024-06-15T13:38:22.000000Z</GENERATION_TIME>
<Datatake datatakeIdentifier="GS2B_{start}_038000_N{self.baseline}">
<SPACECRAFT_NAME>{self.spacecraft}</SPACECRAFT_NAME>
<DATATAKE_SENSING_START>{stated}</DATATAKE_SENSING_START><SENSING_ORBIT_NUMBER>51</SENSING_ORBIT_NUMBER></Datatake>
<Product_Organisation><Granule_List>{granules}</Granule_List></Product_Organisation></Product_Info>
<Product_Image_Characteristics><QUANTIFICATION_VALUES_LIST>
<BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
<AOT_QUANTIFICATION_VALUE unit="none">1000.0</AOT_QUANTIFICATION_VALUE></QUANTIFICATION_VALUES_LIST>
{f"<BOA_ADD_OFFSET_VALUES_LIST>{offsets}</BOA_ADD_OFFSET_VALUES_LIST>" if self.offset is not None else ""}
</Product_Image_Characteristics></n1:General_Info>
<n1:Geometric_Info><Product_Footprint><Product_Footprint><Global_Footprint>
<EXT_POS_LIST>{self.footprint}</EXT_POS_LIST>
</Global_Footprint></Product_Footprint></Product_Footprint></n1:Geometric_Info>
<n1:Quality_Indicators_Info><Cloud_Coverage_Assessment>{self.cloud_cover}</Cloud_Coverage_Assessment>
</n1:Quality_Indicators_Info></n1:Level-2A_User_Product>
"""

    def granule_xml(self, angles: str = "") -> str:
        sizes = "".join(
            f'<Size resolution="{gsd}"><NROWS>{self.size * 10 // gsd}</NROWS><NCOLS>{self.size * 10 // gsd}</NCOLS>'
            f"</Size>"
            f'<Geoposition resolution="{gsd}"><ULX>300000</ULX><ULY>4900020</ULY><XDIM>{gsd}</XDIM><YDIM>-{gsd}</YDIM>'
            f"</Geoposition>"
            for gsd in (10, 20, 60)
        )
        angles = angles or (
            "<Mean_Sun_Angle><ZENITH_ANGLE>30.5</ZENITH_ANGLE><AZIMUTH_ANGLE>150</AZIMUTH_ANGLE></Mean_Sun_Angle>"
        )
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_Tile_ID xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-2A_Tile_Metadata.xsd">
<n1:General_Info><TILE_ID>S2B_OPER_MSI_L2A_TL_2BPS_20240615T133822_A038000_T{self.tile}_N{self.baseline}</TILE_ID>
<SENSING_TIME>{self.sensing_time}</SENSING_TIME></n1:General_Info>
<n1:Geometric_Info><Tile_Geocoding><HORIZONTAL_CS_CODE>EPSG:32631</HORIZONTAL_CS_CODE>{sizes}</Tile_Geocoding>
<Tile_Angles>{angles}</Tile_Angles></n1:Geometric_Info>
<n1:Quality_Indicators_Info><Image_Content_QI><CLOUDY_PIXEL_PERCENTAGE>{self.cloud_cover}</CLOUDY_PIXEL_PERCENTAGE>
</Image_Content_QI></n1:Quality_Indicators_Info></n1:Level-2A_Tile_ID>
"""

    def manifest(self, files: dict[str, bytes]) -> str:
        def digest(data: bytes) -> str:
            return hashlib.new({"SHA3-256": "sha3_256", "MD5": "md5"}[self.algorithm], data).hexdigest()

        objects = "".join(
            f'<dataObject><byteStream size="{len(data)}"><fileLocation href="./{place}" locatorType="URL"/>'
            f'<checksum checksumName="{self.algorithm}">{digest(data)}</checksum></byteStream></dataObject>'
            for place, data in files.items()
        )
        section = f"<dataObjectSection>{objects}</dataObjectSection>"
        return f'<xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1">{section}</xfdu:XFDU>'

    def write_folder(self, parent: Path) -> Path:
        """Write parent/NAME.SAFE."""
        root = parent / f"{self.product_id}.SAFE"
        for place, data in self.members().items():
            path = root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return root

    def write_zip(self, parent: Path, *, compression: int = zipfile.ZIP_DEFLATED) -> Path:
        """Write parent/NAME.zip."""
        parent.mkdir(parents=True, exist_ok=True)
        path = parent / f"{self.product_id}.zip"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for place, data in self.members().items():
                archive.writestr(f"{self.product_id}.SAFE/{place}", data)
        return path
