#!/bin/sh
# CPU of the judge against the same nine checks by other means; see README.md.
#
# PEERS holds ptgen, ptcol, ptconv and ptcheck; SCRIPTS holds mktables.py, check_duckdb.py,
# check_polars.py and check.awk; PYTHON (python3) has duckdb, polars, pyarrow and numpy.
set -eu
[ $# -ge 2 ] || { echo "usage: check.sh PEERS SCRIPTS [MILLIONS [RUNS]]" >&2; exit 2; }
peers=$(cd "$1" && pwd)
scripts=$(cd "$2" && pwd)
millions=${3:-2}
runs=${4:-5}
python=${PYTHON:-python3}
cd "$(dirname "$0")"
swift build -c release --product checkbench >/dev/null
ours=$PWD/.build/release/checkbench
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
cd "$data"
"$peers/ptgen" "${millions}000000" 1 g.raw 2>/dev/null
"$peers/ptcol" enc g.raw g.ptc 3 16 2>/dev/null
"$peers/ptconv" ftrace g.raw g.txt >/dev/null
"$python" "$scripts/mktables.py" g.raw tables pq_mix >/dev/null
"$ours" convert g.raw g.ptt
echo "== the same nine counts"
"$peers/ptcheck" g.raw | cut -d' ' -f1-9
"$ours" fused g.ptt
"$ours" judged g.ptt
echo "== judge, resolver and fused checker over the same batches in memory"
"$ours" compare g.ptt "$runs"
echo "== file to verdict, one thread"
"$python" - "$ours" "$peers/ptcol" "$scripts" "$python" "$runs" <<'PYTHON'
import os, resource, statistics, subprocess, sys
ours, ptcol, scripts, python, runs = sys.argv[1:5] + [int(sys.argv[5])]
rows = {
    "ours, nine": [ours, "nine", "g.ptt"],
    "ours, all": [ours, "all", "g.ptt"],
    "ptcol prune": [ptcol, "prune", "g.ptc"],
    "duckdb": [python, f"{scripts}/check_duckdb.py", "tables/pq_mix.parquet", "1"],
    "polars": [python, "-W", "ignore", f"{scripts}/check_polars.py", "tables/pq_mix.parquet"],
    "mawk": ["mawk", "-f", f"{scripts}/check.awk", "g.txt"],
}
environment = dict(os.environ, POLARS_MAX_THREADS="1")
seconds = {name: [] for name in rows}
peak = {}
for _ in range(runs):
    for name, command in rows.items():
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"{name} failed")
        seconds[name].append(usage.ru_utime + usage.ru_stime)
        peak[name] = usage.ru_maxrss / 1024
median = {name: statistics.median(values) for name, values in seconds.items()}
for name, value in median.items():
    print(f"{name}\t{value:.3f} s\t{value / median['ours, nine']:.2f} x ours\t{peak[name]:.0f} MiB")
PYTHON
