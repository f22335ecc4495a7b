/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/classify.h"

#include <stdio.h>
#include <string.h>

#include "storage/header.h"
#include "tests/unit/packsite.h"
#include "tests/unit/unit.h"

/* The networks of most cases: by address, with a null interface. */
#define BLOCKS                                                                                     \
	"external-ipblocks 10.0.0.0/8\n"                                                           \
	"internal-ipblocks 192.168.0.0/16 2001:db8::/32\n"                                         \
	"null-interfaces 99\n"
#define EXT     "10.1.2.3"
#define INT     "192.168.4.5"
#define OUTSIDE "172.16.0.1"

struct classify_case {
	const char *name;
	const char *statements; /* of the sensor block */
	const char *sip;
	const char *dip;
	uint32_t input;
	uint32_t output;
	uint8_t protocol;
	uint16_t sport;
	uint16_t dport;
	uint16_t memo;
	int type; /* -1: discarded */
};

static const struct classify_case twoway_cases[] = {
	/* every row of the table, addresses and a null interface */
	{ "ext-null", BLOCKS, EXT, INT, 1, 99, 17, 5, 6, 0, TYPE_INNULL },
	{ "ext-null web", BLOCKS, EXT, INT, 1, 99, 6, 5, 80, 0, TYPE_INNULL },
	{ "ext-int", BLOCKS, EXT, INT, 1, 2, 17, 5, 6, 0, TYPE_IN },
	{ "ext-int web", BLOCKS, EXT, INT, 1, 2, 6, 5, 80, 0, TYPE_INWEB },
	{ "ext-ext", BLOCKS, EXT, EXT, 1, 2, 6, 5, 80, 0, TYPE_EXT2EXT },
	{ "ext-none", BLOCKS, EXT, OUTSIDE, 1, 2, 6, 5, 80, 0, TYPE_OTHER },
	{ "int-null", BLOCKS, INT, EXT, 1, 99, 6, 5, 80, 0, TYPE_OUTNULL },
	{ "int-ext", BLOCKS, INT, EXT, 1, 2, 17, 5, 6, 0, TYPE_OUT },
	{ "int-ext web", BLOCKS, INT, EXT, 1, 2, 6, 443, 5, 0, TYPE_OUTWEB },
	{ "int-int", BLOCKS, INT, INT, 1, 2, 6, 443, 5, 0, TYPE_INT2INT },
	{ "int-none", BLOCKS, INT, OUTSIDE, 1, 2, 6, 443, 5, 0, TYPE_OTHER },
	{ "none-any", BLOCKS, OUTSIDE, INT, 1, 2, 6, 443, 5, 0, TYPE_OTHER },
	{ "none-null", BLOCKS, OUTSIDE, INT, 1, 99, 6, 443, 5, 0, TYPE_OTHER },
	{ "null source matches nothing", BLOCKS, OUTSIDE, INT, 99, 2, 6, 443, 5, 0, TYPE_OTHER },
	{ "ipv6", BLOCKS, "2001:db8::1", "2001:db8::2", 1, 2, 6, 443, 5, 0, TYPE_INT2INT },
	{ "overlap: external source first",
	  "external-ipblocks 10.0.0.0/8\ninternal-ipblocks 10.1.0.0/16\n", EXT, EXT, 1, 2, 17, 5, 6,
	  0, TYPE_IN },

	/* web: tcp only, either port, three ports */
	{ "web 443", BLOCKS, EXT, INT, 1, 2, 6, 443, 5, 0, TYPE_INWEB },
	{ "web 8080", BLOCKS, EXT, INT, 1, 2, 6, 5, 8080, 0, TYPE_INWEB },
	{ "web 8443 is not", BLOCKS, EXT, INT, 1, 2, 6, 5, 8443, 0, TYPE_IN },
	{ "udp 443 is not", BLOCKS, EXT, INT, 1, 2, 17, 443, 443, 0, TYPE_IN },
	{ "icmp stays in", BLOCKS, EXT, INT, 1, 2, 1, 0, 0x0800, 0, TYPE_IN },

	/* interfaces */
	{ "interfaces in", "external-interfaces 1,2\ninternal-interfaces 3\n", INT, INT, 2, 3, 17,
	  5, 6, 0, TYPE_IN },
	{ "interfaces out", "external-interfaces 1,2\ninternal-interfaces 3\n", INT, INT, 3, 1, 17,
	  5, 6, 0, TYPE_OUT },
	{ "interfaces other", "external-interfaces 1,2\ninternal-interfaces 3\n", INT, INT, 3, 9,
	  17, 5, 6, 0, TYPE_OTHER },
	{ "null interfaces", "external-interfaces 1\ninternal-interfaces 3\nnull-interfaces 0\n",
	  INT, INT, 3, 0, 17, 5, 6, 0, TYPE_OUTNULL },

	/* remainder, stated and understood */
	{ "remainder of interfaces", "external-interfaces 1\ninternal-interfaces remainder\n", INT,
	  INT, 7, 1, 17, 5, 6, 0, TYPE_OUT },
	{ "implied internal", "external-interfaces 1\n", INT, INT, 1, 9, 17, 5, 6, 0, TYPE_IN },
	{ "implied external", "internal-ipblocks 192.168.0.0/16\n", OUTSIDE, INT, 0, 0, 17, 5, 6, 0,
	  TYPE_IN },
	{ "implied, both outside", "internal-ipblocks 192.168.0.0/16\n", OUTSIDE, EXT, 0, 0, 17, 5,
	  6, 0, TYPE_EXT2EXT },
	{ "implied excludes null blocks",
	  "internal-ipblocks 192.168.0.0/16\nnull-ipblocks 10.0.0.0/8\n", INT, EXT, 0, 0, 17, 5, 6,
	  0, TYPE_OUTNULL },
	{ "null source excluded from remainder",
	  "internal-ipblocks 192.168.0.0/16\nnull-ipblocks 10.0.0.0/8\n", EXT, INT, 0, 0, 17, 5, 6,
	  0, TYPE_OTHER },
	{ "interface remainder alone", "internal-interfaces remainder\n", INT, INT, 4, 4, 17, 5, 6,
	  0, TYPE_INT2INT },
	{ "null remainder", "internal-ipblocks 192.168.0.0/16\nnull-interfaces remainder\n", INT,
	  EXT, 4, 4, 17, 5, 6, 0, TYPE_OUTNULL },

	{ "interface beyond the lists", "internal-interfaces 65535\nexternal-interfaces 4\n", INT,
	  INT, 70000, 4, 17, 5, 6, 0, TYPE_OUT },

	/* fixed networks */
	{ "fixed in", "source-network external\ndestination-network internal\n", INT, EXT, 0, 0, 6,
	  5, 80, 0, TYPE_INWEB },
	{ "fixed out", "source-network internal\ndestination-network external\n", INT, EXT, 0, 0, 6,
	  5, 6, 0, TYPE_OUT },
	{ "fixed to null", "source-network internal\ndestination-network null\n", INT, EXT, 0, 0, 6,
	  5, 6, 0, TYPE_OUTNULL },
	{ "fixed from null", "source-network null\ndestination-network internal\n", INT, EXT, 0, 0,
	  6, 5, 6, 0, TYPE_OTHER },
	{ "fixed ext2ext", "source-network external\ndestination-network external\n", INT, EXT, 0,
	  0, 6, 5, 6, 0, TYPE_EXT2EXT },
	{ "fixed source, listed destination",
	  "source-network external\ninternal-ipblocks 192.168.0.0/16\n", EXT, INT, 0, 0, 17, 5, 6,
	  0, TYPE_IN },

	{ "fixed source that is listed elsewhere",
	  "source-network internal\nexternal-interfaces 4\n", INT, INT, 4, 4, 17, 5, 6, 0,
	  TYPE_EXT2EXT },
	{ "fixed source, listed destination interface",
	  "source-network internal\nexternal-interfaces 4\n", INT, INT, 3, 4, 17, 5, 6, 0,
	  TYPE_OUT },

	/* wildcards too wide for a set */
	{ "wildcard", "internal-ipblocks x.x.x.5\nexternal-ipblocks 10.x.1-2.x\n", EXT, INT, 0, 0,
	  17, 5, 6, 0, TYPE_IN },
	{ "wildcard misses", "internal-ipblocks x.x.x.5\nexternal-ipblocks 10.x.1-2.x\n",
	  "10.1.3.3", INT, 0, 0, 17, 5, 6, 0, TYPE_OTHER },

	/* filters */
	{ "when source matches", BLOCKS "discard-when source-interfaces 7\n", EXT, INT, 7, 0, 17, 5,
	  6, 0, -1 },
	{ "when source differs", BLOCKS "discard-when source-interfaces 7\n", EXT, INT, 8, 7, 17, 5,
	  6, 0, TYPE_IN },
	{ "when destination matches", BLOCKS "discard-when destination-interfaces 7\n", EXT, INT, 8,
	  7, 17, 5, 6, 0, -1 },
	{ "when any matches", BLOCKS "discard-when any-interfaces 7\n", EXT, INT, 8, 7, 17, 5, 6, 0,
	  -1 },
	{ "when ip matches", BLOCKS "discard-when any-ipblocks 10.1.2.0/24\n", EXT, INT, 0, 0, 17,
	  5, 6, 0, -1 },
	{ "unless matches", BLOCKS "discard-unless source-ipblocks 10.1.2.0/24\n", EXT, INT, 0, 0,
	  17, 5, 6, 0, TYPE_IN },
	{ "unless differs", BLOCKS "discard-unless source-ipblocks 10.1.3.0/24\n", EXT, INT, 0, 0,
	  17, 5, 6, 0, -1 },
	{ "two filters, one hits",
	  BLOCKS "discard-unless source-ipblocks 10.1.2.0/24\ndiscard-when any-interfaces 4\n", EXT,
	  INT, 4, 0, 17, 5, 6, 0, -1 },
};

