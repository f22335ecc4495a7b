/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists that say what belongs to a network: interfaces, address blocks, or IPset files
 * (silk-packing.md 2.3, 2.8). Immutable after network_list_finish(), then for any number of
 * threads.
 *
 *	struct network_list *list = network_list_new(NETWORK_IPBLOCKS);
 *	network_list_add(list, "10.0.0.0/8", err);
 *	network_list_add(list, "192.168.x.1-9", err);
 *	network_list_finish(list);
 *	if (network_list_has_ip(list, rec->sip, record_is_ipv6(rec))) ...
 */
#ifndef TUSSAH_PACKER_NETWORK_H
#define TUSSAH_PACKER_NETWORK_H

#include "common/ip.h"

enum network_kind {
	NETWORK_INTERFACES,
	NETWORK_IPBLOCKS,
	NETWORK_IPSETS,
	NETWORK_KINDS,
};

/* The kind that a keyword names, "ipblock" and "ipblocks" alike; -1: none. */
int network_kind_parse(const char *word);
const char *network_kind_name(enum network_kind kind);     /* "ipblock" */
const char *network_kind_names(enum network_kind kind);    /* "ipblocks" */
const char *network_kind_contents(enum network_kind kind); /* "interface values" */

struct network_list;

struct network_list *network_list_new(enum network_kind kind);
void network_list_free(struct network_list *list);
enum network_kind network_list_kind(const struct network_list *list);

/* Add one value as sensor.conf writes it. Returns ST_OK or ST_EINVAL, in SiLK's words. */
int network_list_add(struct network_list *list, const char *text, struct err *err);
/* Add all that other, of the same kind and finished, holds. */
void network_list_add_list(struct network_list *list, const struct network_list *other);
/* Needed after adding and before asking. */
void network_list_finish(struct network_list *list);

/* Lists know 65535 and less: what is greater counts as 65535, which SiLK's records have for it. */
bool network_list_has_interface(const struct network_list *list, uint32_t number);
bool network_list_has_ip(const struct network_list *list, struct ip ip, bool is_v6);
/* One of them, whichever the list is of. */
bool network_list_has(const struct network_list *list, struct ip ip, bool is_v6,
		      uint32_t interface);

/* IPv4 addresses by their first 16 bits. */
#define NETWORK_PREFIXES 65536
enum network_mark {
	NETWORK_EDGE = 1 << 0,  /* they may be other than those before: in the list, or not */
	NETWORK_MIXED = 1 << 1, /* some are in the list, and some are not */
};
/* Add the list's marks (enum network_mark) of all prefixes; behind a mixed one is an edge, too.
 * false: too many, nothing is known. */
bool network_list_mark(const struct network_list *list, uint8_t marks[NETWORK_PREFIXES]);

#endif
