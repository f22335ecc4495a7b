/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The flow table: packets in, finished flows out. Pure: the time of the packets is its clock, and
 * everything it needs is taken at creation.
 *
 *	struct flowtable *table = flowtable_new(&opts, on_flow, arg);
 *	hash = flowtable_prepare(table, &packet);
 *	flowtable_fetch(table, hash);		// some packets later, so that memory is there when
 *	flowtable_add(table, &packet, hash);	// it is needed; may call on_flow for ended flows
 *	flowtable_expire(table, now_ns);	// a silent link: idle flows end nevertheless
 *	flowtable_flush(table);			// end of input: all that is left
 *	flowtable_free(table);
 *
 * The first packet of a flow defines its forward direction; a packet with the swapped key is
 * reverse. Type and code of ICMP are not swapped. Threads: one per table.
 */
#ifndef TUSSAH_SENSOR_FLOWTABLE_H
#define TUSSAH_SENSOR_FLOWTABLE_H

#include "common/packet.h"
#include "sensor/hash.h"

/* flowEndReason (IPFIX element 136). */
enum flow_end {
	FLOW_END_IDLE = 1,
	FLOW_END_ACTIVE = 2,
	FLOW_END_DETECTED = 3,
	FLOW_END_FORCED = 4,
	FLOW_END_RESOURCES = 5,
	FLOW_END_COUNT,
	FLOW_END_CONTINUES =
		0x80, /* or'ed in SiLK mode: goes on from one ended by FLOW_END_ACTIVE */
};

/* flowAttributes (element 6871/40). */
enum flow_attribute {
	FLOW_UNIFORM = 0x01,     /* all packets of one size */
	FLOW_LATE = 0x02,        /* a packet older than the clock and the tolerance is in it */
	FLOW_MPTCP = 0x04,       /* multipath TCP: MP_CAPABLE or MP_JOIN seen */
	FLOW_REASSEMBLED = 0x08, /* held a reassembled datagram */
};

enum { FLOW_FORWARD, FLOW_REVERSE };

/* One direction. */
struct flow_side {
	uint64_t packets;
	uint64_t bytes;
	uint32_t sequence;      /* TCP: of the packet that initial_flags are from */
	uint32_t last_sequence; /* TCP: of the last packet */
	uint32_t uniform_bytes; /* size that all packets had so far */
	uint16_t vlan;          /* of the first packet */
	uint16_t attributes;    /* enum flow_attribute */
	uint8_t tos;            /* forward: of the first packet; reverse: of the last */
	uint8_t initial_flags;
	uint8_t union_flags;   /* of all packets but the initial one */
	uint8_t uniform_count; /* packets compared: 0, 1, 2 and more; UNIFORM_BROKEN */
};

struct flow {
	struct flow_key key; /* of the first packet */
	int64_t start_ns;
	int64_t end_ns;
	int64_t reverse_start_ns; /* first reverse packet; valid if side[FLOW_REVERSE].packets */
	struct flow_side side[2];
	uint32_t hash;
	uint8_t tcp_state;
	uint8_t end_reason; /* enum flow_end, set when the flow ends */
	uint8_t source_mac[6];
	uint8_t destination_mac[6];
} __attribute__((aligned(64)));

struct flowtable_opts {
	uint32_t max_flows;      /* 1 .. FLOWTABLE_FLOWS_MAX */
	int64_t idle_timeout_ns; /* 0: every packet is a flow */
	int64_t active_timeout_ns;
	int64_t late_tolerance_ns; /* packets this much older than the clock are on time */
	bool accept_late;          /* take in older ones too */
	bool no_vlan_in_key;
	bool silk;           /* 32-bit byte counts, FLOW_END_CONTINUES */
	struct hash_key key; /* random */
};

#define FLOWTABLE_FLOWS_MAX (UINT32_C(1) << 30)

struct flowtable_stats {
	uint64_t packets; /* accepted */
	uint64_t bytes;
	uint64_t flows;                 /* ended and handed out */
	uint64_t ended[FLOW_END_COUNT]; /* by reason; FLOW_END_RESOURCES are early exports */
	uint64_t late;                  /* packets refused as older than the clock */
	uint32_t active;                /* flows in the table */
	uint32_t peak;                  /* most there ever were */
};

/* A flow that ended; borrowed until the function returns. */
typedef void (*flow_fn)(void *arg, const struct flow *flow);

struct flowtable;

/* Never NULL. arg is kept for fn. */
struct flowtable *flowtable_new(const struct flowtable_opts *opts, flow_fn fn, void *arg);
/* Flows still in the table are dropped: call flowtable_flush() first. */
void flowtable_free(struct flowtable *table);

/* Would a packet of this time be refused? For those that must know before (fragments). */
bool flowtable_is_late(const struct flowtable *table, int64_t time_ns);

/*
 * What a packet has to go through before flowtable_add(): its key becomes one of the table.
 * Returns the hash of it, and begins to fetch the place of its flow.
 */
uint32_t flowtable_prepare(const struct flowtable *table, struct packet *packet);
/* Begin to fetch the flow itself; a hint that may be left out. */
void flowtable_fetch(const struct flowtable *table, uint32_t hash);

/*
 * Take in a packet, end flows that it outlives, move the clock. Returns ST_OK or, for a packet
 * older than the clock, ST_ERANGE; it is counted and nothing else happens.
 */
int flowtable_add(struct flowtable *table, const struct packet *packet, uint32_t hash);

/* End flows that have been idle at now_ns, without moving the clock of the packets. */
void flowtable_expire(struct flowtable *table, int64_t now_ns);

/* End all flows, least recently seen first, with FLOW_END_FORCED. */
void flowtable_flush(struct flowtable *table);

/* Time of the youngest packet; INT64_MIN before the first. */
int64_t flowtable_clock(const struct flowtable *table);
void flowtable_get_stats(const struct flowtable *table, struct flowtable_stats *out);

#endif
