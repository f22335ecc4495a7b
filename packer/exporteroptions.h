/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What exporters tell about themselves in option records: how they sample, when they booted, and
 * names of interfaces, applications and VRFs. Of one observation domain; bounded. Pure.
 *
 *	options = exporteroptions_new(&budget);
 *	exporteroptions_take(options, tmpl, &bytes, &seen, err);	// one option record, eaten
 *	interval = exporteroptions_interval(options, EXPORTEROPTIONS_SAMPLER, 3);
 */
#ifndef TUSSAH_PACKER_EXPORTEROPTIONS_H
#define TUSSAH_PACKER_EXPORTEROPTIONS_H

#include "packer/template.h"

/* Of one domain: rates and names beyond are not kept. */
#define EXPORTEROPTIONS_RATES_MAX 16384
#define EXPORTEROPTIONS_NAMES_MAX 16384
#define EXPORTEROPTIONS_NAME_MAX  255 /* bytes; longer ones are cut */

enum exporteroptions_kind { /* saved: add at the end */
			    EXPORTEROPTIONS_DOMAIN = 0,
			    EXPORTEROPTIONS_SAMPLER,
			    EXPORTEROPTIONS_INTERFACE,
			    EXPORTEROPTIONS_APPLICATION,
			    EXPORTEROPTIONS_VRF,
			    EXPORTEROPTIONS_KINDS,
};

/* What one option record said about sampling, for the log. */
struct exporteroptions_seen {
	bool sampling; /* has 34 and 35 */
	bool sampler;  /* has 49 and 50 */
	uint64_t algorithm, interval;
	uint64_t sampler_id, mode, random_interval;
	bool lost; /* no room */
};

struct exporteroptions;

/* budget: kept. */
struct exporteroptions *exporteroptions_new(struct budget *budget);
void exporteroptions_free(struct exporteroptions *options);

/* Eats one record of an options template. ST_OK, ST_EFORMAT. */
int exporteroptions_take(struct exporteroptions *options, const struct template *tmpl,
			 struct template_bytes *bytes, struct exporteroptions_seen *seen,
			 struct err *err);

/* One packet of how many was looked at; 0: not known. id: of the sampler or interface. */
uint64_t exporteroptions_interval(const struct exporteroptions *options,
				  enum exporteroptions_kind kind, uint64_t id);
/* Is any interval known? */
bool exporteroptions_has_intervals(const struct exporteroptions *options);

/* When the exporter booted, in ms since the epoch, for times that count from it; 0: not known. */
uint64_t exporteroptions_boot_ms(const struct exporteroptions *options);

/* id: as sent, most significant byte first; of an application as label_application_id() makes it,
 * of selectors up to 48 bits. name is borrowed. */
void exporteroptions_each_name(const struct exporteroptions *options,
			       void (*fn)(void *arg, enum exporteroptions_kind kind, uint64_t id,
					  const char *name),
			       void *arg);

/* As numbers in network order; loading damaged bytes: ST_EFORMAT. */
void exporteroptions_save(const struct exporteroptions *options, GByteArray *out);
int exporteroptions_load(struct exporteroptions *options, struct template_bytes bytes);

#endif
