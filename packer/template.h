/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Templates of NetFlow v9 and IPFIX: definitions from the wire, and a store of those of one
 * observation domain (v9: source id). Every length is checked against the one around it, numbers of
 * templates and of their fields against bounds. Pure.
 *
 *	struct template_bounds bounds = { .limits = limits, .budget = &budget };
 *	struct templates *templates = templates_new(&bounds);
 *	while (template_more(&bytes, set_id))
 *		st = templates_take(templates, set_id, &bytes, &template, err);
 *	template = templates_find(templates, 256);
 */
#ifndef TUSSAH_PACKER_TEMPLATE_H
#define TUSSAH_PACKER_TEMPLATE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "packer/budget.h"

#define TEMPLATE_ID_MIN 256
#define TEMPLATE_VARLEN 65535
/* What a template of so many fields costs with its plan, at most. */
#define TEMPLATE_COST(fields) (UINT64_C(2048) + UINT64_C(192) * (fields))
/* A template may have so many fields for each byte of its shortest record: fields of no bytes are no
 * way to make much work out of few bytes. */
#define TEMPLATE_FIELDS_A_BYTE 8
/* "Enterprise" of a scope field of NetFlow v9, whose number is the kind of scope. */
#define TEMPLATE_PEN_SCOPE UINT32_C(0xfffffffe)

struct ipfix_limits {
	uint32_t max_templates;       /* per session and observation domain */
	uint32_t max_template_fields; /* in one template */
	uint32_t max_domains;         /* observation domains per session */
};

enum template_set { /* ids of sets that define templates */
		    TEMPLATE_SET_V9 = 0,
		    TEMPLATE_SET_V9_OPTIONS = 1,
		    TEMPLATE_SET_IPFIX = 2,
		    TEMPLATE_SET_IPFIX_OPTIONS = 3,
};

enum template_scope { /* of NetFlow v9 */
		      TEMPLATE_SCOPE_SYSTEM = 1,
		      TEMPLATE_SCOPE_INTERFACE,
		      TEMPLATE_SCOPE_LINE_CARD,
		      TEMPLATE_SCOPE_CACHE,
		      TEMPLATE_SCOPE_TEMPLATE,
};

/* A stretch of bytes that is eaten from its front. */
struct template_bytes {
	const uint8_t *at;
	size_t left;
};

/* The next len bytes, or NULL. */
static inline const uint8_t *template_eat(struct template_bytes *bytes, size_t len)
{
	const uint8_t *at = bytes->at;

	if (len > bytes->left) {
		return NULL;
	}
	bytes->at += len;
	bytes->left -= len;
	return at;
}

/* The bytes of one variable-length field (RFC 7011 7). ST_OK, ST_EFORMAT. */
int template_eat_varlen(struct template_bytes *record, struct template_bytes *content,
			struct err *err);

struct template_field {
	uint32_t enterprise; /* 0: IANA, and NetFlow v9; TEMPLATE_PEN_SCOPE */
	uint16_t number;
	uint16_t len; /* TEMPLATE_VARLEN: told by each record */
};

struct template
{
	uint16_t id;
	uint16_t set_id; /* enum template_set */
	uint16_t count;  /* of fields */
	uint16_t scopes; /* so many fields are scope; 0: not options */
	bool varlen;
	bool tcp_flags;   /* has CERT's initialTCPFlags: list entries of it will be decoded */
	bool withdrawn;   /* its records are not looked at, entries in lists still are */
	uint32_t min_len; /* of a record; the length, unless varlen */
	void *plan;       /* the decoder's; freed with g_free() */
	uint8_t *wire;    /* the definition as it came */
	uint16_t wire_len;
	struct template_field fields[];
};

static inline bool template_is_options(const struct template *tmpl)
{
	return tmpl->set_id & 1;
}

struct template_bounds {
	struct ipfix_limits limits;
	struct budget *budget; /* borrowed */
};

struct templates;

/* bounds: kept. */
struct templates *templates_new(struct template_bounds *bounds);
void templates_free(struct templates *templates);

/* Is there another definition in what is left of a set, or padding? Eats the padding. */
bool template_more(struct template_bytes *set);

/*
 * Take one definition or withdrawal. *out: the template as kept, borrowed; NULL: withdrawn. One
 * that is told again as it is keeps its plan. ST_OK, ST_EFORMAT, ST_ELIMIT (beyond the bounds);
 * the store is as before then.
 */
int templates_take(struct templates *templates, uint16_t set_id, struct template_bytes *set,
		   struct template **out, struct err *err);

/* NULL: never came. A withdrawn one is returned. */
struct template *templates_find(const struct templates *templates, uint16_t id);
void templates_each(const struct templates *templates, void (*fn)(void *arg, struct template *tmpl),
		    void *arg);

/* One record without looking into its lists: eaten. ST_OK, ST_EFORMAT. */
int template_skip_record(const struct template *tmpl, struct template_bytes *bytes,
			 struct err *err);

#endif
