/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Traffic of the worm Conficker.C: each week an infected host listens at four ports that follow
 * from its address and the number of the week, so that others find it by guessing addresses. A flow
 * to (or from) such a port is a trace of one who looks. (SRI International, "Conficker C Analysis",
 * 2009; the ports that are never chosen as NMAP's script p2p-conficker.nse lists them. SiLK's
 * plug-in conficker-c has these tests.)
 *
 *	struct conficker_seed seed = { 0 };		// each flow's own week
 *	hit = conficker_hits(batch, row, CONFICKER_DESTINATION, &seed);
 */
#ifndef TUSSAH_QUERY_CONFICKER_H
#define TUSSAH_QUERY_CONFICKER_H

#include "common/batch.h"
#include "common/opt.h"

/* COLUMN_BITs that are read. */
#define CONFICKER_COLUMNS                                                                          \
	(COLUMN_BIT(COLUMN_SIP) | COLUMN_BIT(COLUMN_DIP) | COLUMN_BIT(COLUMN_SPORT) |              \
	 COLUMN_BIT(COLUMN_DPORT) | COLUMN_BIT(COLUMN_PROTOCOL) | COLUMN_BIT(COLUMN_STATE) |       \
	 COLUMN_BIT(COLUMN_START))

#define CONFICKER_PORTS 4

enum conficker_ends {
	CONFICKER_SOURCE = 1 << 0,
	CONFICKER_DESTINATION = 1 << 1,
	CONFICKER_ANY = CONFICKER_SOURCE | CONFICKER_DESTINATION,
};

struct conficker_seed {
	bool given;
	uint32_t number; /* if given */
};

/* The ports of this IPv4 address (host order). */
void conficker_ports(uint32_t address, uint32_t seed, uint16_t ports[CONFICKER_PORTS]);

/*
 * Is one of the ends an address and one of its ports? Without a seed it is the number of weeks
 * since 1970-01-05, and near the turn of a week that of the other as well. Only TCP and UDP over
 * IPv4.
 */
bool conficker_hits(const struct batch *batch, uint32_t row, unsigned ends,
		    const struct conficker_seed *seed);

/* --conficker-seed, into a struct conficker_seed. */
extern const struct opt conficker_opt_table[];

#endif
