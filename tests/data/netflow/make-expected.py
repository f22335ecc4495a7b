#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write expected/*.txt: what tshark, not we, finds in the samples of NetFlow v9 and IPFIX.

    make-expected.py FOLDER     (with tshark on PATH; the tests read what is checked in)

One file a session (the samples of one exporter, templates first):
    file NAME                   in the order to be decoded
    record [start=NS end=NS] ID=HEX ...     one a data record: where tshark sees each field
    options N                   data records of options templates
    incomplete                  instead of it: tshark stopped before the end of a datagram
"""
import glob, os, re, struct, subprocess, sys, tempfile
import xml.etree.ElementTree as ET

NS = 10**9


def write_pcap(paths, out):
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for i, path in enumerate(paths):
        data = open(path, "rb").read()
        udp = struct.pack("!HHHH", 2055, 2055, 8 + len(data), 0) + data
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), i, 0, 64, 17, 0,
                         b"\xc0\0\x02\1", b"\xc0\0\x02\2")
        frame = b"\0" * 12 + b"\x08\0" + ip + udp
        out.write(struct.pack("<IIII", 1700000000 + i, 0, len(frame), len(frame)) + frame)
    out.flush()


def pdml(paths):
    with tempfile.NamedTemporaryFile(suffix=".pcap") as pcap:
        write_pcap(paths, pcap)
        text = subprocess.run(["tshark", "-r", pcap.name, "-d", "udp.port==2055,cflow", "-T", "pdml"],
                              capture_output=True, check=True).stdout
    return ET.fromstring(text)


def number(node, name):
    found = node.find(".//field[@name='%s']" % name)
    return int(found.get("value"), 16) if found is not None else None


class Session:
    def __init__(self):
        self.templates = {}     # id -> (is options, [(enterprise, type, length)])
        self.lines = []
        self.options = 0
        self.incomplete = False # tshark gave up before the end

    def template(self, node):
        show = node.get("show") or ""
        fields = []
        for f in node.iter("field"):
            if re.match(r"Field \(\d+/\d+\)", f.get("show") or "") or \
               re.match(r"Field \(\d+/\d+\)", f.get("showname") or ""):
                value = bytes.fromhex(f.get("value"))
                kind, length = struct.unpack("!HH", value[:4])
                pen = struct.unpack("!I", value[4:8])[0] if len(value) >= 8 else 0
                if pen or len(value) >= 8:
                    kind &= 0x7FFF
                fields.append((pen, kind, length))
        ident = number(node, "cflow.template_id")
        if ident and fields:
            options = "Options" in show or node.find(".//field[@name='cflow.option_scope_field_count']") is not None \
                or any("Scope" in (f.get("show") or "") for f in node.iter("field"))
            self.templates[ident] = (options, fields)

    def times(self, values, header):
        get = lambda k: int(values[k], 16) if (k in values and values[k]) else None
        start = end = None
        if get("0/152") is not None or get("0/153") is not None:
            start, end = get("0/152"), get("0/153")
            scale = 10**6
        elif get("0/150") is not None:
            start, end, scale = get("0/150"), get("0/151"), NS
        elif get("0/22") is not None and header["uptime"] is not None:
            boot = header["secs"] * 1000 - header["uptime"]
            start, end, scale = boot + get("0/22"), boot + (get("0/21") or 0), 10**6
            if get("0/21") is None or get("0/21") < get("0/22"):
                return ""
        if start is None or end is None or end < start:
            return ""
        return " start=%d end=%d" % (start * scale, end * scale)

    def flow(self, node, ident, header):
        options, fields = self.templates.get(ident, (False, []))
        if options:
            self.options += 1
            return
        # times stand below the duration that tshark makes of them
        nodes = [(int(f.get("pos")), int(f.get("size")), f) for f in node.iter("field")
                 if f.get("size") and int(f.get("size")) > 0 and f.get("value")]
        at = int(node.get("pos"))
        values, order = {}, []
        for pen, kind, length in fields:
            if length == 65535:
                head = next((n for n in nodes if n[0] == at), None)
                if head is None:
                    break
                got = int(head[2].get("value")[:2], 16)
                skip = 1
                if got == 255:
                    skip = 3
                    long = next((n for n in nodes if n[0] == at + 1 and n[1] == 2), None)
                    got = int(long[2].get("value"), 16) if long else 0
                at += skip
                length = got
            if length == 0:
                continue
            hit = next((n for n in nodes if n[0] == at and n[1] == length), None)
            if hit is None:
                cover = next((n for n in nodes if n[0] <= at and n[0] + n[1] >= at + length), None)
                raw = cover[2].get("value")[2 * (at - cover[0]):2 * (at - cover[0] + length)] if cover else None
            else:
                raw = hit[2].get("value")
            key = "%d/%d" % (pen, kind)
            if raw and len(raw) == 2 * length and key not in values:
                values[key] = raw
                order.append(key)
            at += length
        self.lines.append("record" + self.times(values, header) +
                          "".join(" %s=%s" % (k, values[k]) for k in order))

    def message(self, proto):
        header = {"uptime": number(proto, "cflow.sysuptime"), "secs": number(proto, "cflow.unix_secs")
                  or number(proto, "cflow.exporttime")}
        ident = None

        def walk(node):
            nonlocal ident
            for f in node.findall("field"):
                show = f.get("show") or f.get("showname") or ""
                if re.match(r"(Options )?Template \(", show):
                    self.template(f)
                elif re.match(r"Flow \d+", show):
                    self.flow(f, ident, header)
                else:
                    if f.find("field") is not None:
                        fid = f.find("./field[@name='cflow.flowset_id']")
                        if fid is not None:
                            ident = int(fid.get("show"))
                    walk(f)
        walk(proto)


def stops_early(proto):
    """Malformed by its lights, more sets than the count says, or several messages in one."""
    begin = int(proto.get("pos"))
    end = begin + int(proto.get("size"))
    seen = max(int(f.get("pos") or 0) + int(f.get("size") or 0) for f in proto.findall("field"))
    length = proto.find("./field[@name='cflow.len']")
    return any("Malformed" in (f.get("showname") or "") for f in proto.iter("field")) or \
        seen + 3 < end or \
        (length is not None and int(length.get("show")) < end - begin)


def main():
    folder = sys.argv[1]
    groups = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.dat"))):
        name = os.path.basename(path)
        if name.startswith("netflow5"):
            continue
        stem = re.sub(r"_(opttpl|tpls?|data|opt)(?=[_\d.-]).*", "", name)
        groups.setdefault(stem.replace(".dat", ""), []).append(name)
    groups.setdefault("netflow9_test_nprobe", [])
    for stem, names in groups.items():
        names.sort(key=lambda n: (0 if "tpl" in n else 1, n))
        session = Session()
        for packet in pdml([os.path.join(folder, n) for n in names]).findall("packet"):
            for proto in packet.findall("proto[@name='cflow']"):
                session.message(proto)
                session.incomplete |= stops_early(proto)
        with open(os.path.join(folder, "expected", stem + ".txt"), "w") as out:
            out.write("".join("file %s\n" % n for n in names))
            out.write("".join(l + "\n" for l in session.lines))
            if session.incomplete:
                out.write("incomplete\n")
            else:
                out.write("options %d\n" % session.options)


main()
