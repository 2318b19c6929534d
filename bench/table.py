"""The figures of a benchmark as a small table."""

from typing import Any

_KINDS = {
    "decode": "decode each needed JPEG 2000 tile once",
    "small": "read SCL, cloud probability, four bands at 60 m of all scenes",
    "write": "write the delivered GeoTIFFs from memory",
}


def table(record: dict[str, Any]) -> str:
    """Lay a record out for a terminal.

    Args:
        record: as `python -m bench` keeps it.
    """
    return "\n".join([*_head(record), "", *_costs(record), "", *_foot(record)])


def _head(record: dict[str, Any]) -> list[str]:
    machine, archive = record["machine"], record["archive"]
    rates = archive["bits_per_pixel"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    made = f"made in {archive['seconds']:.0f} s" if archive["seconds"] else "from the cache"
    return [
        f"senard bench {record['size']}, commit {machine['commit']}",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB, "
        f"load before {machine['load']}",
        versions,
        f"{len(archive['products'])} simulated products of {archive['side_px']} px, {archive['bytes'] / 1e9:.2f} GB, "
        f"{made}; area {archive['area_km2']:.0f} km²",
        "bits per pixel: " + ", ".join(f"{key[:3]} {rate:.1f}" for key, rate in rates.items()),
    ]


def _costs(record: dict[str, Any]) -> list[str]:
    job, floor, processes = record["job"], record["floor"], record["processes"]
    rows = [_row("", "wall s", "CPU s"), _row(f"the job, --njobs {processes}", job["seconds"], job["cpu_seconds"])]
    rows += [_row(f"  {kind['tasks']} x {kind['kind']}", kind["seconds"], kind["cpu_seconds"]) for kind in job["tasks"]]
    rest = job["cpu_seconds"] - sum(kind["cpu_seconds"] for kind in job["tasks"])
    rows.append(_row("  start, report and checksums", "", rest))
    for count, run in floor["runs"].items():
        rows.append(_row(f"the floor, {count} at once", run["seconds"], run["cpu_seconds"]))
        rows += [_row(f"  {_KINDS[name]}", kind["seconds"], kind["cpu_seconds"]) for name, kind in run["kinds"].items()]
        ratio = record["ratio"][count]
        rows.append(_row(f"ratio: job / floor, {count} at once", f"{ratio['wall']:.2f}", f"{ratio['cpu']:.2f}"))
    return rows


def _foot(record: dict[str, Any]) -> list[str]:
    job, floor = record["job"], record["floor"]
    written = floor["runs"][str(record["processes"])]["bytes_written"]
    return [
        f"peak memory: {job['peak_process_bytes'] / 2**20:.0f} MiB the largest process, "
        f"{job['peak_sum_bytes'] / 2**20:.0f} MiB the sum of all (shared pages counted in each)",
        f"JPEG 2000 tiles: {job['jp2_tiles_decoded']} decoded for composing, {floor['needed_tiles']} needed; "
        f"{floor['needed_tiles_per_mosaic_tile']} if every mosaic tile decodes for itself",
        f"written: {floor['delivered_bytes'] / 1e6:.1f} MB by the job, {written / 1e6:.1f} MB by the floor",
        "Seconds of single kinds are summed over tasks that ran at the same time.",
    ]


def _row(name: str, wall: object, cpu: object) -> str:
    cells = [f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in (wall, cpu)]
    return f"{name:<64}{cells[0]:>10}{cells[1]:>10}"
