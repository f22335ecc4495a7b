/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/sflowsource.h"

#include "common/bigendian.h"

struct sflowagent {
	struct ip address;
	uint32_t sub_agent;
	uint32_t number; /* place in agents, for ever */
	uint32_t epoch;  /* raised by each reboot */
	struct exporterclock clock;
	struct sequence sequence;
};

struct sflow_source_key {
	uint32_t agent;
	uint32_t kind;
	uint32_t source_class;
	uint32_t source_index;
};

struct sflow_source {
	struct sflow_source_key key;
	uint32_t epoch; /* of the agent, when the last sample came */
	struct sequence sequence;
};

#define SOURCES_AGENT_COST  (sizeof(struct sflowagent) + 64)
#define SOURCES_SOURCE_COST (sizeof(struct sflow_source) + 64)

struct sflowsources {
	struct budget *budget;
	GPtrArray *agents; /* of struct sflowagent * */
	GHashTable *agent_table;
	GHashTable *table; /* struct sflow_source, keyed by its key */
};

/* xorshift-multiply over the words; peers choose them, so the table's size is what is bounded */
static guint hash_words(const uint32_t *words, size_t count)
{
	uint64_t hash = 0x9e3779b97f4a7c15u;

	for (size_t i = 0; i < count; i++) {
		hash = (hash ^ words[i]) * 0xff51afd7ed558ccdu;
		hash ^= hash >> 32;
	}
	return (guint)hash;
}

static guint source_hash(gconstpointer key)
{
	const struct sflow_source_key *source = key;

	return hash_words((const uint32_t[]){ source->agent, source->kind, source->source_class,
					      source->source_index },
			  4);
}

static gboolean source_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(struct sflow_source_key)) == 0;
}

static guint agent_hash(gconstpointer key)
{
	const struct sflowagent *agent = key;

	return hash_words((const uint32_t[]){ (uint32_t)(agent->address.hi >> 32),
					      (uint32_t)agent->address.hi,
					      (uint32_t)(agent->address.lo >> 32),
					      (uint32_t)agent->address.lo, agent->sub_agent },
			  5);
}

static gboolean agent_equal(gconstpointer a, gconstpointer b)
{
	const struct sflowagent *one = a;
	const struct sflowagent *other = b;

	return ip_equal(one->address, other->address) && one->sub_agent == other->sub_agent;
}

struct sflowsources *sflowsources_new(struct budget *budget)
{
	struct sflowsources *sources = g_new0(struct sflowsources, 1);

	sources->budget = budget;
	sources->agents = g_ptr_array_new_with_free_func(g_free);
	sources->agent_table = g_hash_table_new(agent_hash, agent_equal);
	sources->table = g_hash_table_new_full(source_hash, source_equal, NULL, g_free);
	return sources;
}

void sflowsources_free(struct sflowsources *sources)
{
	if (sources) {
		budget_give(sources->budget,
			    sources->agents->len * SOURCES_AGENT_COST +
				    g_hash_table_size(sources->table) * SOURCES_SOURCE_COST);
		g_hash_table_destroy(sources->table);
		g_hash_table_destroy(sources->agent_table);
		g_ptr_array_free(sources->agents, TRUE);
		g_free(sources);
	}
}

struct sflowagent *sflowsources_agent(struct sflowsources *sources, struct ip address,
				      uint32_t sub_agent)
{
	const struct sflowagent wanted = { .address = address, .sub_agent = sub_agent };
	struct sflowagent *agent = g_hash_table_lookup(sources->agent_table, &wanted);

	if (!agent && sources->agents->len < SFLOW_AGENTS_MAX &&
	    budget_take(sources->budget, SOURCES_AGENT_COST)) {
		agent = g_new0(struct sflowagent, 1);
		*agent = wanted;
		agent->number = sources->agents->len;
		g_ptr_array_add(sources->agents, agent);
		g_hash_table_add(sources->agent_table, agent);
	}
	return agent;
}

/* A datagram tells the uptime and no time of day: our own clock stands in for it. */
struct sflow_signs sflowagent_datagram(struct sflowagent *agent, uint32_t number,
				       uint32_t uptime_ms, int64_t arrival_ns,
				       struct sequence_step *step)
{
	const struct exporterclock_message message = { arrival_ns, uptime_ms, arrival_ns };
	struct sflow_signs signs = { SEQUENCE_IN_ORDER, false };

	if (exporterclock_take(&agent->clock, &message) & EXPORTERCLOCK_REBOOT) {
		signs.rebooted = true;
		agent->epoch++;
		sequence_restart(&agent->sequence);
	}
	signs.sign = sequence_take(&agent->sequence, number, 1, step);
	return signs;
}

static struct sflow_source *sflowsources_source(struct sflowsources *sources,
						const struct sflow_source_key *key)
{
	struct sflow_source *source = g_hash_table_lookup(sources->table, key);

	if (!source && g_hash_table_size(sources->table) < SFLOW_SOURCES_MAX &&
	    budget_take(sources->budget, SOURCES_SOURCE_COST)) {
		source = g_new0(struct sflow_source, 1);
		source->key = *key;
		g_hash_table_insert(sources->table, &source->key, source);
	}
	return source;
}

