/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A look at the bytes of an IPFIX message (RFC 7011) before libfixbuf sees them: every length is
 * checked against the one around it, templates against bounds, data records against their
 * template, and the lists that will be decoded against theirs. Knows no libfixbuf, and no element
 * but the list types and the TCP flags whose list entries are decoded.
 *
 * Memory is bounded by the limits: domains, templates, and the fields of all templates together.
 */
#ifndef TUSSAH_PACKER_IPFIXSCAN_H
#define TUSSAH_PACKER_IPFIXSCAN_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* As many bytes must be there before a message's length can be told. */
#define IPFIXSCAN_LENGTH_BYTES 4
/* Different information elements that the templates of one session may name: each one that is not
 * in the information model is added to it. */
#define IPFIXSCAN_ELEMENTS_MAX 8192
/* Fields of all templates of one session: some megabytes, in ours and libfixbuf's memory. */
#define IPFIXSCAN_FIELDS_MAX 131072

struct ipfix_limits {
	uint32_t max_templates;       /* per session and observation domain */
	uint32_t max_template_fields; /* in one template */
	uint32_t max_domains;         /* observation domains per session */
};

struct ipfixscan_message {
	uint32_t export_time_s;
	uint32_t sequence;
	uint32_t domain;
	uint32_t templates;    /* defined in it */
	uint32_t data_records; /* in sets whose template is known */
	uint32_t unknown_sets; /* data sets without template */
	/* The same message without those sets, its sequence number counting what is left: fit for
	 * libfixbuf, which must not judge sets that were not checked. Borrowed until the next call.
	 */
	uint8_t *clean;
	size_t clean_len;
};

/* Length of the message at bytes once its first 4 bytes are here: 16..65535, or ST_EFORMAT. */
int ipfix_message_length(const uint8_t *bytes, size_t len, size_t *message_len, struct err *err);

/* The templates of one session. One thread. */
struct ipfixscan;

struct ipfixscan *ipfixscan_new(const struct ipfix_limits *limits);
void ipfixscan_free(struct ipfixscan *scan);

/*
 * Check one whole message and remember its templates. Returns ST_OK, ST_EFORMAT or ST_ELIMIT with
 * the reason; after an error the scan can only be freed.
 */
int ipfixscan_check(struct ipfixscan *scan, const uint8_t *message, size_t len,
		    struct ipfixscan_message *out, struct err *err);

#endif
