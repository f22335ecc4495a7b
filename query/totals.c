/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/totals.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <glib.h>

#include "common/decimal.h"
#include "common/text.h"
#include "common/timestamp.h"

/* Bins of a page, which is told to be used or not as a whole, so that unused memory of a large
 * table is never touched. */
#define PAGE_SHIFT 9

struct totals {
	const struct totals_key *key;
	uint32_t first;   /* bin: those of IPv4 may be left out */
	uint32_t count;   /* of bins, of both families */
	uint32_t v6_bins; /* where those of IPv6 start; 0: there are none */
	pthread_mutex_t lock;
	struct volume *bins;
	uint8_t *used_pages;
};

/* What a worker keeps is so many bins at most, and fits its processor's cache. */
#define OWN_BINS_MAX (1u << 16)

struct totals_worker {
	struct totals *totals;
	struct volume *bins; /* NULL: it adds to the bins of all */
};

/* ---- keys ---- */

static bool row_is_v6(const struct batch *batch, uint32_t row, uint32_t v6_bins)
{
	return v6_bins && (batch->state[row] & RECORD_IPV6);
}

/* clang-format off */
#define LOAD_FIRST(member, bits)                                                                   \
static void load_##member##_first_##bits(const struct batch *batch, uint32_t v6_bins,              \
					 uint32_t *out)                                            \
{                                                                                                  \
	for (uint32_t i = 0; i < batch->selected; i++) {                                           \
		const uint32_t row = batch->selection[i];                                          \
		const struct ip ip = batch->member[row];                                           \
                                                                                                   \
		out[i] = row_is_v6(batch, row, v6_bins) ?                                          \
				 v6_bins + (uint32_t)(ip.hi >> (64 - (bits))) :                    \
				 ip_to_v4(ip) >> (32 - (bits));                                    \
	}                                                                                          \
}
#define LOAD_LAST(member, bits)                                                                    \
static void load_##member##_last_##bits(const struct batch *batch, uint32_t v6_bins,               \
					uint32_t *out)                                             \
{                                                                                                  \
	for (uint32_t i = 0; i < batch->selected; i++) {                                           \
		const uint32_t row = batch->selection[i];                                          \
                                                                                                   \
		out[i] = (uint32_t)(batch->member[row].lo & ((1u << (bits)) - 1)) +                \
			 (row_is_v6(batch, row, v6_bins) ? v6_bins : 0);                           \
	}                                                                                          \
}
/* Of numbers of any size; what is beyond the last bin is counted there. */
#define LOAD_NUMBER(name, value, last)                                                             \
static void load_##name(const struct batch *batch, uint32_t v6_bins, uint32_t *out)                \
{                                                                                                  \
	for (uint32_t i = 0; i < batch->selected; i++) {                                           \
		const uint32_t row = batch->selection[i];                                          \
		const uint64_t number = value;                                                     \
                                                                                                   \
		out[i] = number < (last) ? (uint32_t)number : (last);                              \
	}                                                                                          \
}
/* clang-format on */

#define PORT_BINS     (1u << 16)
#define PROTOCOL_BINS (1u << 8)
#define VOLUME_BINS   (1u << 24)
/* SiLK 3.22.1 has as many, and writes beyond them. */
#define DURATION_BINS (1u << 12)

LOAD_FIRST(sip, 8)
LOAD_FIRST(sip, 16)
LOAD_FIRST(sip, 24)
LOAD_LAST(sip, 8)
LOAD_LAST(sip, 16)
LOAD_FIRST(dip, 8)
LOAD_FIRST(dip, 16)
LOAD_FIRST(dip, 24)
LOAD_LAST(dip, 8)
LOAD_LAST(dip, 16)
LOAD_NUMBER(sport, batch->sport[row], PORT_BINS - 1)
LOAD_NUMBER(dport, batch->dport[row], PORT_BINS - 1)
LOAD_NUMBER(protocol, batch->protocol[row], PROTOCOL_BINS - 1)
LOAD_NUMBER(packets, batch->packets[row], VOLUME_BINS - 1)
LOAD_NUMBER(bytes, batch->bytes[row], VOLUME_BINS - 1)
LOAD_NUMBER(duration, batch->duration_ns[row] / NS_PER_S, DURATION_BINS - 1)

static size_t print_number(char *out, uint32_t value, bool padded)
{
	size_t len = decimal_print(out, value);

	out[len] = '\0';
	return len;
}

