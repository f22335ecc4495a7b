/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/packconfig.h"

#include <glib.h>
#include <stdatomic.h>
#include <urcu.h>

struct packconfigs {
	struct packconfig *current; /* read under RCU */
	_Atomic uint64_t generation;
};

struct packconfigs *packconfigs_new(void)
{
	return g_new0(struct packconfigs, 1);
}

static void packconfig_free(struct packconfig *config)
{
	if (config) {
		sensorconf_free(config->conf);
		site_free(config->site);
		g_free(config);
	}
}

void packconfigs_free(struct packconfigs *configs)
{
	if (configs) {
		packconfig_free(configs->current);
		g_free(configs);
	}
}

void packconfigs_publish(struct packconfigs *configs, struct site *site, struct sensorconf *conf)
{
	struct packconfig *config = g_new0(struct packconfig, 1);
	struct packconfig *old;

	config->site = site;
	config->conf = conf;
	config->generation = configs->generation + 1;
	old = rcu_xchg_pointer(&configs->current, config);
	configs->generation = config->generation;
	synchronize_rcu();
	packconfig_free(old);
}

const struct packconfig *packconfigs_current(const struct packconfigs *configs)
{
	return configs->current;
}

uint64_t packconfigs_generation(const struct packconfigs *configs)
{
	return atomic_load_explicit(&configs->generation, memory_order_acquire);
}

const struct packconfig *packconfigs_enter(struct packconfigs *configs)
{
	rcu_read_lock();
	return rcu_dereference(configs->current);
}

void packconfigs_leave(void)
{
	rcu_read_unlock();
}

const struct packconfig *packconfigs_visit(struct packconfigs *configs)
{
	rcu_register_thread();
	return packconfigs_enter(configs);
}

void packconfigs_depart(void)
{
	packconfigs_leave();
	rcu_unregister_thread();
}
