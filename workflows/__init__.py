"""Luigi and nothing else: what is made, from what, and where it lies.

`luigi --module workflows MosaicAOI …` imports this package: it registers the tasks and makes the command leave with
senard's exit codes.
"""

from workflows.collector import collector_at_rest

with collector_at_rest():
    from workflows.download import DeliverSafe, DownloadAOI
    from workflows.exit_codes import install
    from workflows.listing import ListAOI, PreviewAOI, PreviewScene
    from workflows.missing import FetchIfPossible
    from workflows.mosaic import MosaicAOI
    from workflows.planning import ForecastScene, PlanAOI
    from workflows.scenes import DownloadProduct, MaskScene, QueryScenes, Unzip
    from workflows.selection import (
        CorrectSlopes,
        LevelScenes,
        NormaliseViews,
        RankScenes,
        SelectSources,
        SettleScenes,
        SpareScenes,
        WeighScenes,
    )
    from workflows.sentinel2 import (
        BlendTile,
        BuildClassesVRT,
        BuildQualityVRT,
        BuildVRT,
        CompositeTile,
        WriteClasses,
        WriteQuality,
    )

__all__ = [
    "BlendTile",
    "BuildClassesVRT",
    "BuildQualityVRT",
    "BuildVRT",
    "CompositeTile",
    "CorrectSlopes",
    "DeliverSafe",
    "DownloadAOI",
    "DownloadProduct",
    "FetchIfPossible",
    "ForecastScene",
    "LevelScenes",
    "ListAOI",
    "MaskScene",
    "MosaicAOI",
    "NormaliseViews",
    "PlanAOI",
    "PreviewAOI",
    "PreviewScene",
    "QueryScenes",
    "RankScenes",
    "SelectSources",
    "SettleScenes",
    "SpareScenes",
    "Unzip",
    "WeighScenes",
    "WriteClasses",
    "WriteQuality",
]

install()
