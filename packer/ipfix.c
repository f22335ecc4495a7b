/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPFIX (RFC 7011) as a format of packer/decoder.h. */
#include "packer/ipfix.h"

#include "common/bigendian.h"
#include "common/timestamp.h"
#include "packer/templatesession.h"

#define IPFIX_VERSION 10
/* A message that is less than this behind is late; further behind, its exporter began anew. */
#define IPFIX_LATE_RECORDS 60000

int ipfix_message_length(const uint8_t *bytes, size_t len, size_t *message_len, struct err *err)
{
	if (len < IPFIX_LENGTH_BYTES) {
		return err_set(err, ST_EFORMAT, "message of %zu bytes", len);
	}
	if (get_be16(bytes) != IPFIX_VERSION) {
		return err_set(err, ST_EFORMAT, "not IPFIX (version %u)", get_be16(bytes));
	}
	*message_len = get_be16(bytes + 2);
	if (*message_len < IPFIX_HEADER_BYTES) {
		return err_set(err, ST_EFORMAT, "message length of %zu bytes", *message_len);
	}
	return ST_OK;
}

/* RFC 7011 3.1: the number counts the domain's data records before this message. */
static void ipfix_account(struct templatesession *session, struct templatesession_domain *domain,
			  uint32_t sequence, const struct templatesession_seen *seen)
{
	uint64_t *counts = session->context->counts;
	uint32_t after = sequence + seen->records;
	int32_t ahead;

	if (!domain->sequence_known) {
		domain->sequence_known = true;
		domain->sequence = sequence;
	}
	ahead = (int32_t)(sequence - domain->sequence);
	if (ahead != 0 && !domain->sequence_unsure) {
		counts[DECODER_OUT_OF_SEQUENCE]++;
		decoder_note(session->context, DECODER_NOTE_MISSING,
			     "Out-of-sequence message: domain %u, expecting %u, received %u",
			     domain->number, domain->sequence, sequence);
		if (ahead > 0) {
			counts[DECODER_MISSING] += (uint32_t)ahead;
		} else if (ahead > -IPFIX_LATE_RECORDS) {
			/* These had been counted as missing. */
			counts[DECODER_MISSING] -= MIN(counts[DECODER_MISSING], seen->records);
			after = domain->sequence;
		} else {
			counts[DECODER_REBOOTS]++;
		}
	}
	domain->sequence = after;
	domain->sequence_unsure = seen->unknown > 0;
}

static int ipfix_take_one(struct templatesession *session, const uint8_t *bytes, size_t len,
			  int64_t arrival_ns, struct err *err)
{
	struct templatesession_domain *domain = NULL;
	struct templatesession_header header = { .has_uptime = false };
	struct template_bytes sets = { bytes, len };
	struct templatesession_seen seen = { 0 };
	int st;

	template_eat(&sets, IPFIX_HEADER_BYTES);
	header.time.export_ns = (int64_t)get_be32(bytes + 4) * NS_PER_S;
	header.time.arrival_ns = arrival_ns;
	st = templatesession_domain(session, get_be32(bytes + 12), &domain, err);
	if (st != ST_OK) {
		return st;
	}
	st = templatesession_take(session, domain, &header, sets, &seen, err);
	if (st == ST_EFORMAT) {
		/* what was behind the damage was not counted */
		seen.unknown++;
	}
	if (st != ST_ELIMIT) {
		ipfix_account(session, domain, get_be32(bytes + 8), &seen);
	}
	return st;
}

/*
 * The next message. Some exporters leave the padding of the last set out of the message's length:
 * what is too short for a message belongs to the one before. NULL: there is none.
 */
static const uint8_t *ipfix_next(struct template_bytes *rest, size_t *len, struct err *err)
{
	const uint8_t *at = rest->at;

	if (ipfix_message_length(at, rest->left, len, err) != ST_OK) {
		return NULL;
	}
	if (*len < rest->left && rest->left - *len < IPFIX_HEADER_BYTES) {
		*len = rest->left;
	}
	if (!template_eat(rest, *len)) {
		err_set(err, ST_EFORMAT, "message length %zu instead of %zu", *len, rest->left);
		return NULL;
	}
	return at;
}

/* Some exporters put several messages into one datagram. Damage costs the message that has it. */
static int ipfix_take(void *state, const struct decoder_message *message, struct err *err)
{
	struct template_bytes rest = { message->bytes, message->len };
	int result = ST_OK;

	do {
		struct err *why = result == ST_OK ? err : NULL; /* the first is told */
		size_t len = 0;
		const uint8_t *at = ipfix_next(&rest, &len, why);
		int st = at ? ipfix_take_one(state, at, len, message->arrival_ns, why) : ST_EFORMAT;

		if (!at || (st != ST_OK && st != ST_EFORMAT)) {
			return st;
		}
		result = result == ST_OK ? st : result;
	} while (rest.left > 0);
	return result;
}

static void *ipfix_open(struct decoder_context *context)
{
	return templatesession_new(context, TEMPLATE_SET_IPFIX);
}

const struct decoder_format decoder_ipfix = {
	.name = "IPFIX",
	.versions = 1U << IPFIX_VERSION,
	.open = ipfix_open,
	.take = ipfix_take,
	.mapping_changed = templatesession_replan,
	.save = templatesession_save,
	.load = templatesession_load,
	.each_name = templatesession_each_name,
	.close = templatesession_free,
};

int ipfix_read_message(FILE *file, uint8_t *bytes, size_t *len, struct err *err)
{
	size_t head = fread(bytes, 1, 4, file);
	int st;

	if (head == 0 && !ferror(file)) {
		return ST_END;
	}
	if (head < 4) {
		return err_set(err, ST_ETRUNC, "ends in the middle of a message");
	}
	st = ipfix_message_length(bytes, head, len, err);
	if (st == ST_OK && fread(bytes + head, 1, *len - head, file) != *len - head) {
		st = err_set(err, ST_ETRUNC, "ends in the middle of a message");
	}
	return st;
}
