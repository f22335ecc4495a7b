/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NetFlow versions 1, 5 and 7 as one format of packer/decoder.h (silk-packing.md 11.2): records of
 * fixed layout, told apart by a table of offsets. Version 8, which aggregates what would be a
 * record's key, is counted and named once.
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/bigendian.h"
#include "common/timestamp.h"
#include "packer/decoder.h"
#include "packer/exporterclock.h"
#include "packer/probe.h"
#include "packer/sequence.h"

#define PDU_ENGINES_MAX 256 /* of one exporter; further ones take the place of the oldest */
#define PDU_SPAN_MAX_MS (UINT32_C(45) * 86400 * 1000)
#define PDU_SAVED_BYTES 45
#define PDU_RECORDS_MAX 30
#define PDU_VALUES_MAX  7 /* of a record, beyond struct record */

_Static_assert(PDU_RECORDS_MAX <= ROWQUEUE_ROOM &&
		       PDU_RECORDS_MAX * PDU_VALUES_MAX <= ROWQUEUE_ROOM_VALUES,
	       "a queue has room for a message");

/* The first 34 bytes of a record, and of a header the first 16, are the same in all versions. */
enum {
	HEADER_COUNT = 2,
	HEADER_UPTIME = 4,
	HEADER_SECONDS = 8,
	HEADER_NANOSECONDS = 12,
	HEADER_SEQUENCE = 16, /* not in version 1 */
	HEADER_ENGINE = 20,   /* version 5: type, number, sampling */
	HEADER_SAMPLING = 22,

	RECORD_SIP = 0,
	RECORD_DIP = 4,
	RECORD_NHIP = 8,
	RECORD_INPUT = 12,
	RECORD_OUTPUT = 14,
	RECORD_PACKETS = 16,
	RECORD_BYTES = 20,
	RECORD_FIRST = 24,
	RECORD_LAST = 28,
	RECORD_SPORT = 32,
	RECORD_DPORT = 34,
	RECORD_PROTOCOL = 38,
	RECORD_TOS = 39,
	RECORD_AS = 40, /* versions 5 and 7: source, destination; then the masks */
	RECORD_MASKS = 44,
};

struct pdu_layout {
	uint16_t version;
	uint8_t header_bytes;
	uint8_t record_bytes;
	uint8_t records_max; /* PDU_RECORDS_MAX at most */
	uint8_t flags;       /* offset of the TCP flags in a record */
	bool sequenced;
	bool engines; /* and sampling */
	bool routed;  /* AS numbers and masks */
};

static const struct pdu_layout pdu_layouts[] = {
	{ 1, 16, 52, 24, 40, false, false, false },
	{ 1, 16, 48, 30, 40, false, false, false }, /* softflowd's */
	{ 5, 24, 48, 30, 37, true, true, true },
	{ 7, 24, 52, 28, 37, true, false, true },
};

struct pdu_engine {
	uint32_t key; /* version, type, number */
	struct exporterclock clock;
	struct sequence sequence;
};

struct netflow5 {
	struct decoder_context *context;
	GArray *engines; /* of struct pdu_engine */
	guint last;      /* engine of the latest message */
	guint oldest;    /* next to be replaced */
	bool told_unsupported;
	struct rowqueue *queue;
	struct rowqueue *own; /* which it is when the sink has none; else NULL */
};

/* What records need of their message. */
struct pdu {
	const struct pdu_layout *layout;
	struct exporterclock_message clock;
	int64_t boot_ns;
	uint16_t sampling;
};

/* A row's values, and its shape: a bit for each of those that may be there. */
struct pdu_values {
	struct flowblock_value *at;
	uint32_t shape;
};

static void *netflow5_open(struct decoder_context *context)
{
	struct netflow5 *format = g_new0(struct netflow5, 1);

	format->context = context;
	format->engines = g_array_new(FALSE, TRUE, sizeof(struct pdu_engine));
	format->own = context->sink.queue ? NULL : g_new0(struct rowqueue, 1);
	format->queue = format->own ? format->own : context->sink.queue;
	return format;
}

static void netflow5_close(void *state)
{
	struct netflow5 *format = state;

	g_array_free(format->engines, TRUE);
	g_free(format->own);
	g_free(format);
}

/* ---- engines ---- */

static struct pdu_engine *netflow5_new_engine(struct netflow5 *format, uint32_t key)
{
	struct pdu_engine *engine;

