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
        record: as `python -m bench` keeps it; parts that were not measured are absent.
    """
    parts = [_head(record)]
    if record["jobs"]:
        parts.append(_by_dates(record))
    if "floor" in record:
        parts += [_costs(record), _foot(record)]
    if "peers" in record:
        parts.append(_peers(record["peers"]))
    return "\n\n".join("\n".join(lines) for lines in parts)


def _head(record: dict[str, Any]) -> list[str]:
    machine, archive = record["machine"], record["archive"]
    rates = archive["bits_per_pixel"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    made = f", {archive['made']} of them made in {archive['cpu_seconds']:.0f} CPU-s" if archive["made"] else ""
    return [
        f"senard bench {record['size']}, commit {machine['commit']}",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB, "
        f"load before {machine['load']}",
        versions,
        f"{len(archive['products'])} simulated products of {archive['side_px']} px, {archive['bytes'] / 1e9:.2f} GB"
        f"{made}; area {archive['area_km2']:.0f} km²",
        "bits per pixel: " + ", ".join(f"{key[:3]} {rate:.1f}" for key, rate in rates.items()),
    ]


def _by_dates(record: dict[str, Any]) -> list[str]:
    """What more dates add."""
    rows = [_columns(f"the job, --njobs {record['processes']}", "wall s", "CPU s", "scenes", "MiB one", "MiB all")]
    for number, job in record["jobs"].items():
        run = job["run"]
        memory = (f"{run[name] / 2**20:.0f}" for name in ("peak_process_bytes", "peak_sum_bytes"))
        rows.append(_columns(f"{number} dates", run["seconds"], run["cpu_seconds"], job["scenes_used"], *memory))
    rows += [f"CPU-seconds from {key} dates: {grown:+.1f} %" for key, grown in record["growth"].items()]
    rows.append("Memory: the largest process, and the sum of all; pages that they share count in each.")
    return rows


def _costs(record: dict[str, Any]) -> list[str]:
    floor, processes = record["floor"], record["processes"]
    job = record["jobs"][str(floor["dates"])]
    cpu = job["run"]["cpu_seconds"]
    rows = [
        _columns(f"{floor['dates']} dates", "wall s", "CPU s"),
        _columns(f"the job, --njobs {processes}", job["run"]["seconds"], cpu),
    ]
    rows += [
        _columns(f"  {kind['tasks']} x {kind['kind']}", kind["seconds"], kind["cpu_seconds"]) for kind in job["tasks"]
    ]
    rows.append(_columns("  start, report and checksums", "", cpu - sum(kind["cpu_seconds"] for kind in job["tasks"])))
    for count, run in floor["runs"].items():
        rows.append(_columns(f"the floor, {count} at once", run["seconds"], run["cpu_seconds"]))
        rows += [
            _columns(f"  {_KINDS[name]}", kind["seconds"], kind["cpu_seconds"]) for name, kind in run["kinds"].items()
        ]
        ratio = record["ratio"][count]
        rows.append(_columns(f"ratio: job / floor, {count} at once", f"{ratio['wall']:.2f}", f"{ratio['cpu']:.2f}"))
    return rows


def _foot(record: dict[str, Any]) -> list[str]:
    floor = record["floor"]
    job = record["jobs"][str(floor["dates"])]
    written = floor["runs"][str(record["processes"])]["bytes_written"]
    return [
        f"JPEG 2000 tiles: {job['jp2_tiles_decoded']} decoded for composing, {floor['needed_tiles']} needed; "
        f"{floor['needed_tiles_per_mosaic_tile']} if every mosaic tile decodes for itself",
        f"written: {floor['delivered_bytes'] / 1e6:.1f} MB by the job, {written / 1e6:.1f} MB by the floor",
        "Seconds of single kinds are summed over tasks that ran at the same time.",
    ]


def _peers(peers: dict[str, Any]) -> list[str]:
    """Everybody on the window."""
    title = f"window of {peers['window_px']} px, {peers['dates']} dates, ten bands"
    rows = [_columns(title, "wall s", "CPU s", "CPU / own", "MiB one", "MiB all", "filled %")]
    for one in peers["runs"]:
        run = one["run"]
        memory = (f"{run[name] / 2**20:.0f}" for name in ("peak_process_bytes", "peak_sum_bytes"))
        ratio = f"{peers['ratio'].get(one['name'], 1.0):.2f}"
        filled = f"{100 * one['filled']:.2f}"
        rows.append(_columns(one["name"], run["seconds"], run["cpu_seconds"], ratio, *memory, filled))
    return [*rows, ", ".join(f"{name} {number}" for name, number in peers["versions"].items())]


def _columns(name: str, *cells: object) -> str:
    texts = [f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in cells]
    return f"{name:<64}" + "".join(f"{text:>10}" for text in texts)
