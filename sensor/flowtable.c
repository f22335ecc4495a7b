/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Open addressing with linear probing over 8-byte slots (flow number and hash), at most half full;
 * removal shifts the followers back, so that there are no tombstones. The slots start few and are
 * doubled when needed: a table of a million flows that holds ten thousand is searched within the
 * processor's cache. Flows live in one array and move along a queue ordered by their last packet,
 * where idle flows and, when the table is full, victims are found at the old end; its links lie in
 * an array of their own, since moving one flow touches both its neighbours. Both directions of a
 * flow have one hash.
 */
#include "sensor/flowtable.h"

#include <assert.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "common/hugeroom.h"
#include "common/status.h"
#include "common/tcpflags.h"

#define NONE           UINT32_MAX
#define UNIFORM_BROKEN 3
/* Byte count after which a direction is past its beginning: sequence numbers may have turned. */
#define SEQUENCE_BYTES_MAX (UINT64_C(1) << 30)

/* TCP close: one FIN each way, and each acknowledged. */
enum tcp_state {
	TCP_FIN_FORWARD = 0x01,
	TCP_FIN_REVERSE = 0x02,
	TCP_ACK_FORWARD = 0x04, /* the reverse FIN is acknowledged */
	TCP_ACK_REVERSE = 0x08, /* the forward FIN is acknowledged */
	TCP_CLOSED = 0x0f,
	TCP_RESET = 0x10,
};

#define SLOTS_FIRST 4096

struct slot {
	uint32_t flow; /* number + 1; 0: empty */
	uint32_t hash;
};

/* Place of a flow in the queue by last packet, or in the list of free flows (newer only). */
struct queue_link {
	uint32_t older, newer;
};

struct flowtable {
	struct flowtable_opts opts;
	flow_fn fn;
	void *arg;
	struct flowtable_stats stats;
	int64_t clock_ns;
	int64_t idle_ns; /* the oldest flow is not idle before; INT64_MIN: not known */
	uint32_t slot_mask;
	uint32_t unused; /* flows from here on have never been used */
	uint32_t free_list;
	uint32_t oldest, newest;
	struct slot *slots;
	struct queue_link *links; /* by flow number, as flows */
	struct flow *flows;       /* within flows_block, aligned */
	void *flows_block;
};

_Static_assert(sizeof(struct flow) == 192, "a flow is three cache lines");

struct flowtable *flowtable_new(const struct flowtable_opts *opts, flow_fn fn, void *arg)
{
	struct flowtable *table = g_new0(struct flowtable, 1);
	assert(opts->max_flows >= 1 && opts->max_flows <= FLOWTABLE_FLOWS_MAX);
	table->opts = *opts;
	table->fn = fn;
	table->arg = arg;
	table->clock_ns = INT64_MIN;
	table->idle_ns = INT64_MIN;
	table->slot_mask = SLOTS_FIRST - 1;
	table->free_list = NONE;
	table->oldest = NONE;
	table->newest = NONE;
	table->slots = g_new0(struct slot, SLOTS_FIRST);
	/* The system backs pages only once they are used. */
	table->links = hugeroom_new(opts->max_flows * sizeof(*table->links));
	table->flows_block = hugeroom_new(((size_t)opts->max_flows + 1) * sizeof(struct flow));
	table->flows = (struct flow *)(((uintptr_t)table->flows_block + _Alignof(struct flow) - 1) &
				       ~(uintptr_t)(_Alignof(struct flow) - 1));
	return table;
}

void flowtable_free(struct flowtable *table)
{
	if (table != NULL) {
		free(table->flows_block);
		free(table->links);
		g_free(table->slots);
		g_free(table);
	}
}

int64_t flowtable_clock(const struct flowtable *table)
{
	return table->clock_ns;
}

void flowtable_get_stats(const struct flowtable *table, struct flowtable_stats *out)
{
	*out = table->stats;
}

/* --- key ------------------------------------------------------------------------------------ */

static bool key_is_icmp(const struct flow_key *key)
{
	return key->protocol == PROTOCOL_ICMP || key->protocol == PROTOCOL_ICMPV6;
}

static bool key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void key_swap(const struct flow_key *key, struct flow_key *out)
{
	*out = *key;
	out->sip = key->dip;
	out->dip = key->sip;
	if (!key_is_icmp(key)) {
		out->sport = key->dport;
		out->dport = key->sport;
	}
}