	if (format->engines->len < PDU_ENGINES_MAX) {
		format->last = format->engines->len;
		g_array_set_size(format->engines, format->last + 1);
	} else {
		format->last = format->oldest;
		format->oldest = (format->oldest + 1) % PDU_ENGINES_MAX;
	}
	engine = &g_array_index(format->engines, struct pdu_engine, format->last);
	*engine = (struct pdu_engine){ .key = key };
	return engine;
}

static struct pdu_engine *netflow5_engine(struct netflow5 *format, uint32_t key)
{
	for (guint i = 0; i < format->engines->len; i++) {
		guint at = (format->last + i) % format->engines->len;
		struct pdu_engine *engine = &g_array_index(format->engines, struct pdu_engine, at);

		if (engine->key == key) {
			format->last = at;
			return engine;
		}
	}
	return netflow5_new_engine(format, key);
}

static int64_t pdu_boot_ms(const struct exporterclock_message *message)
{
	return exporterclock_boot_ns(message) / NS_PER_MS;
}

/* The end of a line about a message out of sequence: what was made of it. */
static void pdu_explain_gap(char *out, size_t size, const struct sequence *sequence,
			    const struct sequence_step *step, uint32_t count)
{
	uint64_t all = sequence->received - count + sequence->missing;
	int len = 0;

	if (step->wrapped) {
		len = snprintf(out, size,
			       "treating as missing packets during roll-over (difference without "
			       "roll-over %" PRId64 "); ",
			       step->missing);
	}
	snprintf(out + len, size - (size_t)len,
		 "adding to missing records %" PRIu64 "/%" PRIu64 " ==  %6.4g%%", sequence->missing,
		 all, 100.0 * (double)sequence->missing / (double)all);
}

static void pdu_explain_late(char *out, size_t size, const struct sequence_step *step,
			     uint32_t number, uint32_t count)
{
	int len = snprintf(out, size, "treating %" PRIu32 " flows as arriving late", count);

	if (step->wrapped) {
		snprintf(out + len, size - (size_t)len,
			 " after roll-over (difference without roll-over %" PRId32 ")",
			 (int32_t)(number - step->expected));
	}
}

static void netflow5_note_sequence(struct netflow5 *format, const struct pdu_engine *engine,
				   enum sequence_sign sign, const struct sequence_step *step,
				   uint32_t number, uint32_t count, int64_t elapsed_ns)
{
	char what[256];

	if (!decoder_wants(format->context, DECODER_NOTE_MISSING)) {
		return;
	}
	if (sign == SEQUENCE_GAP) {
		pdu_explain_gap(what, sizeof(what), &engine->sequence, step, count);
	} else if (sign == SEQUENCE_LATE) {
		pdu_explain_late(what, sizeof(what), step, number, count);
	} else {
		snprintf(
			what, sizeof(what),
			"resetting sequence due to large difference; next expected packet %" PRIu32,
			engine->sequence.next);
	}
	decoder_note(format->context, DECODER_NOTE_MISSING,
		     "Out-of-sequence packet: expecting %" PRIu32 ", received %" PRIu32
		     ", difference %" PRId64 ", elapsed %f sec, engine %u.%u; %s",
		     step->expected, number, (int64_t)number - (int64_t)step->expected,
		     (double)elapsed_ns / (double)NS_PER_S, engine->key >> 8 & 0xff,
		     engine->key & 0xff, what);
}

/* Clock and sequence numbers of the engine that sent the message. */
static void netflow5_account(struct netflow5 *format, const struct pdu *pdu, const uint8_t *bytes,
			     uint32_t count)
{
	uint64_t *counts = format->context->counts;
	uint32_t key = (uint32_t)pdu->layout->version << 16 |
		       (pdu->layout->engines ? get_be16(bytes + HEADER_ENGINE) : 0);
	struct pdu_engine *engine = netflow5_engine(format, key);
	const struct exporterclock_message before = { engine->clock.export_ns,
						      engine->clock.uptime_ms, 0 };
	enum sequence_sign sign;
	struct sequence_step step;
	uint32_t number;

	if (exporterclock_take(&engine->clock, &pdu->clock) & EXPORTERCLOCK_REBOOT) {
		counts[DECODER_REBOOTS]++;
		sequence_restart(&engine->sequence);
		decoder_note(format->context, DECODER_NOTE_MISSING,
			     "Router reboot for engine %u.%u. Last time %" PRId64
			     ", Current time %" PRId64,
			     key >> 8 & 0xff, key & 0xff, pdu_boot_ms(&before),
			     pdu_boot_ms(&pdu->clock));
	}
	if (!pdu->layout->sequenced) {
		return;
	}
	number = get_be32(bytes + HEADER_SEQUENCE);
	sign = sequence_take(&engine->sequence, number, count, &step);
	counts[DECODER_MISSING] += (uint64_t)step.missing;
	if (sign != SEQUENCE_IN_ORDER) {
		counts[DECODER_OUT_OF_SEQUENCE]++;
		netflow5_note_sequence(format, engine, sign, &step, number, count,
				       pdu->clock.export_ns - before.export_ns);
	}
}