static const struct classify_case generic_cases[] = {
	{ "ext-null", BLOCKS, EXT, INT, 1, 99, 6, 5, 80, 0, TYPE_INNULL },
	{ "ext-int", BLOCKS, EXT, INT, 1, 2, 17, 5, 6, 0, TYPE_IN },
	{ "ext-int web", BLOCKS, EXT, INT, 1, 2, 6, 5, 80, 0, TYPE_INWEB },
	{ "ext-ext", BLOCKS, EXT, EXT, 1, 2, 17, 5, 6, 0, TYPE_IN },
	{ "ext-none", BLOCKS, EXT, OUTSIDE, 1, 2, 17, 5, 6, 0, TYPE_IN },
	{ "int-null", BLOCKS, INT, EXT, 1, 99, 6, 5, 80, 0, TYPE_OUTNULL },
	{ "int-ext", BLOCKS, INT, EXT, 1, 2, 17, 5, 6, 0, TYPE_OUT },
	{ "int-ext web", BLOCKS, INT, EXT, 1, 2, 6, 5, 80, 0, TYPE_OUTWEB },
	{ "none-any", BLOCKS, OUTSIDE, INT, 1, 2, 17, 5, 6, 0, TYPE_OUT },
	{ "external remainder", "external-ipblocks remainder\ninternal-ipblocks 192.168.0.0/16\n",
	  EXT, INT, 1, 2, 17, 5, 6, 0, TYPE_IN },
	{ "filters do not count", BLOCKS "discard-when any-interfaces 1\n", EXT, INT, 1, 2, 17, 5,
	  6, 0, TYPE_IN },
};

