#!/bin/sh
# Bytes of the trace file against Parquet, trace.dat v7 and compressed rows of the same events; see README.md.
#
# PEERS holds ptgen and ptconv; PYTHON (python3) has pyarrow and numpy; zstd and trace-cmd come from
# the system. CAPTURES is a folder with trace.dat files somewhere below it.
set -eu
[ $# -ge 1 ] || { echo "usage: size.sh PEERS [MILLIONS [CAPTURES]]" >&2; exit 2; }
peers=$(cd "$1" && pwd)
millions=${2:-10}
captures=${3:+$(cd "$3" && pwd)}
python=${PYTHON:-python3}
cd "$(dirname "$0")"
swift build -c release --product formatbench >/dev/null
(cd .. && swift build -c release --product tracetool >/dev/null)
ours=$PWD/.build/release/formatbench
tool=$PWD/../.build/release/tracetool
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
cd "$data"

# Rows in FILE as a Parquet file in each encoding that might be the smallest; prints the smallest.
parquet() {
  "$python" - "$1" "$2" <<'PYTHON'
import sys
import numpy
import pyarrow
import pyarrow.parquet
path, kind = sys.argv[1:]
layouts = {
    "ptgen": [("time", "<u8"), ("key", "<u8"), ("mm", "<u4"), ("batch", "<u4"), ("aux", "<u4"),
              ("cpu", "<u2"), ("flags", "<u2")],
    "events": [("time", "<u8"), ("object", "<u8"), ("arg0", "<u8"), ("arg1", "<u8"),
               ("generation", "<u4"), ("task", "<u4"), ("cpu", "<u2"), ("kind", "u1"),
               ("context", "u1"), ("level", "u1"), ("flags", "u1"), ("rest", "<u2")],
}
rows = numpy.memmap(path, dtype=numpy.dtype(layouts[kind]), mode="r")
columns = {name: numpy.ascontiguousarray(rows[name]) for name in rows.dtype.names if name != "rest"}
if kind == "ptgen":
    key = columns.pop("key")
    columns["type"] = (key >> 56).astype("u1")
    columns["level"] = (key >> 52 & 15).astype("u1")
    columns["pfn"] = (key & (1 << 52) - 1).view("i8")
wide = {name for name, values in columns.items() if values.dtype.itemsize >= 4}
columns = {name: values.view("i8") if values.dtype == "<u8" else values.astype("i4")
           if values.dtype == "<u4" else values for name, values in columns.items()}
table = pyarrow.table(columns)
small = [name for name in columns if name not in wide]
encodings = {
    "dictionaries": dict(),
    "deltas": dict(use_dictionary=small,
                   column_encoding={name: "DELTA_BINARY_PACKED" for name in wide}),
    "delta of time": dict(use_dictionary=[name for name in columns if name != "time"],
                          column_encoding={"time": "DELTA_BINARY_PACKED"}),
}
best = None
for name, options in encodings.items():
    for level in (3, 9):
        pyarrow.parquet.write_table(
            table, "x.parquet", compression="zstd", compression_level=level, version="2.6",
            row_group_size=1 << 20, **options)
        with open("x.parquet", "rb") as file:
            size = file.seek(0, 2)
        if best is None or size < best[0]:
            best = (size, f"{name}, zstd -{level}")
print(f"{best[0]}\tParquet ({best[1]})")
PYTHON
}

# Prints `bytes<TAB>name` lines as a table; the first is ours.
compare() {
  awk -F '\t' -v events="$1" '
    NR == 1 { own = $1 }
    { printf "%-44s %12d bytes %7.3f B/event", $2, $1, $1 / events
      if (NR > 1) printf "   ours is %.3f x", own / $1
      print "" }'
}

echo "== ptgen stream, $millions M events"
"$peers/ptgen" "${millions}000000" 1 g.raw 2>/dev/null
"$ours" convert g.raw g.ptt
{
  printf '%s\tours\n' "$(wc -c < g.ptt)"
  parquet g.raw ptgen
  "$peers/ptconv" tracedat g.raw g.dat >/dev/null 2>&1
  trace-cmd convert -i g.dat -o g7.dat --file-version 7 --compression zstd >/dev/null 2>&1
  printf '%s\ttrace.dat v7, zstd\n' "$(wc -c < g7.dat)"
  rm -f g.dat g7.dat
  zstd -q -3 g.raw -o g.zst
  printf '%s\trows of 32 bytes, zstd -3\n' "$(wc -c < g.zst)"
} | compare "${millions}000000"
rm -f g.*

echo "== simulator stream (S1.sbi, munmap-churn), $millions M events"
"$tool" record -q --stage S1.sbi --workload munmap-churn --events "${millions}000000" -o s.ptt
"$ours" rows s.ptt s.rows
events=$(($(wc -c < s.rows) / 48))
{
  printf '%s\tours\n' "$(wc -c < s.ptt)"
  parquet s.rows events
  "$ours" tracedat s.ptt s.dat
  trace-cmd convert -i s.dat -o s7.dat --file-version 7 --compression zstd >/dev/null 2>&1
  printf '%s\ttrace.dat v7, zstd\n' "$(wc -c < s7.dat)"
  rm -f s.dat s7.dat
  zstd -q -3 s.rows -o s.zst
  printf '%s\trows of 48 bytes, zstd -3\n' "$(wc -c < s.zst)"
} | compare "$events"
"$tool" info --columns s.ptt | sed -n '/^column/,/^$/p'
rm -f s.*

[ -n "$captures" ] || exit 0
echo "== captures with a trace.dat"
find "$captures" -name 'trace.dat*' | sort | while read -r file; do
  case $file in
    *.zst) zstd -q -f -d "$file" -o c.dat ;;
    *) cp "$file" c.dat ;;
  esac
  "$tool" import -q c.dat -o c.ptt
  events=$("$tool" info --format json c.ptt | sed -n 's/^  "events": \([0-9]*\),/\1/p')
  trace-cmd convert -i c.dat -o c7.dat --file-version 7 --compression zstd >/dev/null 2>&1
  echo "-- ${file#"$captures/"}: $events events"
  printf '%s\tours\n%s\ttrace.dat v7, zstd\n' "$(wc -c < c.ptt)" "$(wc -c < c7.dat)" \
    | compare "$events"
  rm -f c.*  c7.dat
done