/* ---- records ---- */

/* Why this record cannot be true; NULL: it can. */
static const char *pdu_record_fault(uint32_t packets, uint32_t bytes, uint32_t first, uint32_t last)
{
	if (packets == 0 || bytes == 0) {
		return "Netflow record has zero packets or bytes";
	}
	if (packets > bytes) {
		return "Netflow record has more packets them bytes"; /* as SiLK spells it */
	}
	/* A counter that wrapped between the two is 45 days lower at least. */
	if (last < first ? first - last < PDU_SPAN_MAX_MS : last - first > PDU_SPAN_MAX_MS) {
		return "Netflow record has earlier end time than start time";
	}
	return NULL;
}

static void netflow5_note_times(struct netflow5 *format, const struct pdu *pdu, uint32_t first,
				uint32_t last)
{
	int64_t lead = (int64_t)pdu->clock.uptime_ms - first;
	const char *wrap = lead > (int64_t)PDU_SPAN_MAX_MS    ? ", assume First rollover"
			   : lead < -(int64_t)PDU_SPAN_MAX_MS ? ", assume Uptime rollover"
							      : "";

	decoder_note(format->context, DECODER_NOTE_TIMESTAMPS,
		     "Router boot (ms)=%" PRId64 ", Uptime=%" PRIu32 ", First=%" PRIu32
		     ", Last=%" PRIu32 "%s%s",
		     pdu_boot_ms(&pdu->clock), pdu->clock.uptime_ms, first, last, wrap,
		     last < first ? ", assume Last rollover" : "");
}

/* bit: of the shape. */
static inline void pdu_value(struct pdu_values *values, unsigned bit, uint16_t id, uint8_t type,
			     uint32_t number)
{
	struct flowblock_value *value = values->at++;

	value->key = (struct column_key){ 0, id };
	value->type = type;
	value->number = number;
	values->shape |= 1u << bit;
}

/* Numbers that are zero when a router does not know them are left out. */
static inline void pdu_values(const struct pdu *pdu, const uint8_t *bytes,
			      struct pdu_values *values)
{
	pdu_value(values, 0, 5, COLUMN_UNSIGNED8, bytes[RECORD_TOS]); /* ipClassOfService */
	if (pdu->layout->routed) {
		const uint32_t as = get_be32(bytes + RECORD_AS);
		const uint8_t *masks = bytes + RECORD_MASKS;

		if (masks[0]) {
			pdu_value(values, 1, 9, COLUMN_UNSIGNED8, masks[0]); /* sourceIPv4Prefix… */
		}
		if (masks[1]) {
			pdu_value(values, 2, 13, COLUMN_UNSIGNED8, masks[1]);
		}
		if (as >> 16) {
			pdu_value(values, 3, 16, COLUMN_UNSIGNED32, as >> 16); /* bgpSourceAs… */
		}
		if (as & 0xffff) {
			pdu_value(values, 4, 17, COLUMN_UNSIGNED32, as & 0xffff);
		}
	}
	if (pdu->sampling & 0x3fff) {
		pdu_value(values, 5, 34, COLUMN_UNSIGNED32, pdu->sampling & 0x3fffu);
		pdu_value(values, 6, 35, COLUMN_UNSIGNED8, pdu->sampling >> 14);
	}
}

