/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sequence numbers of sFlow: of an agent's datagrams, and of the samples of each of its sources.
 * Bounded: what finds no room is not accounted.
 *
 *	struct sflowsources *sources = sflowsources_new();
 *	struct sflowagent *agent = sflowsources_agent(sources, address, sub_agent);
 *	signs = sflowagent_datagram(agent, number, uptime_ms, arrival_ns, &step);
 *	signs = sflowsources_sample(sources, agent, SFLOW_FLOWS, class, index, number, &step);
 */
#ifndef TUSSAH_PACKER_SFLOWSOURCE_H
#define TUSSAH_PACKER_SFLOWSOURCE_H

#include <glib.h>

#include "common/err.h"
#include "common/ip.h"
#include "packer/budget.h"
#include "packer/exporterclock.h"
#include "packer/sequence.h"

#define SFLOW_AGENTS_MAX  256  /* behind one peer */
#define SFLOW_SOURCES_MAX 4096 /* of all its agents */

enum sflow_kind { SFLOW_FLOWS, SFLOW_COUNTERS, SFLOW_DISCARDS };

struct sflowagent;
struct sflowsources;

/* budget: kept. */
struct sflowsources *sflowsources_new(struct budget *budget);
void sflowsources_free(struct sflowsources *sources);

/* NULL: there are too many. Lives as long as sources. */
struct sflowagent *sflowsources_agent(struct sflowsources *sources, struct ip address,
				      uint32_t sub_agent);

struct sflow_signs {
	enum sequence_sign sign;
	bool rebooted; /* the agent began anew, and so did the numbers of all its sources */
};

struct sflow_signs sflowagent_datagram(struct sflowagent *agent, uint32_t number,
				       uint32_t uptime_ms, int64_t arrival_ns,
				       struct sequence_step *step);
enum sequence_sign sflowsources_sample(struct sflowsources *sources, struct sflowagent *agent,
				       enum sflow_kind kind, uint32_t source_class,
				       uint32_t source_index, uint32_t number,
				       struct sequence_step *step);

/* Through a restart; the form is their own. ST_EFORMAT: damaged. */
void sflowsources_save(const struct sflowsources *sources, GByteArray *out);
int sflowsources_load(struct sflowsources *sources, const uint8_t *bytes, size_t len,
		      struct err *err);

#endif