/* The same for both directions: the smaller end goes first. */
static uint32_t key_hash(struct hash_key hash_key, const struct flow_key *key)
{
	const int order = ip_compare(key->sip, key->dip);
	const bool swap = order > 0 || (order == 0 && key->sport > key->dport);
	const bool swap_ports = swap && !key_is_icmp(key);
	const struct ip *first = swap ? &key->dip : &key->sip;
	const struct ip *second = swap ? &key->sip : &key->dip;
	const uint64_t rest = (uint64_t)(swap_ports ? key->dport : key->sport) << 48 |
			      (uint64_t)(swap_ports ? key->sport : key->dport) << 32 |
			      (uint64_t)key->vlan << 16 | (uint64_t)key->protocol << 8 |
			      key->version;

	if (key->version == 4) {
		return (uint32_t)hash_words(
			hash_key, (uint64_t[]){ first->lo << 32 | (uint32_t)second->lo, rest }, 2);
	}
	return (uint32_t)hash_words(
		hash_key, (uint64_t[]){ first->hi, first->lo, second->hi, second->lo, rest }, 5);
}

/* --- slots and queue ------------------------------------------------------------------------ */

static uint32_t flow_number(const struct flowtable *table, const struct flow *flow)
{
	return (uint32_t)(flow - table->flows);
}

static void queue_remove(struct flowtable *table, const struct flow *flow)
{
	struct queue_link link = table->links[flow_number(table, flow)];

	if (link.older == NONE) {
		table->idle_ns = INT64_MIN;
	}
	*(link.older != NONE ? &table->links[link.older].newer : &table->oldest) = link.newer;
	*(link.newer != NONE ? &table->links[link.newer].older : &table->newest) = link.older;
}

static void queue_append(struct flowtable *table, const struct flow *flow)
{
	uint32_t number = flow_number(table, flow);

	table->links[number] = (struct queue_link){ .older = table->newest, .newer = NONE };
	*(table->newest != NONE ? &table->links[table->newest].newer : &table->oldest) = number;
	table->newest = number;
}

/* The flow of key in either direction (told in *side), or NULL. */
static struct flow *slot_find(const struct flowtable *table, const struct flow_key *key,
			      uint32_t hash, int *side)
{
	struct flow_key swapped;

	for (uint32_t i = hash & table->slot_mask; table->slots[i].flow != 0;
	     i = (i + 1) & table->slot_mask) {
		struct flow *flow;

		if (table->slots[i].hash != hash) {
			continue;
		}
		flow = &table->flows[table->slots[i].flow - 1];
		if (key_equal(&flow->key, key)) {
			*side = FLOW_FORWARD;
			return flow;
		}
		key_swap(key, &swapped);
		if (key_equal(&flow->key, &swapped)) {
			*side = FLOW_REVERSE;
			return flow;
		}
	}
	return NULL;
}

static void slot_put(struct slot *slots, uint32_t mask, struct slot slot)
{
	uint32_t i = slot.hash & mask;

	while (slots[i].flow != 0) {
		i = (i + 1) & mask;
	}
	slots[i] = slot;
}

static void slots_double(struct flowtable *table)
{
	uint32_t mask = table->slot_mask * 2 + 1;
	struct slot *slots = g_new0(struct slot, (gsize)mask + 1);

	for (uint32_t i = 0; i <= table->slot_mask; i++) {
		if (table->slots[i].flow != 0) {
			slot_put(slots, mask, table->slots[i]);
		}
	}
	g_free(table->slots);
	table->slots = slots;
	table->slot_mask = mask;
}

/* Called before the flow is counted as active. */
static void slot_insert(struct flowtable *table, const struct flow *flow)
{
	if (table->stats.active >= (table->slot_mask + 1) / 2) {
		slots_double(table);
	}
	slot_put(table->slots, table->slot_mask,
		 (struct slot){ .flow = flow_number(table, flow) + 1, .hash = flow->hash });
}

static void slot_remove(struct flowtable *table, const struct flow *flow)
{
	uint32_t mask = table->slot_mask;
	uint32_t number = flow_number(table, flow) + 1;
	uint32_t hole = flow->hash & mask;

	while (table->slots[hole].flow != number) {
		hole = (hole + 1) & mask;
	}
	/* Followers whose home is not between the hole and themselves move into the hole. */
	for (uint32_t i = (hole + 1) & mask; table->slots[i].flow != 0; i = (i + 1) & mask) {
		uint32_t home = table->slots[i].hash & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			table->slots[hole] = table->slots[i];
			hole = i;
		}
	}
	table->slots[hole].flow = 0;
}

/* --- flows ---------------------------------------------------------------------------------- */

static void flow_end(struct flowtable *table, struct flow *flow, enum flow_end reason)
{
	flow->end_reason = (uint8_t)(flow->end_reason | reason);
	table->stats.flows++;
	table->stats.ended[reason]++;
	table->stats.active--;
	table->fn(table->arg, flow);
	slot_remove(table, flow);
	queue_remove(table, flow);
	table->links[flow_number(table, flow)].newer = table->free_list;
	table->free_list = flow_number(table, flow);
}

