#!/usr/bin/env python3
"""A second reader of trace files, written from docs/FORMAT.md alone: prints one JSON array an event.

usage: decode.py FILE      needs Python 3 and, for compressed columns, the module zstandard.
An array is [kind, time, cpu, task, context, object, arg0, arg1, level, flags, generation].
"""
import json, os, struct, sys

M = (1 << 64) - 1
DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/FORMAT.md")


def crc32c(data, table=[]):
    if not table:
        for i in range(256):
            for _ in range(8):
                i = (i >> 1) ^ (0x82F63B78 if i & 1 else 0)
            table.append(i)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def check(what, isRight):
    if not isRight:
        raise ValueError(what)


def kinds():
    """number: (space, is arg0 an object, is arg1 one, starts a generation), from the document."""
    rows, found = {}, False
    for line in open(DOC, encoding="utf-8"):
        found = found or line.startswith("## Event kinds")
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if found and len(cells) == 6 and cells[0].isdigit():
            names = ("batch", "section", "mm", "child", "gather")
            refers = [c.endswith(": pfn") or c.split(":")[0] in names for c in cells[4:]]
            space = cells[2].rstrip(" +")
            rows[int(cells[0])] = (space, refers[0], refers[1], cells[2].endswith("+"))
    check("no table of kinds in FORMAT.md", rows)
    return rows


def unzigzag(x):
    return (x >> 1) ^ (-(x & 1) & M)


class Numbers:
    def __init__(self, heads, rest):
        self.values, place = [], 0
        for h in heads:
            check("head 255", h != 255)
            k = 0 if h < 192 else 1 if h < 224 else 2 if h < 248 else h - 245 if h < 254 else 4
            r = int.from_bytes(rest[place:place + k], "little")
            place += k
            base = (h if h < 192 else 192 + 256 * (h - 192) if h < 224
                    else 8384 + 65536 * (h - 224) if h < 248 else 0 if h < 254 else M + 1 - (1 << 32))
            self.values.append(base + r)
        check("rest of a column", place == len(rest))
        self.place = 0

    def next(self):
        self.place += 1
        return self.values[self.place - 1]

    def signed(self):
        return unzigzag(self.next())

    def isUsedUp(self):
        return self.place == len(self.values)


class Slot:
    def __init__(self, time):
        self.time, self.task, self.previous, self.shape = time, 0, 0, -1
        self.R, self.V = [0] * 64, [0] * 32
        self.rings, self.tops, self.recent = [[0] * 256, [0] * 256], [0, 0], []


def block(columns, count, time_base, kinds):
    if not count:
        return
    raw = lambda number: columns.get(number, b"")
    pair = lambda number: Numbers(raw(number), raw(number + 1))
    constants, runs, time, keys, numbers = pair(2), pair(8), pair(10), pair(12), pair(14)
    generations, jumps, tasks, ids = pair(17), pair(19), pair(21), pair(23)
    values, addresses, near = pair(25), pair(27), pair(29)
    unit, bias = struct.unpack("<QQ", raw(31)) if raw(31) else (1, 0)
    table = raw(1)
    shapes = [table[i:i + 15] for i in range(0, len(table), 15)]
    fixed = [[constants.signed() if s[p] == 16 else 0 for p in (6, 9, 12)] for s in shapes]
    levels = b"\0" + raw(16)
    key, generation = [0] * len(levels), [0] + generations.values
    bound, after, before, peer = ([0] * len(levels) for _ in range(4))
    check("generations", len(generation) == len(levels))
    listed, objects, L, slots, followers = len(levels), 1, [0] * 64, {}, {}
    tokens, tokens_rest, cpus, cpus_rest = iter(raw(4)), iter(raw(5)), iter(raw(6)), iter(raw(7))
    left, cpu = 0, 0

    def reference(slot, way, source, target):
        nonlocal objects
        S, o = slot.R[source], 0
        if way == 0: o = S
        elif way == 1: o = after[S]
        elif way == 2: o = before[S]
        elif way == 3: o = peer[S]
        elif way == 4:
            ring, top = slot.rings[source % 2], slot.tops[source % 2]
            o, ring[top] = ring[top], 0
            slot.tops[source % 2] = (top - 1) % 256
        elif way in (5, 6, 7):
            check("more objects than levels", objects < listed)
            o, objects = objects, objects + 1
            if way == 5: key[o] = (key[S] + keys.signed()) & M
            elif way == 6: key[o] = (L[target] + keys.signed()) & M
            else: key[o] = (64 * key[S] + bias) & M
            L[target] = key[o]
        elif way == 8:
            o = objects - 1 - numbers.next()
            check("object", o > 0)
        elif way == 9:
            x = numbers.next()
            check("recent", x < min(4096, len(slot.recent)))
            o = slot.recent[-1 - x]
        else: check("way %d" % way, False)
        if way in (5, 8): slot.recent.append(o)
        slot.R[target] = o
        return o

    def plain(slot, way, source, target, constant, subject):
        if way == 16: return constant
        if way == 17: return slot.V[source]
        if way == 18: v = slot.V[source] + values.signed()
        elif way in (19, 20): v = slot.V[source] + addresses.signed()
        elif way == 21: v = bound[subject]
        elif way == 22: v = bound[subject] + near.signed()
        else: check("way %d" % way, False)
        v &= M
        if way == 20: bound[subject] = v
        slot.V[target] = v
        return v

    for _ in range(count):
        if not left:
            cpu = next(cpus)
            if cpu == 255: cpu = next(cpus_rest) | next(cpus_rest) << 8
            left = runs.next() + 1
        left -= 1
        if cpu % 64 not in slots: slots[cpu % 64] = Slot(time_base)
        slot = slots[cpu % 64]
        F, t = followers.setdefault(slot.shape, [65535] * 4), next(tokens)
        if t < 4:
            number = F.pop(t)
        else:
            number = t - 4 if t < 255 else next(tokens_rest) | next(tokens_rest) << 8
            F.pop()
        F.insert(0, number)
        check("shape", number < len(shapes))
        slot.shape, s, constant = number, shapes[number], fixed[number]
        kind, context, flags, level, bits, bind = s[:6]
        check("kind %d" % kind, kind in kinds)
        space, refers0, refers1, starts = kinds[kind]
        check("shape of kind %d" % kind, (s[6] < 16, s[9] < 16, s[12] < 16, bits & 1)
              == (space != "", refers0, refers1, starts)
              and (bits >> 1 & 1) == (space not in ("", "grace period")))
        slot.time = (slot.time + unit * time.next()) & M
        if bits & 64: slot.previous, slot.task = slot.task, tasks.next()
        elif bits & 32: slot.previous, slot.task = slot.task, slot.previous
        out = [0, 0, 0]
        B, subject = slot.R[s[8]] if s[6] < 16 else 0, 0
        for field in (1, 2, 0):
            way, source, target = s[6 + 3 * field:9 + 3 * field]
            if way < 16:
                o = reference(slot, way, source, target)
                out[field] = key[o]
                if field == 0: subject = o
        if bits & 4: after[B], before[subject] = subject, B
        if bits & 128: generation[subject] = jumps.next()
        elif bits & 1: generation[subject] = (generation[subject] + 1) & 0xFFFFFFFF
        if bits & 8:
            ring = bits >> 4 & 1
            slot.tops[ring] = (slot.tops[ring] + 1) % 256
            slot.rings[ring][slot.tops[ring]] = subject
        if bind: peer[slot.R[bind]] = subject
        for field in (0, 1, 2):
            way, source, target = s[6 + 3 * field:9 + 3 * field]
            if way >= 16: out[field] = plain(slot, way, source, target, constant[field], subject)
        yield [kind, slot.time, cpu, ids.values[slot.task], context, *out,
               levels[subject] if level == 6 else level, flags,
               generation[subject] if bits & 2 else 0]
    for column in (constants, runs, time, keys, numbers, jumps, tasks, values, addresses, near):
        check("a column is longer than its events", column.isUsedUp())
    for column in (tokens, tokens_rest, cpus, cpus_rest):
        check("a column is longer than its events", next(column, None) is None)
    check("objects", left == 0 and objects == listed)


