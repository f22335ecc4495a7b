/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration in use: one thread replaces it, all others read it without waiting.
 *
 *	const struct packconfig *config = packconfigs_enter(configs);
 *	... config->conf, config->site ...
 *	packconfigs_leave();
 *
 * Threads that come from elsewhere need not know of it: packconfigs_visit() and
 * packconfigs_depart() register them for the time between.
 */
#ifndef TUSSAH_PACKER_PACKCONFIG_H
#define TUSSAH_PACKER_PACKCONFIG_H

#include "common/site.h"
#include "packer/sensorconf.h"

/* Immutable. */
struct packconfig {
	struct site *site;
	struct sensorconf *conf;
	uint64_t generation; /* from 1 */
};

struct packconfigs;

struct packconfigs *packconfigs_new(void);
void packconfigs_free(struct packconfigs *configs);

/* Both are taken. On return nobody reads the old one, which is freed. */
void packconfigs_publish(struct packconfigs *configs, struct site *site, struct sensorconf *conf);
/* For the publishing thread alone. */
const struct packconfig *packconfigs_current(const struct packconfigs *configs);
/* Of the one in use now; from any thread. */
uint64_t packconfigs_generation(const struct packconfigs *configs);

/* A thread that reads again and again registers once: rcu_register_thread(). */
const struct packconfig *packconfigs_enter(struct packconfigs *configs);
void packconfigs_leave(void);
const struct packconfig *packconfigs_visit(struct packconfigs *configs);
void packconfigs_depart(void);

#endif
