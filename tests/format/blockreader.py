#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second reader of block files: slow, obvious, and written from storage/FORMAT.md alone.

usage: blockreader.py [--extensions] FILE...

Prints one line a record, "name=value" of every core column in the order of FORMAT.md 3.1 (times and
durations in nanoseconds, addresses as 32 hexadecimal digits), and with --extensions those of the other columns. Every statement of the
page that can be checked is checked; what does not hold ends the program with a line that says what.
"""
import ctypes
import struct
import sys

LZO = ctypes.CDLL("liblzo2.so.2")
XXHASH = ctypes.CDLL("libxxhash.so.0")
XXHASH.XXH64.restype = ctypes.c_uint64
XXHASH.XXH64.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]

MAGIC = b"\x89TUSSAH\n"
FRAME = 1024
U64 = (1 << 64) - 1
SALT = (0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31)

NUMBER, ADDRESS, BYTES = "number", "address", "bytes"
FORMS = {0: BYTES, 13: BYTES, 18: ADDRESS, 19: ADDRESS, 20: BYTES, 21: BYTES, 22: BYTES}
SIGNED = {5, 6, 7, 8, 16, 17}
FLOATS = {9, 10}
PRIVATE = 4294967295
ANY4 = b"\0" * 10 + b"\xff\xff" + b"\0" * 4

# name, (enterprise, element), type, default; None: told elsewhere.
CORE = [
    ("start", (0, 156), 17, None), ("duration", (PRIVATE, 1), 4, 0),
    ("sip", (0, 27), 19, ANY4), ("dip", (0, 28), 19, ANY4), ("nhip", (0, 62), 19, ANY4),
    ("packets", (0, 2), 4, 0), ("bytes", (0, 1), 4, 0),
    ("input", (0, 10), 3, 0), ("output", (0, 14), 3, 0),
    ("sport", (0, 7), 2, 0), ("dport", (0, 11), 2, 0),
    ("application", (6871, 33), 2, 0), ("sensor", (6871, 31), 2, None),
    ("memo", (PRIVATE, 2), 2, 0), ("protocol", (0, 4), 1, 0), ("flowtype", (6871, 30), 1, None),
    ("flags", (0, 6), 1, 0), ("initial_flags", (6871, 14), 1, 0),
    ("session_flags", (6871, 15), 1, 0), ("state", (6871, 32), 1, 0),
]
CORE_KEYS = {key: name for name, key, _, _ in CORE}


class Bad(Exception):
    """The file is not as the page says."""


def signed(number):
    """A number modulo 2^64 as two's complement."""
    number &= U64
    return number - (number >> 63 << 64)


def need(condition, what):
    if not condition:
        raise Bad(what)


def checksum(data):
    return XXHASH.XXH64(bytes(data), len(data), 0)


