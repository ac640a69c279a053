#!/bin/sh
# Peak memory and CPU of every verb over ptgen's stream at two sizes; see README.md.
#
# PEERS holds ptgen.
set -eu
[ $# -ge 1 ] || { echo "usage: memory.sh PEERS [MILLIONS LARGE_MILLIONS]" >&2; exit 2; }
peers=$(cd "$1" && pwd)
small=${2:-10}
large=${3:-100}
cd "$(dirname "$0")"
swift build -c release --product formatbench >/dev/null
(cd .. && swift build -c release --product tracetool >/dev/null)
ours=$PWD/.build/release/formatbench
tool=$PWD/../.build/release/tracetool
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
cd "$data"
for millions in "$small" "$large"; do
  "$peers/ptgen" "${millions}000000" 1 g.raw 2>/dev/null
  "$ours" convert g.raw "$millions.ptt"
  rm g.raw
done
python3 - "$tool" "$small" "$large" <<'PYTHON'
import os
import subprocess
import sys
tool, small, large = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
verbs = {
    "info": ["info", "{}.ptt"],
    "dump": ["dump", "{}.ptt"],
    "export ndjson": ["export", "--format", "ndjson", "{}.ptt"],
    "check": ["check", "{}.ptt"],
    "diff with itself": ["diff", "{}.ptt", "{}.ptt"],
    "fingerprint": ["fingerprint", "{}.ptt"],
    "replay at the end": ["replay", "--at", "{last}", "{}.ptt"],
    "slice of the middle": ["slice", "--ordinal", "{middle}", "{}.ptt", "-o", "x.ptt"],
    "merge (given, twice)": ["merge", "--order", "given", "{}.ptt", "{}.ptt", "-o", "x.ptt"],
    "recover": ["recover", "{}.ptt", "-o", "x.ptt"],
}


def run(verb, millions):
    events = millions * 1_000_000
    places = {"last": events - 1, "middle": f"{events // 2}..{events // 2 + 1000}"}
    command = [word.format(millions, **places) for word in verbs[verb]]
    process = subprocess.Popen(
        [tool] + command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1, 3):
        sys.exit(f"{verb} ended with {code}: {errors.decode()}")
    return usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


print(f"{'':24}{small:>6} M{'CPU':>9}{large:>9} M{'CPU':>9}   memory")
for verb in verbs:
    (low, short), (high, long) = run(verb, small), run(verb, large)
    print(f"{verb:24}{low:4.0f} MiB{short:7.1f} s{high:7.0f} MiB{long:7.1f} s{high / low:8.2f} x",
          flush=True)
PYTHON
