#!/bin/sh
# Bytes per event and CPU ratios of the trace file against peers; see README.md.
set -eu
[ $# -ge 1 ] || { echo "usage: format.sh PEERS [MILLIONS [RUNS]]" >&2; exit 2; }
peers=$(cd "$1" && pwd)
millions=${2:-10}
runs=${3:-5}
cd "$(dirname "$0")"
swift build -c release --product formatbench >/dev/null
(cd .. && swift build -c release --product tracetool >/dev/null)
ours=$PWD/.build/release/formatbench
tool=$PWD/../.build/release/tracetool
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
cd "$data"
"$peers/ptgen" "${millions}000000" 1 g.raw 2>/dev/null
"$ours" convert g.raw g.ptt
"$ours" verify g.raw g.ptt
"$peers/ptcol" enc g.raw g.ptc 2>/dev/null
zstd -q -3 g.raw -o g.zst
echo "== ptgen stream, B/event: column, stored, before compression"
"$ours" columns g.ptt
python3 - "$ours" "$peers/ptcol" "$runs" "$millions" <<'PYTHON'
import os, resource, statistics, subprocess, sys, time
ours, ptcol, runs, millions = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rows = {
    "zstd -3 of rows": ["zstd", "-q", "-f", "-3", "g.raw", "-o", "x"],
    "ptcol enc": [ptcol, "enc", "g.raw", "x"],
    "ours encode": [ours, "convert", "g.raw", "x.ptt"],
    "ours encode, 2 workers": [ours, "convert", "g.raw", "x.ptt", "2"],
    "zstd -d of rows": ["zstd", "-q", "-f", "-d", "g.zst", "-o", "x"],
    "ptcol dz": [ptcol, "dz", "g.ptc"],
    "ptcol dec": [ptcol, "dec", "g.ptc"],
    "ours decode": [ours, "decode", "g.ptt"],
    "ours decode, 2 workers": [ours, "decode", "g.ptt", "2"],
}
seconds = {name: [] for name in rows}
elapsed = {name: [] for name in rows}
for _ in range(runs):
    for name, command in rows.items():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        elapsed[name].append(time.monotonic() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
median = {name: statistics.median(values) for name, values in seconds.items()}
print("== CPU seconds, medians of", runs)
for name, value in median.items():
    print(f"{name}\t{value:.3f}\t{millions / value:.1f} M events/s")
print(f"encode: {median['zstd -3 of rows'] / median['ours encode']:.2f} x the events/s of zstd -3")
print(f"decode: {median['ours decode'] / median['ptcol dec']:.2f} x the CPU of ptcol dec")
shortest = {name: min(values) for name, values in elapsed.items()}
for row in ["ours encode", "ours decode"]:
    gain = shortest[row] / shortest[row + ", 2 workers"]
    print(f"{row}: two workers take 1/{gain:.2f} of the time of one (shortest of each)")
size = os.path.getsize
print(f"size: {size('g.ptt') / size('g.zst'):.3f} x zstd -3 of rows, "
      f"{size('g.ptt') / size('g.ptc'):.3f} x ptcol")
PYTHON
echo "== simulator stream, B/event: column, stored, before compression"
"$tool" record --stage S1.sbi --workload munmap-churn -o s.ptt >/dev/null
"$ours" columns s.ptt
"$ours" rows s.ptt s.rows
zstd -q -3 s.rows -o s.zst
echo "size: $(wc -c < s.ptt) bytes, rows of 48 bytes + zstd -3: $(wc -c < s.zst)"