def decompress(data, length):
    import zstandard
    return zstandard.ZstdDecompressor().decompress(data, max_output_size=length)


def snapshot(data, behind):
    """Checks one; its events are none of this file's."""
    header = struct.unpack("<H", data[10:12])[0]
    ordinal, count, places, _, crc = struct.unpack("<QIIII", data[16:40])
    check("ordinal of a snapshot", ordinal == behind)
    check("checksum of a snapshot", crc32c(data[header:]) == crc)
    at, last, number = header, 0, 0
    while at < header + places:
        gap, shift = 0, 0
        while True:
            gap |= (data[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 128:
                break
        check("places of a snapshot", (gap > 0 or number == 0) and last + gap < ordinal)
        last, number = last + gap, number + 1
    check("number of places", number == count)
    check("events of a snapshot", sum(1 for _ in events(data[header + places:])) == count)
    return count, ordinal


def firstOrdinal(data):
    length, = struct.unpack("<I", data[12:16])
    return json.loads(data[16:16 + length]).get("firstOrdinal", 0)


def events(data):
    check("magic", data[:8] == b"\x89PTT\r\n\x1a\n")
    major, minor, length = struct.unpack("<HHI", data[8:16])
    version = "**Version %d.%d, " % (major, minor)
    check("version %d.%d" % (major, minor), version in open(DOC, encoding="utf-8").read())
    place, table = 20 + length, kinds()
    check("checksum of the start", struct.unpack("<I", data[place - 4:place])[0] == crc32c(data[:place - 4]))
    ordinal = start = firstOrdinal(data)
    snapshots = []
    while place < len(data):
        marker, what, entries, header, payload = struct.unpack("<8sBBHI", data[place:place + 16])
        check("marker", marker == b"\xd7PTT\xf3\r\n\x1c")
        check("checksum of a section", crc32c(data[place:place + header - 4])
              == struct.unpack("<I", data[place + header - 4:place + header])[0])
        if what == 2:
            check("number of events", struct.unpack("<Q", data[place + 16:place + 24])[0] == ordinal - start)
            listed, size = struct.unpack("<II", data[place + 52:place + 60])
            at = len(data) - 20 - listed * size
            check("snapshots", snapshots == [
                struct.unpack("<QIIQ", data[at + size * n:at + size * n + 24]) for n in range(listed)])
            return
        if what == 3:
            snapshots.append((place, header + payload) + snapshot(data[place:place + header + payload], ordinal))
            place += header + payload
            continue
        count, _, first, _, base = struct.unpack("<IIQQQ", data[place + 16:place + 48])
        check("ordinal", first == ordinal)
        columns, offset = {}, place + header
        for entry in range(entries):
            at = place + 112 + 16 * entry
            number, encoding, _, rawLength, stored, crc = struct.unpack("<BBHIII", data[at:at + 16])
            content = data[offset:offset + stored]
            offset += stored
            check("checksum of column %d" % number, crc32c(content) == crc)
            columns[number] = decompress(content, rawLength) if encoding else content
            check("length of column %d" % number, len(columns[number]) == rawLength)
        yield from block(columns, count, base, table)
        ordinal += count
        place += header + payload


if __name__ == "__main__":
    for event in events(open(sys.argv[1], "rb").read()):
        print(json.dumps(event, separators=(",", ":")))