/* All networks by interface: 1 external, 2 internal, 3 none, 0 null; the quirk is on. */
#define FIREWALL "external-interfaces 1\ninternal-interfaces 2\nnull-interfaces 0\n"

static const struct classify_case firewall_cases[] = {
	{ "no event", FIREWALL, EXT, INT, 1, 2, 17, 5, 6, 0, TYPE_IN },
	{ "another code", FIREWALL, EXT, INT, 1, 2, 17, 5, 6, 1005, TYPE_IN },
	{ "deleted", FIREWALL, EXT, INT, 1, 2, 17, 5, 6, 2, TYPE_IN },
	{ "1001 from out", FIREWALL, EXT, INT, 2, 1, 17, 5, 6, 1001, TYPE_INNULL },
	{ "1001 from other", FIREWALL, EXT, INT, 3, 1, 17, 5, 6, 1001, TYPE_INNULL },
	{ "1002 from in", FIREWALL, EXT, INT, 1, 2, 17, 5, 6, 1002, TYPE_OUTNULL },
	{ "3 in", FIREWALL, EXT, INT, 1, 2, 17, 5, 6, 3, TYPE_INNULL },
	{ "1003 inweb", FIREWALL, EXT, INT, 1, 2, 6, 5, 80, 1003, TYPE_INNULL },
	{ "1004 ext2ext", FIREWALL, EXT, INT, 1, 1, 6, 5, 80, 1004, TYPE_INNULL },
	{ "3 out", FIREWALL, EXT, INT, 2, 1, 17, 5, 6, 3, TYPE_OUTNULL },
	{ "3 outweb", FIREWALL, EXT, INT, 2, 1, 6, 5, 80, 3, TYPE_OUTNULL },
	{ "3 int2int", FIREWALL, EXT, INT, 2, 2, 6, 5, 80, 3, TYPE_OUTNULL },
	{ "3 innull", FIREWALL, EXT, INT, 1, 0, 6, 5, 80, 3, TYPE_INNULL },
	{ "3 outnull", FIREWALL, EXT, INT, 2, 0, 6, 5, 80, 3, TYPE_OUTNULL },
	{ "3 other", FIREWALL, EXT, INT, 3, 2, 6, 5, 80, 3, TYPE_OTHER },
};