/* The lowest bytes of value with a character between, each padded to its width. */
static size_t print_bytes(char *out, uint32_t value, unsigned count, char between, bool padded)
{
	size_t len = 0;

	while (count-- > 0) {
		uint8_t byte = (uint8_t)(value >> (8 * count));

		len += (size_t)snprintf(out + len, TOTALS_TEXT_MAX - len, padded ? "%3u" : "%u",
					byte);
		if (count > 0) {
			out[len++] = between;
		}
	}
	out[len] = '\0';
	return len;
}

static size_t print_two_bytes(char *out, uint32_t value, bool padded)
{
	return print_bytes(out, value, 2, '.', padded);
}

static size_t print_three_bytes(char *out, uint32_t value, bool padded)
{
	return print_bytes(out, value, 3, '.', padded);
}

static size_t print_icmp(char *out, uint32_t value, bool padded)
{
	return print_bytes(out, value, 2, ' ', padded);
}

static size_t print_prefix(char *out, uint32_t value, unsigned bits)
{
	const struct ip ip = { (uint64_t)value << (64 - bits), 0 };
	size_t len = ip_print(out, ip, true, IP_NO_MIXED);

	return len + (size_t)snprintf(out + len, TOTALS_TEXT_MAX - len, "/%u", bits);
}

static size_t print_prefix_8(char *out, uint32_t value)
{
	return print_prefix(out, value, 8);
}

static size_t print_prefix_16(char *out, uint32_t value)
{
	return print_prefix(out, value, 16);
}

static size_t print_prefix_24(char *out, uint32_t value)
{
	return print_prefix(out, value, 24);
}

static size_t print_suffix(char *out, uint32_t value)
{
	return ip_print(out, (struct ip){ 0, value }, true, IP_NO_MIXED);
}

/* clang-format off */
#define ADDRESS_KEY(title_, member_, part_, bits_, column_, print_, print_v6_, v6_width_)          \
	{                                                                                          \
		.title = title_, .bins = 1u << (bits_), .columns = COLUMN_BIT(column_),            \
		.address = true, .load = load_##member_##_##part_##_##bits_, .print = print_,      \
		.print_v6 = print_v6_, .v6_width = v6_width_                                       \
	}
#define ADDRESS_KEYS(upper, title_, member_, column_)                                              \
	[TOTALS_##upper##_FIRST_8] = ADDRESS_KEY(title_ "_First8", member_, first, 8, column_,     \
						 print_number, print_prefix_8, 8),                 \
	[TOTALS_##upper##_FIRST_16] = ADDRESS_KEY(title_ "_First16", member_, first, 16, column_,  \
						  print_two_bytes, print_prefix_16, 9),            \
	[TOTALS_##upper##_FIRST_24] = ADDRESS_KEY(title_ "_First24", member_, first, 24, column_,  \
						  print_three_bytes, print_prefix_24, 14),         \
	[TOTALS_##upper##_LAST_8] = ADDRESS_KEY(title_ "_Last8", member_, last, 8, column_,        \
						print_number, print_suffix, 6),                    \
	[TOTALS_##upper##_LAST_16] = ADDRESS_KEY(title_ "_Last16", member_, last, 16, column_,     \
						 print_two_bytes, print_suffix, 6)
#define NUMBER_KEY(title_, bins_, column_, load_)                                                  \
	{                                                                                          \
		.title = title_, .bins = bins_, .columns = COLUMN_BIT(column_), .number = true,    \
		.load = load_, .print = print_number                                               \
	}

const struct totals_key totals_keys[TOTALS_KEY_COUNT] = {
	ADDRESS_KEYS(SIP, "sIP", sip, COLUMN_SIP),
	ADDRESS_KEYS(DIP, "dIP", dip, COLUMN_DIP),
	[TOTALS_SPORT] = NUMBER_KEY("sPort", PORT_BINS, COLUMN_SPORT, load_sport),
	[TOTALS_DPORT] = NUMBER_KEY("dPort", PORT_BINS, COLUMN_DPORT, load_dport),
	[TOTALS_PROTO] = NUMBER_KEY("protocol", PROTOCOL_BINS, COLUMN_PROTOCOL, load_protocol),
	[TOTALS_PACKETS] = NUMBER_KEY("packets", VOLUME_BINS, COLUMN_PACKETS, load_packets),
	[TOTALS_BYTES] = NUMBER_KEY("bytes", VOLUME_BINS, COLUMN_BYTES, load_bytes),
	[TOTALS_DURATION] = NUMBER_KEY("elapsed", DURATION_BINS, COLUMN_DURATION, load_duration),
	[TOTALS_ICMP_CODE] = { .title = "icmpTypeCod", .bins = PORT_BINS,
		.columns = COLUMN_BIT(COLUMN_DPORT), .load = load_dport, .print = print_icmp },
};
/* clang-format on */