/* To the end of the queue, if it can be true. */
static void netflow5_record(struct netflow5 *format, const struct pdu *pdu, const uint8_t *bytes,
			    struct rowqueue_end *end)
{
	struct decoder_context *context = format->context;
	uint32_t packets = get_be32(bytes + RECORD_PACKETS);
	uint32_t volume = get_be32(bytes + RECORD_BYTES);
	uint32_t first = get_be32(bytes + RECORD_FIRST);
	uint32_t last = get_be32(bytes + RECORD_LAST);
	struct record *rec = &end->row->rec;
	struct pdu_values values = { .at = end->values };
	int64_t start_ns;
	uint64_t duration_ns;
	const char *fault;

	if (packets == 0 && volume > 0 &&
	    (context->opts.mapping.quirks & PROBE_QUIRK_ZERO_PACKETS)) {
		packets = 1;
	}
	fault = pdu_record_fault(packets, volume, first, last);
	if (fault) {
		context->counts[DECODER_BAD]++;
		decoder_note(context, DECODER_NOTE_BAD, "%s", fault);
		return;
	}
	if (decoder_wants(context, DECODER_NOTE_TIMESTAMPS)) {
		netflow5_note_times(format, pdu, first, last);
	}
	exporterclock_flow(&pdu->clock, pdu->boot_ns, first, last, &start_ns, &duration_ns);
	if (context->opts.mapping.clock_limit_ns > 0 &&
	    exporterclock_correct(context->opts.mapping.clock_limit_ns, &pdu->clock, &start_ns,
				  duration_ns)) {
		context->counts[DECODER_CLOCK_OFF]++;
	}
	/* with nothing called in between, so that compilers store each member once */
	record_init(rec);
	rec->start_ns = start_ns;
	rec->duration_ns = duration_ns;
	rec->sip = ip_from_v4(get_be32(bytes + RECORD_SIP));
	rec->dip = ip_from_v4(get_be32(bytes + RECORD_DIP));
	rec->nhip = ip_from_v4(get_be32(bytes + RECORD_NHIP));
	rec->packets = packets;
	rec->bytes = volume;
	rec->input = get_be16(bytes + RECORD_INPUT);
	rec->output = get_be16(bytes + RECORD_OUTPUT);
	rec->protocol = bytes[RECORD_PROTOCOL];
	rec->sport = get_be16(bytes + RECORD_SPORT);
	rec->dport = get_be16(bytes + RECORD_DPORT);
	rec->flags = bytes[pdu->layout->flags];
	if (rec->protocol == 1 && rec->dport == 0) {
		/* type and code in the other port; SiLK takes the code first */
		rec->dport = (uint16_t)(rec->sport << 8 | rec->sport >> 8);
		rec->sport = 0;
	}
	pdu_values(pdu, bytes, &values);
	rowqueue_pass(end, (uint32_t)(values.at - end->values), values.shape);
}

/* ---- messages ---- */

static int netflow5_reject(struct netflow5 *format, const char *why, struct err *err)
{
	decoder_note(format->context, DECODER_NOTE_BAD, "Rejected PDU record %s", why);
	return err_set(err, ST_EFORMAT, "Rejected PDU record %s", why);
}

/* Version 8 and whatever else is no layout of ours. */
static int netflow5_unsupported(struct netflow5 *format, const struct decoder_message *message)
{
	format->context->counts[DECODER_UNSUPPORTED]++;
	if (!format->told_unsupported) {
		format->told_unsupported = true;
		decoder_note(format->context, DECODER_NOTE_UNSUPPORTED,
			     "NetFlow version %u (aggregated by the router) is not collected: its "
			     "records are no flows; let the router export version 5 or 9",
			     get_be16(message->bytes));
	}
	return ST_OK;
}

/* Of a version's layouts the one that fills the datagram, else the first; NULL: there is none. */
static const struct pdu_layout *pdu_layout_find(unsigned version, uint32_t count, size_t len)
{
	const struct pdu_layout *first = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(pdu_layouts); i++) {
		const struct pdu_layout *layout = &pdu_layouts[i];

		if (layout->version != version) {
			continue;
		}
		if (len == layout->header_bytes + (size_t)count * layout->record_bytes) {
			return layout;
		}
		first = first ? first : layout;
	}
	return first;
}

/* Whole milliseconds: what uptimes are counted in. */
static int64_t pdu_export_ns(const uint8_t *bytes)
{
	return get_be32(bytes + HEADER_SECONDS) * NS_PER_S +
	       get_be32(bytes + HEADER_NANOSECONDS) / (uint32_t)NS_PER_MS * NS_PER_MS;
}