static bool has_filters(const struct probe *probe)
{
	const struct sensor *sensor = g_ptr_array_index(probe->sensors, 0);

	return sensor->filters->len > 0;
}

/* Many at once are classified as each is by itself, where that is offered. */
static void expect_rows(enum packlogic logic, const struct probe *probe, const struct record *rec,
			int type)
{
	struct flowblock_row rows[3] = { { .rec = *rec }, { .rec = *rec }, { .rec = *rec } };

	record_init(&rows[1].rec); /* of another sort, to be seen by itself */
	if (!classify_takes_rows(logic, probe)) {
		CU_ASSERT((probe->quirks & PROBE_QUIRK_FIREWALL_EVENT) || has_filters(probe));
		return;
	}
	classify_rows(probe, rows, G_N_ELEMENTS(rows));
	CU_ASSERT(type >= 0);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i += 2) {
		UNIT_ASSERT_U64(rows[i].rec.flowtype, (unsigned)type);
		UNIT_ASSERT_U64(rows[i].rec.sensor, 1);
		UNIT_ASSERT_U64(rows[i].rec.memo, 0);
	}
}

static void run_cases(enum packlogic logic, const char *probe_statement,
		      const struct classify_case *cases, size_t count)
{
	struct site *site = packsite_load();

	for (size_t i = 0; i < count; i++) {
		const struct classify_case *c = &cases[i];
		struct classify_output outputs[CLASSIFY_OUTPUTS_MAX];
		char text[1024];
		struct sensorconf *conf;
		struct record rec;
		size_t n;
		bool v6;

		unit_at("%s", c->name);
		snprintf(text, sizeof(text),
			 "probe P ipfix\nprotocol tcp\nlisten-on-port 4739\n%send probe\n"
			 "sensor S1\nipfix-probes P\n%send sensor\n",
			 probe_statement, c->statements);
		conf = packsite_sensorconf(site, logic, text);
		if (!conf) {
			continue;
		}
		record_init(&rec);
		CU_ASSERT_EQUAL(ip_parse(c->sip, &rec.sip, &v6, NULL), ST_OK);
		CU_ASSERT_EQUAL(ip_parse(c->dip, &rec.dip, &v6, NULL), ST_OK);
		rec.state = v6 ? RECORD_IPV6 : 0;
		rec.input = c->input;
		rec.output = c->output;
		rec.protocol = c->protocol;
		rec.sport = c->sport;
		rec.dport = c->dport;
		rec.memo = c->memo;
		expect_rows(logic, sensorconf_probe(conf, "P"), &rec, c->type);
		n = classify(logic, sensorconf_probe(conf, "P"), &rec, outputs);
		UNIT_ASSERT_U64(n, c->type < 0 ? 0 : 1);
		if (n == 1) {
			UNIT_ASSERT_U64(outputs[0].flowtype, (unsigned)c->type);
			UNIT_ASSERT_U64(outputs[0].sensor, 1);
		}
		sensorconf_free(conf);
	}
	site_free(site);
}

static void test_twoway(void)
{
	run_cases(PACKLOGIC_TWOWAY, "", twoway_cases, G_N_ELEMENTS(twoway_cases));
}

static void test_generic(void)
{
	run_cases(PACKLOGIC_GENERIC, "", generic_cases, G_N_ELEMENTS(generic_cases));
}

static void test_firewall(void)
{
	static const struct classify_case without = { "no quirk", FIREWALL, EXT, INT, 1,      2,
						      17,         5,        6,   3,   TYPE_IN };

	run_cases(PACKLOGIC_TWOWAY, "quirks firewall-event\n", firewall_cases,
		  G_N_ELEMENTS(firewall_cases));
	run_cases(PACKLOGIC_TWOWAY, "", &without, 1);
}