/* ---- the table ---- */

static void *zeroed(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory) {
		g_error("cannot allocate %zu bytes", count * size);
	}
	return memory;
}

struct totals *totals_new(const struct totals_key *key, enum ipv6_policy policy)
{
	struct totals *totals = g_new0(struct totals, 1);

	totals->key = key;
	totals->count = key->bins;
	if (key->address && (policy == IPV6_MIX || policy == IPV6_FORCE || policy == IPV6_ONLY)) {
		totals->v6_bins = key->bins;
		totals->count = 2 * key->bins;
		totals->first = policy == IPV6_MIX ? 0 : key->bins;
	}
	/* Unlike GLib's, calloc() leaves pages alone until they are used. */
	totals->bins = zeroed(totals->count, sizeof(totals->bins[0]));
	totals->used_pages = zeroed((totals->count >> PAGE_SHIFT) + 1, 1);
	pthread_mutex_init(&totals->lock, NULL);
	return totals;
}

void totals_free(struct totals *totals)
{
	if (totals) {
		free(totals->bins);
		free(totals->used_pages);
		pthread_mutex_destroy(&totals->lock);
		g_free(totals);
	}
}

uint32_t totals_columns(const struct totals *totals)
{
	return totals->key->columns | COLUMN_BIT(COLUMN_PACKETS) | COLUMN_BIT(COLUMN_BYTES) |
	       (totals->v6_bins ? COLUMN_BIT(COLUMN_STATE) : 0);
}

struct totals_worker *totals_worker_new(struct totals *totals)
{
	struct totals_worker *worker = g_new0(struct totals_worker, 1);

	worker->totals = totals;
	if (totals->count <= OWN_BINS_MAX) {
		worker->bins = zeroed(totals->count, sizeof(worker->bins[0]));
	}
	return worker;
}

static void add_rows(struct volume *bins, const struct batch *batch, const uint32_t *numbers)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		const uint32_t row = batch->selection[i];
		struct volume *bin = &bins[numbers[i]];

		bin->records++;
		bin->bytes += batch->bytes[row];
		bin->packets += batch->packets[row];
	}
}

void totals_worker_add(struct totals_worker *worker, const struct batch *batch)
{
	struct totals *totals = worker->totals;
	uint32_t numbers[BATCH_ROWS];

	totals->key->load(batch, totals->v6_bins, numbers);
	if (worker->bins) {
		add_rows(worker->bins, batch, numbers);
		return;
	}
	pthread_mutex_lock(&totals->lock);
	add_rows(totals->bins, batch, numbers);
	for (uint32_t i = 0; i < batch->selected; i++) {
		totals->used_pages[numbers[i] >> PAGE_SHIFT] = 1;
	}
	pthread_mutex_unlock(&totals->lock);
}

void totals_worker_free(struct totals_worker *worker)
{
	struct totals *totals = worker->totals;

	pthread_mutex_lock(&totals->lock);
	for (uint32_t n = 0; worker->bins && n < totals->count; n++) {
		if (worker->bins[n].records > 0) {
			volume_add(&totals->bins[n], &worker->bins[n]);
			totals->used_pages[n >> PAGE_SHIFT] = 1;
		}
	}
	pthread_mutex_unlock(&totals->lock);
	free(worker->bins);
	g_free(worker);
}

uint32_t totals_next(const struct totals *totals, uint32_t n, bool only_used)
{
	n = MAX(n, totals->first);
	if (!only_used) {
		return n < totals->count ? n : TOTALS_END;
	}
	while (n < totals->count) {
		if (!totals->used_pages[n >> PAGE_SHIFT]) {
			n = ((n >> PAGE_SHIFT) + 1) << PAGE_SHIFT;
		} else if (totals->bins[n].records == 0) {
			n++;
		} else {
			return n;
		}
	}
	return TOTALS_END;
}

const struct volume *totals_at(const struct totals *totals, uint32_t n)
{
	static const struct volume empty;

	return totals->used_pages[n >> PAGE_SHIFT] ? &totals->bins[n] : &empty;
}

size_t totals_print(const struct totals *totals, char *out, uint32_t n, bool padded)
{
	if (totals->v6_bins && n >= totals->v6_bins) {
		return totals->key->print_v6(out, n - totals->v6_bins);
	}
	return totals->key->print(out, n, padded);
}

bool totals_has_v6(const struct totals *totals)
{
	return totals->v6_bins != 0;
}
