#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a small database of country codes in the MaxMind DB format, or in the older binary form.

    mmdb.py new OUT IP_VERSION RECORD_BITS [NETWORK FIELD=VALUE,...]...
    mmdb.py old OUT ipv4|ipv6 [NETWORK INDEX]...

Fields: location, registered, represented, continent (codes), anonymous, satellite (1 or 0), and
alias (in place of all others: a network whose subtree this one shares).
"""
import ipaddress
import struct
import sys


def control(kind, size):
    if kind > 7:
        return bytes([size, kind - 7])
    return bytes([kind << 5 | size])


def text(value):
    raw = value.encode()
    return control(2, len(raw)) + raw


def unsigned(kind, value):
    raw = value.to_bytes((value.bit_length() + 7) // 8, 'big')
    return control(kind, len(raw)) + raw


def mapping(pairs):
    return control(7, len(pairs)) + b''.join(text(key) + value for key, value in pairs)


def record(fields):
    pairs = []
    for name, key in (('location', 'country'), ('registered', 'registered_country'),
                      ('represented', 'represented_country')):
        if name in fields:
            pairs.append((key, mapping([('iso_code', text(fields[name]))])))
    if 'continent' in fields:
        pairs.append(('continent', mapping([('code', text(fields['continent']))])))
    traits = [('is_' + name + suffix, control(14, int(fields[name])))
              for name, suffix in (('anonymous', '_proxy'), ('satellite', '_provider')) if name in fields]
    if traits:
        pairs.append(('traits', mapping(traits)))
    return mapping(pairs)


class Tree:
    """Children are node numbers, None, or ('leaf', what)."""

    def __init__(self, bits):
        self.bits = bits
        self.nodes = [[None, None]]

    def path(self, network):
        number = int(network.network_address)
        prefix = network.prefixlen
        if network.version == 4 and self.bits == 128:
            prefix += 96
        return [number >> (self.bits - 1 - i) & 1 for i in range(prefix)]

    def place(self, network):
        """The node above a network and the side it is on."""
        node = 0
        path = self.path(network)
        for side in path[:-1]:
            child = self.nodes[node][side]
            if not isinstance(child, int):
                self.nodes.append([child, child])
                child = self.nodes[node][side] = len(self.nodes) - 1
            node = child
        return node, path[-1]

    def put(self, network, what):
        node, side = self.place(network)
        self.nodes[node][side] = what

    def get(self, network):
        node, side = self.place(network)
        return self.nodes[node][side]


def pack_node(left, right, bits):
    if bits == 28:
        return (left & 0xffffff).to_bytes(3, 'big') + bytes([left >> 24 << 4 | right >> 24]) \
            + (right & 0xffffff).to_bytes(3, 'big')
    return left.to_bytes(bits // 8, 'big') + right.to_bytes(bits // 8, 'big')


def write_new(out, version, bits, entries):
    tree = Tree(128 if version == 6 else 32)
    records = []
    for name, spec in entries:
        fields = dict(item.split('=') for item in spec.split(',') if item)
        network = ipaddress.ip_network(name)
        if 'alias' in fields:
            tree.put(network, tree.get(ipaddress.ip_network(fields['alias'])))
        else:
            raw = record(fields)
            if raw not in records:
                records.append(raw)
            tree.put(network, ('leaf', records.index(raw)))
    starts = [sum(len(r) for r in records[:i]) for i in range(len(records))]
    count = len(tree.nodes)

    def value(child):
        if child is None:
            return count
        return child if isinstance(child, int) else count + 16 + starts[child[1]]

    meta = mapping([
        ('node_count', unsigned(6, count)), ('record_size', unsigned(5, bits)),
        ('ip_version', unsigned(5, version)), ('database_type', text('Test-Country')),
        ('languages', bytes([1, 4]) + text('en')), ('binary_format_major_version', unsigned(5, 2)),
        ('binary_format_minor_version', unsigned(5, 0)), ('build_epoch', unsigned(9, 1500000000)),
        ('description', mapping([('en', text('a test'))]))])
    with open(out, 'wb') as file:
        file.write(b''.join(pack_node(value(a), value(b), bits) for a, b in tree.nodes))
        file.write(bytes(16) + b''.join(records))
        file.write(b'\xab\xcd\xefMaxMind.com' + meta)


def write_old(out, family, entries):
    tree = Tree(128 if family == 'ipv6' else 32)
    tree.nodes = [[('leaf', 0), ('leaf', 0)]]
    for name, index in entries:
        tree.put(ipaddress.ip_network(name), ('leaf', int(index)))
    with open(out, 'wb') as file:
        for node in tree.nodes:
            for child in node:
                value = child if isinstance(child, int) else 0xffff00 + child[1]
                file.write(struct.pack('<I', value)[:3])


def main(args):
    rest = args[3:] if args[0] == 'old' else args[4:]
    entries = list(zip(rest[0::2], rest[1::2]))
    if args[0] == 'old':
        write_old(args[1], args[2], entries)
    else:
        write_new(args[1], int(args[2]), int(args[3]), entries)


main(sys.argv[1:])