static void test_several_sensors(void)
{
	struct site *site = packsite_load();
	struct sensorconf *conf = packsite_sensorconf(
		site, PACKLOGIC_TWOWAY,
		"probe P ipfix\nprotocol tcp\nlisten-on-port 4739\nend probe\n"
		"sensor S2\nipfix-probes P\nsource-network external\n"
		"destination-network internal\nend sensor\n"
		"sensor S1\nipfix-probes P\nsource-network internal\n"
		"destination-network external\nend sensor\n"
		"sensor S0\nsource-network internal\ndestination-network external\nend sensor\n");
	struct classify_output outputs[CLASSIFY_OUTPUTS_MAX];
	struct record rec;

	record_init(&rec);
	UNIT_ASSERT_U64(classify(PACKLOGIC_TWOWAY, sensorconf_probe(conf, "P"), &rec, outputs), 2);
	UNIT_ASSERT_U64(outputs[0].sensor, 2);
	UNIT_ASSERT_U64(outputs[0].flowtype, TYPE_IN);
	UNIT_ASSERT_U64(outputs[1].sensor, 1);
	UNIT_ASSERT_U64(outputs[1].flowtype, TYPE_OUT);
	CU_ASSERT_EQUAL(sensorconf_select(conf, "S1,S0", NULL), ST_OK);
	UNIT_ASSERT_U64(classify(PACKLOGIC_TWOWAY, sensorconf_probe(conf, "P"), &rec, outputs), 1);
	CU_ASSERT_EQUAL(sensorconf_select(conf, "S1,S7", NULL), ST_ENOENT);
	sensorconf_free(conf);
	site_free(site);
}

static void test_formats(void)
{
#define PROBE(name, type, more)                                                                    \
	"probe " name " " type "\npoll-directory /tmp/" name "\n" more "end probe\n"
#define FEEDS(sensor, probes)                                                                      \
	"sensor " sensor "\n" probes                                                               \
	"source-network external\ndestination-network internal\nend sensor\n"
	static const struct {
		const char *conf;
		uint8_t web, other; /* of probe P */
	} cases[] = {
		{ PROBE("P", "netflow-v5", "") FEEDS("S0", "netflow-v5-probes P\n"), FORMAT_RWWWW,
		  FORMAT_RWSPLIT },
		{ PROBE("P", "netflow-v5", "quirks zero-packets\n")
			  FEEDS("S0", "netflow-v5-probes P\n"),
		  0, 0 },
		{ PROBE("P", "ipfix", "") FEEDS("S0", "ipfix-probes P\n"), 0, 0 },
		{ PROBE("P", "netflow-v5", "") FEEDS("S0", "netflow-v5-probes P\n")
			  FEEDS("S1", "netflow-v5-probes P\n"),
		  0, 0 },
		/* what else comes into the same files */
		{ PROBE("P", "netflow-v5", "") PROBE("Q", "netflow-v5", "")
			  FEEDS("S0", "netflow-v5-probes P Q\n"),
		  FORMAT_RWWWW, FORMAT_RWSPLIT },
		{ PROBE("P", "netflow-v5", "") PROBE("Q", "ipfix", "")
			  FEEDS("S0", "netflow-v5-probes P\nipfix-probes Q\n"),
		  0, 0 },
		{ PROBE("P", "netflow-v5", "") PROBE("Q", "ipfix", "")
			  FEEDS("S0", "netflow-v5-probes P\n") FEEDS("S0", "ipfix-probes Q\n"),
		  0, 0 },
		{ PROBE("P", "netflow-v5", "") PROBE("Q", "ipfix", "")
			  FEEDS("S0", "netflow-v5-probes P\n") FEEDS("S1", "ipfix-probes Q\n"),
		  FORMAT_RWWWW, FORMAT_RWSPLIT },
	};
#undef PROBE
#undef FEEDS
	struct site *site = packsite_load();

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct sensorconf *conf =
			packsite_sensorconf(site, PACKLOGIC_TWOWAY, cases[i].conf);
		const struct probe *probe = sensorconf_probe(conf, "P");

		unit_at("%s", cases[i].conf);
		UNIT_ASSERT_U64(classify_format(PACKLOGIC_TWOWAY, probe, TYPE_OUTWEB),
				cases[i].web);
		UNIT_ASSERT_U64(classify_format(PACKLOGIC_TWOWAY, probe, TYPE_IN), cases[i].other);
		UNIT_ASSERT_U64(classify_format(PACKLOGIC_GENERIC, probe, TYPE_IN), 0);
		sensorconf_free(conf);
	}
	site_free(site);
}