static struct flow *flow_begin(struct flowtable *table, uint32_t hash, const struct packet *packet)
{
	struct flow *flow;

	if (table->stats.active == table->opts.max_flows) {
		flow_end(table, &table->flows[table->oldest], FLOW_END_RESOURCES);
	}
	if (table->free_list != NONE) {
		flow = &table->flows[table->free_list];
		table->free_list = table->links[table->free_list].newer;
	} else {
		flow = &table->flows[table->unused++];
	}
	memset(flow, 0, sizeof(*flow));
	flow->key = packet->key;
	flow->hash = hash;
	flow->start_ns = packet->time_ns;
	flow->end_ns = packet->time_ns;
	memcpy(flow->source_mac, packet->source_mac, sizeof(flow->source_mac));
	memcpy(flow->destination_mac, packet->destination_mac, sizeof(flow->destination_mac));
	slot_insert(table, flow);
	queue_append(table, flow);
	table->stats.active++;
	if (table->stats.active > table->stats.peak) {
		table->stats.peak = table->stats.active;
	}
	return flow;
}

/* FLOW_UNIFORM: set at the second packet of one size, gone for good at the first other. */
static void side_update_uniform(struct flow_side *side, const struct packet *packet)
{
	uint32_t bytes = packet->bytes;

	if (packet->key.protocol == PROTOCOL_TCP) {
		bool keep_alive =
			side->packets > 0 && packet->tcp_sequence == side->last_sequence - 1;

		bytes = packet->payload_bytes;
		if (bytes == 0 || keep_alive) {
			return;
		}
	}
	if (side->uniform_count == UNIFORM_BROKEN) {
		return;
	}
	if (side->uniform_count == 0) {
		side->uniform_bytes = bytes;
		side->uniform_count = 1;
	} else if (bytes == side->uniform_bytes) {
		side->uniform_count = 2;
		side->attributes |= FLOW_UNIFORM;
	} else {
		side->uniform_count = UNIFORM_BROKEN;
		side->attributes &= (uint16_t)~FLOW_UNIFORM;
	}
}

/*
 * Flags and sequence number of the packet that comes first in the stream, and the union of all
 * others. Sequence numbers are compared as serial numbers (RFC 1982), as long as the direction has
 * not sent so much that an earlier packet would look later.
 */
static void side_update_tcp(struct flow_side *side, const struct packet *packet)
{
	int32_t ahead = (int32_t)(packet->tcp_sequence - side->sequence);

	if (side->packets == 0) {
		side->initial_flags = packet->tcp_flags;
		side->sequence = packet->tcp_sequence;
	} else if (ahead > 0 || side->bytes > SEQUENCE_BYTES_MAX) {
		side->union_flags |= packet->tcp_flags;
	} else {
		side->union_flags |= side->initial_flags;
		side->initial_flags = packet->tcp_flags;
		side->sequence = packet->tcp_sequence;
	}
	side->last_sequence = packet->tcp_sequence;
}

static void flow_update_tcp_state(struct flow *flow, int side, const struct packet *packet)
{
	uint8_t own_fin = side == FLOW_FORWARD ? TCP_FIN_FORWARD : TCP_FIN_REVERSE;
	uint8_t other_fin = side == FLOW_FORWARD ? TCP_FIN_REVERSE : TCP_FIN_FORWARD;
	uint8_t own_ack = side == FLOW_FORWARD ? TCP_ACK_FORWARD : TCP_ACK_REVERSE;

	if (packet->tcp_flags & TCPFLAG_RST) {
		flow->tcp_state |= TCP_RESET;
	}
	if (packet->tcp_flags & TCPFLAG_FIN) {
		flow->tcp_state |= own_fin;
	}
	if ((packet->tcp_flags & TCPFLAG_ACK) && (flow->tcp_state & other_fin)) {
		flow->tcp_state |= own_ack;
	}
}

static void flow_update(struct flow *flow, int side_index, const struct packet *packet, bool late)
{
	struct flow_side *side = &flow->side[side_index];

	side_update_uniform(side, packet);
	if (packet->key.protocol == PROTOCOL_TCP) {
		side_update_tcp(side, packet);
		flow_update_tcp_state(flow, side_index, packet);
	}
	if (side->packets == 0) {
		side->vlan = packet->vlan;
		side->tos = packet->tos;
		if (side_index == FLOW_REVERSE) {
			flow->reverse_start_ns = packet->time_ns;
		}
	} else if (side_index == FLOW_REVERSE) {
		side->tos = packet->tos;
	}
	side->packets++;
	side->bytes += packet->bytes;
	if (packet->mptcp) {
		side->attributes |= FLOW_MPTCP;
	}
	if (packet->reassembled) {
		side->attributes |= FLOW_REASSEMBLED;
	}
	if (late) {
		side->attributes |= FLOW_LATE;
	}
	if (packet->time_ns > flow->end_ns) {
		flow->end_ns = packet->time_ns;
	}
}