enum sequence_sign sflowsources_sample(struct sflowsources *sources, struct sflowagent *agent,
				       enum sflow_kind kind, uint32_t source_class,
				       uint32_t source_index, uint32_t number,
				       struct sequence_step *step)
{
	const struct sflow_source_key key = { agent->number, kind, source_class, source_index };
	struct sflow_source *source = sflowsources_source(sources, &key);

	*step = (struct sequence_step){ 0 };
	if (!source) {
		return SEQUENCE_IN_ORDER;
	}
	if (source->epoch != agent->epoch) {
		source->epoch = agent->epoch;
		sequence_restart(&source->sequence);
	}
	return sequence_take(&source->sequence, number, 1, step);
}

/*
 * Saved form, big-endian: the number of agents (4 bytes), each agent (SAVED_AGENT bytes) in the
 * order of their numbers, then sources (SAVED_SOURCE bytes each).
 */
enum { SAVED_SEQUENCE = 21, SAVED_AGENT = 45 + SAVED_SEQUENCE, SAVED_SOURCE = 20 + SAVED_SEQUENCE };

static void save_sequence(uint8_t *out, const struct sequence *sequence)
{
	out[0] = sequence->known;
	put_be32(out + 1, sequence->next);
	put_be64(out + 5, sequence->received);
	put_be64(out + 13, sequence->missing);
}

static struct sequence load_sequence(const uint8_t *at)
{
	return (struct sequence){ at[0] & 1, get_be32(at + 1), get_be64(at + 5),
				  get_be64(at + 13) };
}

static void save_agent(const struct sflowagent *agent, GByteArray *out)
{
	uint8_t saved[SAVED_AGENT];

	put_be64(saved, agent->address.hi);
	put_be64(saved + 8, agent->address.lo);
	put_be32(saved + 16, agent->sub_agent);
	put_be32(saved + 20, agent->epoch);
	saved[24] = agent->clock.known;
	put_be32(saved + 25, agent->clock.uptime_ms);
	put_be64(saved + 29, (uint64_t)agent->clock.export_ns);
	put_be64(saved + 37, (uint64_t)agent->clock.arrival_ns);
	save_sequence(saved + 45, &agent->sequence);
	g_byte_array_append(out, saved, sizeof(saved));
}

void sflowsources_save(const struct sflowsources *sources, GByteArray *out)
{
	uint8_t count[4];
	GHashTableIter iter;
	gpointer value;

	put_be32(count, sources->agents->len);
	g_byte_array_append(out, count, sizeof(count));
	for (guint i = 0; i < sources->agents->len; i++) {
		save_agent(g_ptr_array_index(sources->agents, i), out);
	}
	g_hash_table_iter_init(&iter, sources->table);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct sflow_source *source = value;
		uint8_t saved[SAVED_SOURCE];

		put_be32(saved, source->key.agent);
		put_be32(saved + 4, source->key.kind);
		put_be32(saved + 8, source->key.source_class);
		put_be32(saved + 12, source->key.source_index);
		put_be32(saved + 16, source->epoch);
		save_sequence(saved + 20, &source->sequence);
		g_byte_array_append(out, saved, sizeof(saved));
	}
}

static void load_agent(struct sflowsources *sources, const uint8_t *at)
{
	struct sflowagent *agent = sflowsources_agent(
		sources, (struct ip){ get_be64(at), get_be64(at + 8) }, get_be32(at + 16));

	if (agent) {
		agent->epoch = get_be32(at + 20);
		agent->clock.known = at[24] & 1;
		agent->clock.uptime_ms = get_be32(at + 25);
		agent->clock.export_ns = (int64_t)get_be64(at + 29);
		agent->clock.arrival_ns = (int64_t)get_be64(at + 37);
		agent->sequence = load_sequence(at + 45);
	}
}

static void load_source(struct sflowsources *sources, const uint8_t *at)
{
	const struct sflow_source_key key = { get_be32(at), get_be32(at + 4), get_be32(at + 8),
					      get_be32(at + 12) };
	struct sflow_source *source =
		key.agent < sources->agents->len ? sflowsources_source(sources, &key) : NULL;

	if (source) {
		source->epoch = get_be32(at + 16);
		source->sequence = load_sequence(at + 20);
	}
}

int sflowsources_load(struct sflowsources *sources, const uint8_t *bytes, size_t len,
		      struct err *err)
{
	uint32_t agents = len >= 4 ? get_be32(bytes) : 0;
	size_t rest = len >= 4 ? len - 4 : 0;

	if (len < 4 || agents > SFLOW_AGENTS_MAX || agents * (size_t)SAVED_AGENT > rest ||
	    (rest - agents * SAVED_AGENT) % SAVED_SOURCE != 0) {
		return err_set(err, ST_EFORMAT, "the saved state of sFlow agents is damaged");
	}
	bytes += 4;
	for (uint32_t i = 0; i < agents; i++, bytes += SAVED_AGENT) {
		load_agent(sources, bytes);
	}
	for (rest -= agents * SAVED_AGENT; rest > 0; rest -= SAVED_SOURCE, bytes += SAVED_SOURCE) {
		load_source(sources, bytes);
	}
	return ST_OK;
}