/* Around the edges of blocks, whatever shares its first 16 bits with others. */
static void test_edges(void)
{
	static const char *const blocks = "10.2.3.0/24 10.3.0.0/16 10.4.0.0/15 10.6.0.0 "
					  "10.7.255.255 192.168.0.0/16 255.255.255.255 0.0.0.0/9 "
					  "2001:db8::/32";
	static const char *const around[] = {
		"0.0.0.0",       "0.127.255.255",   "0.128.0.0",    "10.2.2.255",
		"10.2.3.0",      "10.2.3.255",      "10.2.4.0",     "10.2.255.255",
		"10.3.0.0",      "10.5.255.255",    "10.6.0.0",     "10.6.0.1",
		"10.6.255.255",  "10.7.0.0",        "10.7.255.254", "10.7.255.255",
		"10.8.0.0",      "192.167.255.255", "192.168.7.8",  "192.169.0.0",
		"255.255.255.0", "255.255.255.255",
	};
	char *text = g_strdup_printf("probe P ipfix\nprotocol tcp\nlisten-on-port 4739\nend probe\n"
				     "sensor S1\nipfix-probes P\ninternal-ipblocks %s\n"
				     "external-ipblocks remainder\nend sensor\n",
				     blocks);
	struct site *site = packsite_load();
	struct sensorconf *conf = packsite_sensorconf(site, PACKLOGIC_TWOWAY, text);
	struct network_list *list = network_list_new(NETWORK_IPBLOCKS);
	char **words = g_strsplit(blocks, " ", -1);
	struct classify_output output[CLASSIFY_OUTPUTS_MAX];
	struct record rec;
	bool v6;

	for (char **word = words; *word; word++) {
		CU_ASSERT_EQUAL(network_list_add(list, *word, NULL), ST_OK);
	}
	network_list_finish(list);
	record_init(&rec);
	CU_ASSERT_EQUAL(ip_parse(INT, &rec.dip, &v6, NULL), ST_OK);
	for (size_t i = 0; i < G_N_ELEMENTS(around); i++) {
		CU_ASSERT_EQUAL(ip_parse(around[i], &rec.sip, &v6, NULL), ST_OK);
		unit_at("%s", around[i]);
		classify(PACKLOGIC_TWOWAY, sensorconf_probe(conf, "P"), &rec, output);
		UNIT_ASSERT_U64(output[0].flowtype,
				network_list_has_ip(list, rec.sip, v6) ? TYPE_INT2INT : TYPE_IN);
	}
	g_strfreev(words);
	network_list_free(list);
	sensorconf_free(conf);
	site_free(site);
	g_free(text);
}

static void test_logic_names(void)
{
	static const struct {
		const char *name;
		int logic; /* -1: unknown */
	} cases[] = {
		{ "packlogic-twoway.so", PACKLOGIC_TWOWAY },
		{ "/usr/lib/silk/packlogic-generic.so", PACKLOGIC_GENERIC },
		{ "packlogic-generic", PACKLOGIC_GENERIC },
		{ "twoway", PACKLOGIC_TWOWAY },
		{ "packlogic-mine.so", -1 },
		{ "", -1 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		enum packlogic logic = PACKLOGICS;
		int st = packlogic_parse(cases[i].name, &logic, NULL);

		unit_at("%s", cases[i].name);
		CU_ASSERT_EQUAL(st, cases[i].logic < 0 ? ST_EINVAL : ST_OK);
		CU_ASSERT_EQUAL(logic,
				cases[i].logic < 0 ? PACKLOGICS : (enum packlogic)cases[i].logic);
	}
}

static void test_site(void)
{
	struct site *site = packsite_load();
	struct site *empty = site_empty();
	struct err err;

	CU_ASSERT_EQUAL(packlogic_check_site(PACKLOGIC_TWOWAY, site, NULL), ST_OK);
	CU_ASSERT_EQUAL(packlogic_check_site(PACKLOGIC_GENERIC, site, &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text,
			"packlogic-generic knows no type 'int2int' (id 6) of class 'all'");
	CU_ASSERT_EQUAL(packlogic_check_site(PACKLOGIC_TWOWAY, empty, &err), ST_EINVAL);
	site_free(empty);
	site_free(site);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "every row of twoway", test_twoway },
		{ "every row of generic", test_generic },
		{ "firewall events", test_firewall },
		{ "edges of blocks", test_edges },
		{ "several sensors on a probe", test_several_sensors },
		{ "formats of SiLK files", test_formats },
		{ "names of packing logics", test_logic_names },
		{ "site must fit the logic", test_site },
		{ NULL, NULL },
	};

	return unit_run("classify", cases);
}
