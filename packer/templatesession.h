/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What NetFlow v9 and IPFIX have in common: sets of templates, options and data, per observation
 * domain. Data that comes before its template waits for it, within bounds.
 *
 *	session = templatesession_new(context, TEMPLATE_SET_V9);
 *	st = templatesession_domain(session, number, &domain, err);
 *	st = templatesession_take(session, domain, &header, sets, &seen, err);
 */
#ifndef TUSSAH_PACKER_TEMPLATESESSION_H
#define TUSSAH_PACKER_TEMPLATESESSION_H

#include "packer/decoder.h"
#include "packer/exporterclock.h"
#include "packer/exporteroptions.h"
#include "packer/template.h"
#include "packer/templateplan.h"

/* Sets that wait for a template, in one session. */
#define TEMPLATESESSION_HELD_BYTES (1u << 20)
#define TEMPLATESESSION_HELD_SETS  1024u
#define TEMPLATESESSION_HELD_NS    (INT64_C(600) * 1000000000)

struct templatesession_domain {
	uint32_t number;
	struct budget *budget; /* borrowed */
	struct templates *templates;
	struct exporteroptions *options;
	struct exporterclock clock; /* NetFlow v9 */
	bool sequence_known;
	bool sequence_unsure; /* a set could not be counted: the next difference says nothing */
	uint32_t sequence;    /* expected next */
};

/* What a message says before its sets. */
struct templatesession_header {
	struct exporterclock_message time;
	bool has_uptime;
};

/* What was in a message. */
struct templatesession_seen {
	uint32_t records; /* data records, those of options too, in sets whose template is known */
	uint32_t unknown; /* sets without */
};

struct templatesession_held;

struct templatesession {
	struct decoder_context *context;
	uint16_t template_set; /* ids of sets: enum template_set; options have the next */
	struct template_bounds bounds;
	struct iemodel *own_model; /* when the options have none */
	GHashTable *domains;       /* number -> struct templatesession_domain */
	GQueue *held;              /* struct templatesession_held, oldest first */
	size_t held_bytes;
	struct ipfix_output output;
	struct templateplan_values values;
	struct extras turned;
};

/* template_set: TEMPLATE_SET_V9 or TEMPLATE_SET_IPFIX. */
struct templatesession *templatesession_new(struct decoder_context *context, uint16_t template_set);

/* The domain, made if it is new. ST_OK, ST_ELIMIT. */
int templatesession_domain(struct templatesession *session, uint32_t number,
			   struct templatesession_domain **out, struct err *err);

/*
 * Take the sets of a message, one after the other, and deliver what is in them. ST_OK, the sink's
 * value, ST_EFORMAT (what came before the damage has been delivered), ST_ELIMIT (all templates have
 * been forgotten).
 */
int templatesession_take(struct templatesession *session, struct templatesession_domain *domain,
			 const struct templatesession_header *header, struct template_bytes sets,
			 struct templatesession_seen *seen, struct err *err);

/* See struct decoder_format. */
void templatesession_each_name(const void *session, decoder_name_fn fn, void *arg);

/* decoder_format's; state is the session. replan: the mapping has changed, plans are made anew. */
void templatesession_free(void *state);
void templatesession_replan(void *state);
void templatesession_save(const void *state, GByteArray *out);
int templatesession_load(void *state, const uint8_t *bytes, size_t len, struct err *err);

/* Borrowed; made at first use, if it was not given. */
const struct iemodel *templatesession_model(struct templatesession *session);

/* ---- packer/templatedata.c ---- */

/* Decode one data set, whose template is known and not withdrawn. */
int templatesession_data(struct templatesession *session, struct templatesession_domain *domain,
			 const struct templatesession_header *header, struct template *tmpl,
			 struct template_bytes set, uint32_t *records, struct err *err);

/* ---- packer/templateheld.c: sets that wait ---- */

/* What will be needed to decode it is copied; older ones make room, and where that is not enough it
 * is given up. */
void templatesession_hold(struct templatesession *session,
			  const struct templatesession_domain *domain,
			  const struct templatesession_header *header, uint16_t set_id,
			  struct template_bytes set);
/* Decode those that waited for this template, of those of the domain. ST_OK or the sink's value. */
int templatesession_release_held(struct templatesession *session,
				 struct templatesession_domain *domain, struct template *tmpl);
/* Forget all that wait. */
void templatesession_drop_held(struct templatesession *session);
/* Give up what waited for too long. */
void templatesession_expire(struct templatesession *session, int64_t now_ns);
void templatesession_save_held(const struct templatesession *session, uint32_t domain, uint8_t tag,
			       GByteArray *out);
int templatesession_load_held(struct templatesession *session,
			      const struct templatesession_domain *domain,
			      struct template_bytes part);

#endif