static bool flow_is_over_active(const struct flowtable *table, const struct flow *flow, int side,
				const struct packet *packet)
{
	return packet->time_ns - flow->start_ns > table->opts.active_timeout_ns ||
	       (table->opts.silk && flow->side[side].bytes + packet->bytes > UINT32_MAX);
}

/* Older than the clock by more than is tolerated? */
static bool is_behind(const struct flowtable *table, int64_t time_ns)
{
	return table->clock_ns != INT64_MIN &&
	       time_ns < table->clock_ns - table->opts.late_tolerance_ns;
}

bool flowtable_is_late(const struct flowtable *table, int64_t time_ns)
{
	return !table->opts.accept_late && is_behind(table, time_ns);
}

void flowtable_expire(struct flowtable *table, int64_t now_ns)
{
	while (now_ns > table->idle_ns && table->oldest != NONE) {
		struct flow *flow = &table->flows[table->oldest];

		if (now_ns - flow->end_ns > table->opts.idle_timeout_ns) {
			flow_end(table, flow, FLOW_END_IDLE);
		} else if (__builtin_add_overflow(flow->end_ns, table->opts.idle_timeout_ns,
						  &table->idle_ns)) {
			table->idle_ns = INT64_MAX;
		}
	}
}

/* The flow for this packet: the one that is there unless its time is over, or a new one. */
static struct flow *flow_for(struct flowtable *table, uint32_t hash, const struct packet *packet,
			     int *side)
{
	struct flow *flow = slot_find(table, &packet->key, hash, side);
	bool continues = false;

	if (flow != NULL && flow_is_over_active(table, flow, *side, packet)) {
		flow_end(table, flow, FLOW_END_ACTIVE);
		continues = table->opts.silk;
		flow = NULL;
	}
	if (flow != NULL && packet->time_ns - flow->end_ns > table->opts.idle_timeout_ns) {
		flow_end(table, flow, FLOW_END_IDLE);
		flow = NULL;
	}
	if (flow != NULL) {
		queue_remove(table, flow);
		queue_append(table, flow);
		return flow;
	}
	*side = FLOW_FORWARD;
	flow = flow_begin(table, hash, packet);
	if (continues) {
		flow->end_reason = (uint8_t)FLOW_END_CONTINUES;
	}
	return flow;
}

uint32_t flowtable_prepare(const struct flowtable *table, struct packet *packet)
{
	uint32_t hash;

	if (table->opts.no_vlan_in_key) {
		packet->key.vlan = 0;
	}
	hash = key_hash(table->opts.key, &packet->key);
	__builtin_prefetch(&table->slots[hash & table->slot_mask]);
	return hash;
}

/* Only where the search begins; those few that lie further on are waited for. */
void flowtable_fetch(const struct flowtable *table, uint32_t hash)
{
	const struct slot *slot = &table->slots[hash & table->slot_mask];
	const char *flow;

	if (slot->flow != 0) {
		flow = (const char *)&table->flows[slot->flow - 1];
		__builtin_prefetch(flow, 1);
		__builtin_prefetch(flow + 64, 1);
		__builtin_prefetch(flow + 128, 1);
		__builtin_prefetch(&table->links[slot->flow - 1], 1);
	}
}

int flowtable_add(struct flowtable *table, const struct packet *packet, uint32_t hash)
{
	bool late = is_behind(table, packet->time_ns);
	struct flow *flow;
	int side = FLOW_FORWARD;

	if (flowtable_is_late(table, packet->time_ns)) {
		table->stats.late++;
		return ST_ERANGE;
	}
	if (packet->time_ns > table->clock_ns) {
		table->clock_ns = packet->time_ns;
	}
	/* The packet's own flow is looked at first: its active timeout goes before the idle one. */
	flow = flow_for(table, hash, packet, &side);
	flow_update(flow, side, packet, late);
	table->stats.packets++;
	table->stats.bytes += packet->bytes;
	if (table->opts.idle_timeout_ns == 0) {
		flow_end(table, flow, FLOW_END_IDLE);
	} else if (flow->tcp_state & TCP_RESET || (flow->tcp_state & TCP_CLOSED) == TCP_CLOSED) {
		flow_end(table, flow, FLOW_END_DETECTED);
	}
	flowtable_expire(table, table->clock_ns);
	return ST_OK;
}

void flowtable_flush(struct flowtable *table)
{
	while (table->oldest != NONE) {
		flow_end(table, &table->flows[table->oldest], FLOW_END_FORCED);
	}
}