class Bytes:
    """A piece of the file, read from its front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(self.at + count <= len(self.data), "bytes end too early")
        self.at += count
        return self.data[self.at - count:self.at]

    def u8(self):
        return self.take(1)[0]

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def varint(self):
        value = 0
        for place in range(10):
            byte = self.u8()
            need(place < 9 or byte <= 1, "varint above 64 bits")
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                need(byte != 0 or place == 0, "varint longer than needed")
                return value
        raise Bad("varint of more than ten bytes")

    def zigzag(self):
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def rest(self):
        return self.take(len(self.data) - self.at)

    def end(self, what):
        need(self.at == len(self.data), "%s: %d bytes left over" % (what, len(self.data) - self.at))


def unpack(packed, count, depth=0):
    """A packed list (section 4); lists of exceptions may have exceptions, those of them none."""
    width, exceptions = packed.u8(), packed.varint()
    need(width <= 64 and exceptions <= count, "packed list: bad width or count")
    need(exceptions == 0 or (width < 64 and depth < 2), "packed list: exceptions where there are none")
    bits = int.from_bytes(packed.take((count * width + 7) // 8), "little")
    need(bits >> count * width == 0, "packed list: unused bits set")
    values = [bits >> i * width & ((1 << width) - 1) for i in range(count)]
    if exceptions == 0:
        return values
    gaps = unpack(packed, exceptions, depth + 1)
    highs = unpack(packed, exceptions, depth + 1)
    position = -1
    for gap, high in zip(gaps, highs):
        position += gap + 1
        need(gap < 65536 and position < count, "packed list: exception behind the end")
        need(high >> (64 - width) == 0, "packed list: number above 64 bits")
        values[position] |= high << width
    return values


def frames(stream, count, delta):
    origin, scale = stream.varint(), stream.varint()
    need(scale != 0, "scale is 0")
    sizes = [min(FRAME, count - first) for first in range(0, count, FRAME)]
    lengths = [stream.number("H") for _ in sizes]
    values = []
    for size, length in zip(sizes, lengths):
        frame = Bytes(stream.take(length))
        base = frame.varint()
        if delta:
            steps = [base]
            if size > 1:
                step = frame.zigzag()
                for number in unpack(frame, size - 1):
                    steps.append(steps[-1] + step + number)
        else:
            steps = [base + number for number in unpack(frame, size)]
        values += [origin + scale * step & U64 for step in steps]
        frame.end("frame")
    return values


def places(stream, count, size):
    need(stream.u8() == 1, "places: not a frames stream")
    codes = frames(stream, count, False)
    need(all(code < size for code in codes), "place outside of the dictionary")
    return codes


def nested(stream, count):
    inner = Bytes(stream.take(stream.varint()))
    return numbers(inner, count, False)


def ascending(values, what):
    need(all(a < b for a, b in zip(values, values[1:])), what + " does not ascend")


def numbers(stream, count, dictionary_allowed=True):
    encoding = stream.u8()
    if encoding == 0:
        values = [stream.varint()] * count
    elif encoding in (1, 2):
        values = frames(stream, count, encoding == 2)
    elif encoding == 3:
        need(dictionary_allowed, "dictionary within a dictionary")
        size = stream.varint()
        need(1 <= size <= 65536, "dictionary size")
        distinct = nested(stream, size)
        ascending(distinct, "dictionary")
        values = [distinct[code] for code in places(stream, count, size)]
    else:
        raise Bad("number stream: unknown encoding %d" % encoding)
    stream.end("number stream")
    return values


def addresses(stream, count):
    encoding = stream.u8()
    if encoding == 16:
        values = [stream.take(16)] * count
    elif encoding == 17:
        values = [ANY4[:12] + value.to_bytes(4, "big") for value in numbers(stream, count, False)]
    elif encoding == 18:
        size4, size6 = stream.varint(), stream.varint()
        need(1 <= size4 + size6 <= 65536, "address dictionary size")
        four = nested(stream, size4) if size4 else []
        ascending(four, "address dictionary")
        six = list(zip(nested(stream, size6), nested(stream, size6))) if size6 else []
        ascending(six, "address dictionary")
        distinct = [ANY4[:12] + value.to_bytes(4, "big") for value in four]
        distinct += [struct.pack(">QQ", high, low) for high, low in six]
        values = [distinct[code] for code in places(stream, count, len(distinct))]
    else:
        raise Bad("address stream: unknown encoding %d" % encoding)
    stream.end("address stream")
    return values


def cut(data, lengths):
    values, at = [], 0
    for length in lengths:
        need(length <= 65535, "string too long")
        values.append(data[at:at + length])
        at += length
    need(at == len(data), "lengths and bytes differ")
    return values


def strings(stream, count):
    encoding = stream.u8()
    if encoding == 32:
        lengths = nested(stream, count)
        values = cut(stream.rest(), lengths)
    elif encoding == 33:
        size = stream.varint()
        need(1 <= size <= 65536, "string dictionary size")
        lengths = nested(stream, size)
        distinct = cut(stream.take(sum(lengths)), lengths)
        values = [distinct[code] for code in places(stream, count, size)]
    else:
        raise Bad("byte stream: unknown encoding %d" % encoding)
    stream.end("byte stream")
    return values


STREAMS = {NUMBER: numbers, ADDRESS: addresses, BYTES: strings}


def form_of(kind):
    need(kind <= 22, "unknown type %d" % kind)
    return FORMS.get(kind, NUMBER)


def decompress(method, stored, plain_len):
    if method == 0:
        return stored
    out = ctypes.create_string_buffer(plain_len)
    if method == 2:
        size = ctypes.c_size_t(plain_len)
        failed = LZO.lzo1x_decompress_safe(stored, ctypes.c_size_t(len(stored)), out,
                                           ctypes.byref(size), None)
        need(failed == 0 and size.value == plain_len, "LZO1X fails")
    elif method == 4:
        zstd = ctypes.CDLL("libzstd.so.1")
        zstd.ZSTD_decompress.restype = ctypes.c_size_t
        size = zstd.ZSTD_decompress(out, ctypes.c_size_t(plain_len), stored, ctypes.c_size_t(len(stored)))
        need(size == plain_len, "zstd fails")
    else:
        raise Bad("unknown compression %d" % method)
    return out.raw


class Entry:
    """What a directory says of one column."""

    def __init__(self, directory):
        self.key = (directory.varint(), directory.varint())
        need(self.key[0] < 1 << 32 and self.key[1] < 1 << 16, "element out of range")
        self.kind, self.compression, self.flags = directory.u8(), directory.u8(), directory.u8()
        need(self.flags < 8, "unknown flags")
        self.form = form_of(self.kind)
        self.stored = directory.varint()
        self.plain = directory.varint() if self.compression else self.stored
        self.sum, self.checksum = None, directory.number("Q")
        self.range = None
        if self.flags & 1:
            need(self.form != BYTES and self.kind not in FLOATS, "range of what has no order")
            if self.form == ADDRESS:
                self.range = directory.take(16), directory.take(16)
            else:
                least = directory.varint()
                self.range = least, least + directory.varint()
        if self.flags & 2:
            need(self.form == NUMBER, "sum of what is no number")
            self.sum = directory.varint()

    def values(self, stored, rows):
        """The values of all rows; None where there is none."""
        need(checksum(stored) == self.checksum, "column %s: checksum differs" % (self.key,))
        stream = Bytes(decompress(self.compression, stored, self.plain))
        present = [1] * rows
        if self.flags & 4:
            present = numbers(Bytes(stream.take(stream.varint())), rows)
        values = STREAMS[self.form](Bytes(stream.rest()), rows)
        values = [value if here else None for value, here in zip(values, present)]
        known = [value for value in values if value is not None]
        if self.range and known:
            need((min(known), max(known)) == self.range, "column %s: range differs" % (self.key,))
        if self.sum is not None:
            need(sum(known) == self.sum, "column %s: sum differs" % (self.key,))
        if self.kind in SIGNED:
            values = [None if v is None else signed(v ^ 1 << 63) for v in values]
        return values


def in_filter(bits, address):
    value = checksum(address)
    unit = ((value >> 32) * (len(bits) // 32)) >> 32
    words = struct.unpack_from("<8I", bits, 32 * unit)
    return all(word >> (((value & 0xFFFFFFFF) * salt & 0xFFFFFFFF) >> 27) & 1 for word, salt in zip(words, SALT))


class Block:
    """One block, whole."""

    def __init__(self, directory, body, rows, header):
        self.rows, self.columns, self.extensions = rows, {}, {}
        self.raw = directory
        directory = Bytes(directory)
        first = directory.zigzag()
        times = first, signed(first + directory.varint()), signed(first + directory.zigzag())
        flags = directory.varint()
        need(flags < 2, "unknown flags of a block")
        filter_len = directory.varint()
        need(filter_len % 32 == 0 and filter_len <= 2097152, "bad length of a filter")
        filter_sum = directory.number("Q") if filter_len else None
        entries = [Entry(directory) for _ in range(directory.varint())]
        directory.end("directory")
        need(all(a.key < b.key for a, b in zip(entries, entries[1:])), "columns do not ascend")
        body = Bytes(body)
        self.filter = body.take(filter_len)
        need(not filter_len or checksum(self.filter) == filter_sum, "filter: checksum differs")
        for entry in entries:
            values = entry.values(body.take(entry.stored), rows)
            name = CORE_KEYS.get(entry.key)
            (self.columns if name else self.extensions)[name or entry.key] = values
        body.end("body")
        defaults = {"sensor": header["sensor"], "flowtype": header["flowtype"]}
        for name, key, kind, default in CORE:
            if name not in self.columns:
                default = defaults.get(name, default)
                need(default is not None, "no start times")
                self.columns[name] = [default] * rows
        for entry in entries:
            if entry.key in CORE_KEYS:
                need(entry.kind == next(kind for _, key, kind, _ in CORE if key == entry.key), "core column of another type")
        self.check(times, flags)

    def check(self, times, flags):
        starts = self.columns["start"]
        ends = [signed(start + length) for start, length in zip(starts, self.columns["duration"])]
        need(times == (min(starts), max(starts), max(ends)), "times of a block differ")
        need(not flags & 1 or starts == sorted(starts), "rows do not ascend by start time")
        if self.filter:
            for name in "sip", "dip":
                need(all(in_filter(self.filter, address) for address in self.columns[name]), "address not in the filter")


def section(data, at):
    """Header length, body length, count and magic of the section at this offset."""
    prelude = Bytes(data[at:at + 24])
    magic = prelude.take(4)
    header_len, body_len, count, found = (prelude.number(form) for form in "IIIQ")
    need(found == checksum(data[at:at + 16]), "prelude: checksum differs")
    need(33 <= header_len <= 1 << 24 and body_len <= 1 << 30, "section: bad length")
    need(at + header_len + body_len <= len(data), "torn tail")
    need(checksum(data[at:at + header_len - 8]) == int.from_bytes(data[at + header_len - 8:at + header_len], "little"),
         "directory: checksum differs")
    return magic, header_len, body_len, count


def read_header(data):
    need(data[:8] == MAGIC, "not a block file")
    head = Bytes(data)
    head.take(8)
    need(head.number("H") == 1, "unknown version")
    head.take(2)
    length = head.number("I")
    need(64 <= length <= 65536 and length <= len(data), "header: bad length")
    need(checksum(data[:length - 8]) == int.from_bytes(data[length - 8:length], "little"), "header: checksum differs")
    header = {"length": length, "hour": head.number("q"), "sensor": head.number("H"), "flowtype": head.u8()}
    head.take(1)
    header["footer_len"], header["footer"] = head.number("I"), head.number("Q")
    head.take(16)
    properties, header["properties"] = Bytes(data[56:length - 8]), []
    while properties.at < len(properties.data):
        kind = properties.number("H")
        properties.take(2)
        header["properties"].append((kind, properties.take(properties.number("I"))))
    return header


def check_footer(data, at, header_len, count, blocks, addresses_seen):
    directory = Bytes(data[at + 24:at + header_len - 8])
    need(directory.varint() == sum(block.rows for _, block in blocks), "footer: records differ")
    filter_len = directory.varint()
    need(filter_len % 32 == 0 and filter_len <= 2097152, "bad length of a filter")
    filter_sum = directory.number("Q") if filter_len else None
    need(count == len(blocks), "footer: blocks differ")
    for (offset, head, body), block in blocks:
        need((directory.varint(), directory.varint(), directory.varint(), directory.varint()) ==
             (offset, head, body, block.rows), "footer: entry of a block differs")
        need(directory.take(head - 32) == block.raw, "footer: directory of a block differs")
    directory.end("footer")
    bits = data[at + header_len:at + header_len + filter_len]
    if bits:
        need(checksum(bits) == filter_sum, "footer: filter: checksum differs")
        need(all(in_filter(bits, address) for address in addresses_seen), "address not in the file's filter")


def read_file(data):
    """All blocks of a file."""
    header = read_header(data)
    at, blocks, footer_seen = header["length"], [], False
    while at < len(data):
        try:
            magic, header_len, body_len, count = section(data, at)
        except Bad as bad:
            if str(bad) == "torn tail":
                break
            raise
        if magic == b"TBLK":
            need(1 <= count <= 65536, "block of no records, or too many")
            block = Block(data[at + 24:at + header_len - 8], data[at + header_len:at + header_len + body_len], count, header)
            blocks.append(((at, header_len, body_len), block))
        else:
            need(magic == b"TFTR" and at == header["footer"], "unknown section, or a footer in the wrong place")
            need(header_len + body_len == header["footer_len"], "footer: length differs")
            seen = {a for _, block in blocks for name in ("sip", "dip") for a in block.columns[name]}
            check_footer(data, at, header_len, count, blocks, seen)
            footer_seen = True
        at += header_len + body_len
    need(footer_seen == bool(header["footer"]), "no footer where the header says")
    return [block for _, block in blocks]


def text(value):
    return value.hex() if isinstance(value, bytes) else str(value)


def print_block(block, with_extensions):
    for row in range(block.rows):
        line = ["%s=%s" % (name, text(block.columns[name][row])) for name, _, _, _ in CORE]
        if with_extensions:
            line += ["%d/%d=%s" % (key + (text(values[row]),)) for key, values in sorted(block.extensions.items())
                     if values[row] is not None]
        print(" ".join(line))


def main(arguments):
    with_extensions = "--extensions" in arguments
    for path in arguments:
        if path.startswith("--"):
            continue
        with open(path, "rb") as file:
            data = file.read()
        try:
            for block in read_file(data):
                print_block(block, with_extensions)
        except Bad as bad:
            sys.exit("%s: %s" % (path, bad))


main(sys.argv[1:])
