#!/usr/bin/env python3
"""Cost of a scan against the number of walkers, as a table and as an SVG, and cost and memory of a crowd.

    cargo build --release -p vedette -p vedette-sim
    tests/peers/scaling.py --out scaling.svg
    tests/peers/scaling.py --crowd

Walkers and clutter grow with the area, so that the density stays that of the scene s50. The crowd is 1,000 walkers and
200 clutter plots on 10 x 2 km. CPU is user and system time of `vedette replay`, reading included, less that of an empty
scene of as many scans (start and reading of the configuration). Memory is the most that the process had resident.
"""

import argparse
import math
import os
import pathlib
import subprocess
import tempfile

# The scene s50: walkers, clutter plots in a scan, extent in metres.
WALKERS, CLUTTER, AREA_M = 50, 30, (10_000, 2_000)
SCANS = 30
# The crowd: walkers and clutter plots on the same area.
CROWD, CROWD_CLUTTER = 1_000, 200


def run(command):
    """User and system time of a command in seconds, and the most memory it had resident in MiB."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        complaint = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=complaint)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(simulator, vedette, walkers, clutter, area_m):
    """CPU milliseconds for each scan with so many walkers, and resident MiB."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        size = ["--walkers", str(walkers), "--clutter", str(clutter), "--scans", str(SCANS)]
        area = ["--area", *(str(extent) for extent in area_m)]
        generate = [simulator, "generate", "--bench", "s50", *size, *area, "--out", folder]
        subprocess.run(generate, check=True, capture_output=True)
        replay = [vedette, "replay", folder / "detections.jsonl", "--config", folder / "gateway.toml"]
        seconds, resident_mib = run([*replay, "--tracks", folder / "tracks.jsonl", "--every", "10s"])
        return 1000 * seconds / SCANS, resident_mib


def at_density(simulator, vedette, walkers):
    """CPU milliseconds for each scan with so many walkers at the density of s50."""
    factor = walkers / WALKERS
    side = math.sqrt(max(factor, 1e-3))
    return measure(simulator, vedette, walkers, CLUTTER * factor, [extent * side for extent in AREA_M])[0]


def svg(points):
    """A log-log plot of (walkers, milliseconds) with the slope of n log n through the first point."""
    width, height, margin = 640, 420, 60
    least = math.floor(math.log10(min(cost for _, cost in points)))
    greatest = math.ceil(math.log10(max(cost for _, cost in points)))
    first, last = math.log10(points[0][0]), math.log10(points[-1][0])

    def place(walkers, cost):
        x = margin + (math.log10(walkers) - first) / (last - first) * (width - 2 * margin)
        y = height - margin - (math.log10(cost) - least) / (greatest - least) * (height - 2 * margin)
        return f"{x:.1f},{y:.1f}"

    reference_n, reference_ms = points[0]
    scale = reference_ms / (reference_n * math.log(reference_n))
    curve = " ".join(
        place(n, min(scale * n * math.log(n), 10**greatest)) for n, _ in points if scale * n * math.log(n) > 10**least
    )
    measured = " ".join(place(*point) for point in points)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for exponent in range(least, greatest + 1):
        x, y = place(points[0][0], 10**exponent).split(",")
        parts.append(f'<line x1="{x}" y1="{y}" x2="{width - margin}" y2="{y}" stroke="#ddd"/>')
        parts.append(f'<text x="{margin - 8}" y="{float(y) + 4:.1f}" text-anchor="end">{10.0**exponent:g}</text>')
    for walkers, _ in points:
        x = place(walkers, 10**least).split(",")[0]
        parts.append(f'<text x="{x}" y="{height - margin + 20}" text-anchor="middle">{walkers}</text>')
    parts.append(f'<polyline points="{curve}" fill="none" stroke="#999" stroke-dasharray="5 4"/>')
    parts.append(f'<polyline points="{measured}" fill="none" stroke="#0b5fa5" stroke-width="2"/>')
    for walkers, cost in points:
        x, y = place(walkers, cost).split(",")
        parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="#0b5fa5"/>')
    parts.append(f'<text x="{width / 2}" y="{height - 14}" text-anchor="middle">walkers</text>')
    parts.append(f'<text x="{margin}" y="30">CPU ms for each scan; dashed: n log n through the first point</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def main():
    """Measures, prints and draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--walkers", nargs="+", type=int, default=[100, 300, 1_000, 3_000, 10_000])
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("target/release"), help="folder of the binaries")
    parser.add_argument("--vedette", type=pathlib.Path, help="the binary vedette, if it is elsewhere")
    parser.add_argument("--crowd", action="store_true", help="only the crowd of 1,000 walkers")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("scaling.svg"))
    arguments = parser.parse_args()
    simulator, vedette = arguments.bin / "vedette-sim", arguments.vedette or arguments.bin / "vedette"

    if arguments.crowd:
        start_ms, _ = measure(simulator, vedette, 0, 0, AREA_M)
        cost, resident_mib = measure(simulator, vedette, CROWD, CROWD_CLUTTER, AREA_M)
        print("| walkers | clutter plots | CPU ms/scan | resident MiB |")
        print("|---|---|---|---|")
        print(f"| {CROWD} | {CROWD_CLUTTER} | {cost - start_ms:.2f} | {resident_mib:.1f} |")
        return
    start_ms = at_density(simulator, vedette, 0)
    points = []
    print("| walkers | CPU ms/scan | against n log n |")
    print("|---|---|---|")
    for walkers in arguments.walkers:
        cost = max(at_density(simulator, vedette, walkers) - start_ms, 1e-3)
        points.append((walkers, cost))
        expected = points[0][1] * walkers * math.log(walkers) / (points[0][0] * math.log(points[0][0]))
        print(f"| {walkers} | {cost:.2f} | {cost / expected:.2f} |", flush=True)
    arguments.out.write_text(svg(points))


if __name__ == "__main__":
    main()
