/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NetFlow v9 (RFC 3954) as a format of packer/decoder.h. */
#include "common/bigendian.h"
#include "common/timestamp.h"
#include "packer/probe.h"
#include "packer/templatesession.h"

#define NETFLOW9_VERSION          9
#define NETFLOW9_HEADER_BYTES     20
#define NETFLOW9_SET_HEADER_BYTES 4
/* Datagrams: that far ahead was lost, that far behind is late; beyond, the exporter began anew. */
#define NETFLOW9_LOST_MAX 3600000
#define NETFLOW9_LATE_MAX 60000

/* RFC 3954 5.1: the number counts datagrams of the source id. */
static void netflow9_account(struct templatesession *session, struct templatesession_domain *domain,
			     uint32_t sequence, bool reboot)
{
	uint64_t *counts = session->context->counts;
	int32_t ahead = (int32_t)(sequence - domain->sequence);

	if (domain->sequence_known && !reboot && ahead != 0) {
		counts[DECODER_OUT_OF_SEQUENCE]++;
		decoder_note(session->context, DECODER_NOTE_MISSING,
			     "Out-of-sequence packet: expecting %u, received %u, domain %u",
			     domain->sequence, sequence, domain->number);
		if (ahead < 0 && ahead > -NETFLOW9_LATE_MAX) {
			/* It had been counted as missing. */
			counts[DECODER_MISSING_PACKETS] -= MIN(counts[DECODER_MISSING_PACKETS], 1);
			return;
		}
		if (ahead > 0 && ahead < NETFLOW9_LOST_MAX) {
			counts[DECODER_MISSING_PACKETS] += (uint32_t)ahead;
		}
	}
	domain->sequence_known = true;
	domain->sequence = sequence + 1;
}

/* True: the exporter has restarted. */
static bool netflow9_take_clock(struct templatesession *session,
				struct templatesession_domain *domain,
				const struct templatesession_header *header)
{
	struct decoder_context *context = session->context;
	struct exporterclock_message time = header->time;
	unsigned signs;

	if (context->opts.mapping.quirks & PROBE_QUIRK_NF9_SYSUPTIME_SECONDS) {
		time.uptime_ms = (uint32_t)(time.uptime_ms * 1000ULL);
	}
	signs = exporterclock_take(&domain->clock, &time);
	if (signs & EXPORTERCLOCK_REBOOT) {
		context->counts[DECODER_REBOOTS]++;
		decoder_note(context, DECODER_NOTE_MISSING, "Router reboot for domain %u",
			     domain->number);
	}
	if (signs & EXPORTERCLOCK_STEPPED) {
		decoder_note(context, DECODER_NOTE_CLOCK,
			     "the clock of the exporter was set, domain %u", domain->number);
	}
	return signs & EXPORTERCLOCK_REBOOT;
}

/*
 * How long the message is: no header tells. Its sets end where the datagram does, or where in place
 * of a set's reserved id stands the version of the next message: some relays put several into one
 * datagram. Damage is left to who reads the sets.
 */
static size_t netflow9_message_length(struct template_bytes rest)
{
	const uint8_t *start = rest.at;

	template_eat(&rest, NETFLOW9_HEADER_BYTES);
	while (rest.left >= NETFLOW9_SET_HEADER_BYTES) {
		const size_t len = get_be16(rest.at + 2);

		if (get_be16(rest.at) == NETFLOW9_VERSION && rest.left >= NETFLOW9_HEADER_BYTES) {
			return (size_t)(rest.at - start);
		}
		if (len < NETFLOW9_SET_HEADER_BYTES || !template_eat(&rest, len)) {
			break;
		}
	}
	return (size_t)(rest.at - start) + rest.left;
}

/* The header's count of records is not looked at: exporters differ in what they count. */
static int netflow9_take_one(struct templatesession *session, struct template_bytes sets,
			     int64_t arrival_ns, struct err *err)
{
	struct templatesession_domain *domain = NULL;
	struct templatesession_header header = { .has_uptime = true };
	struct templatesession_seen seen = { 0 };
	const size_t len = sets.left;
	const uint8_t *bytes = template_eat(&sets, NETFLOW9_HEADER_BYTES);
	int st;

	if (!bytes) {
		return err_set(err, ST_EFORMAT, "datagram of %zu bytes", len);
	}
	header.time.uptime_ms = get_be32(bytes + 4);
	header.time.export_ns = (int64_t)get_be32(bytes + 8) * NS_PER_S;
	header.time.arrival_ns = arrival_ns;
	st = templatesession_domain(session, get_be32(bytes + 16), &domain, err);
	if (st != ST_OK) {
		return st;
	}
	netflow9_account(session, domain, get_be32(bytes + 12),
			 netflow9_take_clock(session, domain, &header));
	return templatesession_take(session, domain, &header, sets, &seen, err);
}

/*
 * Damage costs the message that has it, and those behind it only where the length of a set is
 * wrong: nothing else tells where they begin.
 */
static int netflow9_take(void *state, const struct decoder_message *message, struct err *err)
{
	struct template_bytes rest = { message->bytes, message->len };
	int result = ST_OK;

	do {
		const size_t len = netflow9_message_length(rest);
		const struct template_bytes one = { template_eat(&rest, len), len };
		struct err *why = result == ST_OK ? err : NULL; /* the first is told */
		int st = netflow9_take_one(state, one, message->arrival_ns, why);

		if (st != ST_OK && st != ST_EFORMAT) {
			return st;
		}
		result = result == ST_OK ? st : result;
	} while (rest.left > 0);
	return result;
}

static void *netflow9_open(struct decoder_context *context)
{
	return templatesession_new(context, TEMPLATE_SET_V9);
}

const struct decoder_format decoder_netflow9 = {
	.name = "NetFlow v9",
	.versions = 1U << NETFLOW9_VERSION,
	.open = netflow9_open,
	.take = netflow9_take,
	.mapping_changed = templatesession_replan,
	.save = templatesession_save,
	.load = templatesession_load,
	.each_name = templatesession_each_name,
	.close = templatesession_free,
};
