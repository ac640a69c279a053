#!/usr/bin/env python3
"""Compares what decode.py reads of a trace with what `tracetool dump --format ndjson` printed of it.

usage: compare.py TRACE NDJSON
"""
import json, sys
import decode

CONTEXTS = ["?", "task", "softirq", "hardirq", "kthread"]
LEVELS = ["?", "pte", "pmd", "pud", "p4d", "pgd"]
VALUES = {
    "free function": ["?", "pagetable_free", "free_page_and_swap_cache",
                      "free_pages_and_swap_cache", "__folio_put"],
    "callback function": ["?", "tlb_remove_table_rcu", "pte_free_now", "__tlb_remove_table_one_rcu"],
    "reader class": ["?", "G", "M", "L", "N", "P"],
    "flush route": ["?", "firmware", "ipi", "broadcast"],
    "cause": ["unknown", "ring-buffer overrun", "lost events", "damaged file", "unread rest"],
}


def fields():
    """name of a kind: (number, [(name, type) of object, arg0, arg1])."""
    rows, found = {}, False
    for line in open(decode.DOC, encoding="utf-8"):
        found = found or line.startswith("## Event kinds")
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if found and len(cells) == 6 and cells[0].isdigit():
            pairs = [(cells[3], cells[3])]
            pairs += [tuple(c.split(": ")) if c else ("", "") for c in cells[4:]]
            rows[cells[1]] = (int(cells[0]), pairs)
    return rows


def number(value, kind):
    if value is None: return decode.M
    if isinstance(value, int): return value & decode.M
    if value.startswith("0x"): return int(value, 16)
    return VALUES[kind].index(value)


def main(trace, oracle):
    table, data = fields(), open(trace, "rb").read()
    count = first = decode.firstOrdinal(data)
    with open(oracle, encoding="utf-8") as lines:
        for event in decode.events(data):
            line = json.loads(next(lines))
            kind, pairs = table[line["event"]]
            flags = 8 * ("shared" in line) + 4 * ("reclaimed" in line) + 2 * ("kernel_table" in line)
            told = [kind, line["time"], 65535 if line["cpu"] is None else line["cpu"], line["task"],
                    CONTEXTS.index(line["context"])]
            told += [number(line[name], of) if name else 0 for name, of in pairs]
            told += [LEVELS.index(line.get("level", "?")), flags + line["inferred"],
                     line.get("generation", 0)]
            if line["ordinal"] != count or told != event:
                sys.exit("%s: event %d: %s, but %s" % (trace, count, event, told))
            count += 1
        if next(lines, None) is not None:
            sys.exit("%s: ends after %d events" % (trace, count - first))
    print("%s: %d events agree" % (trace, count - first))


if __name__ == "__main__":
    main(*sys.argv[1:])
