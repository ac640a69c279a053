#!/bin/sh
# CPU of the text import against the C parser and mawk; see README.md.
#
# PEERS holds ptgen, ptconv and ptparse. CAPTURE is ftrace text of a real kernel, not compressed.
set -eu
[ $# -ge 2 ] || { echo "usage: import.sh PEERS CAPTURE [RUNS]" >&2; exit 2; }
peers=$(cd "$1" && pwd)
capture=$(realpath "$2")
runs=${3:-5}
cd "$(dirname "$0")/.."
swift build -c release --product tracetool >/dev/null
tool=$PWD/.build/release/tracetool
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
cd "$data"
"$peers/ptgen" 2500000 1 g.raw 2>/dev/null
"$peers/ptconv" ftrace g.raw g.txt >/dev/null
rm g.raw
python3 - "$tool" "$peers/ptparse" "$capture" "$runs" <<'PYTHON'
import os, statistics, subprocess, sys
tool, ptparse, capture, runs = sys.argv[1:4] + [int(sys.argv[4])]
# Looks at every field, and takes keys from values.
words = '{ for (i = 1; i <= NF; i++) { at = index($i, "="); if (at) n += length(substr($i, at + 1)) } } END { print n }'
rows = {
    "ours, capture": (capture, [tool, "import", "-q", capture, "-o", "x.ptt"]),
    "mawk, capture": (capture, ["mawk", words, capture]),
    "ours, ptgen's text": ("g.txt", [tool, "import", "-q", "g.txt", "-o", "x.ptt"]),
    "ptparse": ("g.txt", [ptparse, "g.txt"]),
    "mawk, ptgen's text": ("g.txt", ["mawk", words, "g.txt"]),
}
seconds = {name: [] for name in rows}
peak = {}
for _ in range(runs):
    for name, (_, command) in rows.items():
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"{name} failed")
        seconds[name].append(usage.ru_utime + usage.ru_stime)
        peak[name] = usage.ru_maxrss / 1024
rate = {}
for name, (path, _) in rows.items():
    rate[name] = os.path.getsize(path) / 1e6 / statistics.median(seconds[name])
    print(f"{name:28}{rate[name]:8.0f} MB/s of CPU{peak[name]:6.0f} MiB")
own = rate["ours, capture"]
print(f"capture: {own / rate['ptparse']:.2f} x the MB/s of ptparse, "
      f"{own / rate['mawk, capture']:.2f} x those of mawk")
PYTHON