static int netflow5_take(void *state, const struct decoder_message *message, struct err *err)
{
	struct netflow5 *format = state;
	const uint8_t *bytes = message->bytes;
	uint32_t count = get_be16(bytes + HEADER_COUNT);
	struct pdu pdu = { .layout = pdu_layout_find(get_be16(bytes), count, message->len) };
	const size_t first = format->queue->count;
	struct rowqueue_end end = rowqueue_end(format->queue);

	if (!pdu.layout) {
		return netflow5_unsupported(format, message);
	}
	if (message->len < pdu.layout->header_bytes) {
		return netflow5_reject(format, "due to truncated header", err);
	}
	if (count == 0) {
		return netflow5_reject(format, "reporting zero records", err);
	}
	if (count > pdu.layout->records_max) {
		char why[64];

		snprintf(why, sizeof(why), "reporting more than %u records",
			 pdu.layout->records_max);
		return netflow5_reject(format, why, err);
	}
	if (message->len - pdu.layout->header_bytes < count * pdu.layout->record_bytes) {
		return netflow5_reject(format, "due to truncated data section", err);
	}
	pdu.clock = (struct exporterclock_message){ pdu_export_ns(bytes),
						    get_be32(bytes + HEADER_UPTIME),
						    message->arrival_ns };
	pdu.boot_ns = exporterclock_boot_ns(&pdu.clock);
	pdu.sampling = pdu.layout->engines ? get_be16(bytes + HEADER_SAMPLING) : 0;
	netflow5_account(format, &pdu, bytes, count);
	bytes += pdu.layout->header_bytes;
	for (uint32_t i = 0; i < count; i++) {
		netflow5_record(format, &pdu, bytes, &end);
		bytes += pdu.layout->record_bytes;
	}
	rowqueue_add(format->queue, &end);
	format->context->counts[DECODER_FORWARD] += format->queue->count - first;
	return decoder_deliver(&format->context->sink, format->queue, first);
}

/* ---- saving: PDU_SAVED_BYTES for each engine ---- */

static void netflow5_save(const void *state, GByteArray *out)
{
	const struct netflow5 *format = state;

	for (guint i = 0; i < format->engines->len; i++) {
		const struct pdu_engine *engine =
			&g_array_index(format->engines, struct pdu_engine, i);
		uint8_t saved[PDU_SAVED_BYTES];

		put_be32(saved, engine->key);
		saved[4] = (uint8_t)(engine->clock.known | engine->sequence.known << 1);
		put_be32(saved + 5, engine->clock.uptime_ms);
		put_be64(saved + 9, (uint64_t)engine->clock.export_ns);
		put_be64(saved + 17, (uint64_t)engine->clock.arrival_ns);
		put_be32(saved + 25, engine->sequence.next);
		put_be64(saved + 29, engine->sequence.received);
		put_be64(saved + 37, engine->sequence.missing);
		g_byte_array_append(out, saved, sizeof(saved));
	}
}

static int netflow5_load(void *state, const uint8_t *bytes, size_t len, struct err *err)
{
	struct netflow5 *format = state;

	if (len % PDU_SAVED_BYTES != 0 || len / PDU_SAVED_BYTES > PDU_ENGINES_MAX) {
		return err_set(err, ST_EFORMAT, "the saved state of NetFlow engines is damaged");
	}
	for (; len > 0; bytes += PDU_SAVED_BYTES, len -= PDU_SAVED_BYTES) {
		struct pdu_engine *engine = netflow5_engine(format, get_be32(bytes));

		engine->clock.known = bytes[4] & 1;
		engine->sequence.known = bytes[4] & 2;
		engine->clock.uptime_ms = get_be32(bytes + 5);
		engine->clock.export_ns = (int64_t)get_be64(bytes + 9);
		engine->clock.arrival_ns = (int64_t)get_be64(bytes + 17);
		engine->sequence.next = get_be32(bytes + 25);
		engine->sequence.received = get_be64(bytes + 29);
		engine->sequence.missing = get_be64(bytes + 37);
	}
	return ST_OK;
}

const struct decoder_format decoder_netflow5 = {
	.name = "NetFlow v5",
	.versions = 1U << 1 | 1U << 5 | 1U << 7 | 1U << 8,
	.open = netflow5_open,
	.take = netflow5_take,
	.save = netflow5_save,
	.load = netflow5_load,
	.close = netflow5_close,
};
