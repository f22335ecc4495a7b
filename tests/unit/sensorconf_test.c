/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/sensorconf.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/packsite.h"
#include "tests/unit/unit.h"

/* Sensors that are complete, to go with probes under test. */
#define SENSOR "sensor S0\nsource-network internal\ndestination-network external\nend sensor\n"
#define PROBE  "probe P ipfix\nprotocol tcp\nlisten-on-port 18000\nend probe\n"

struct conf_case {
	const char *text;
	const char *complaints; /* each followed by "|"; "L4: MESSAGE" is a message about line 4 */
};

/* Wording taken from the real program; our own statements are at the end. */
static const struct conf_case probe_cases[] = {
	{ PROBE, "" },
	{ "probe P ipfix # comment\n\tprotocol 6 # comment\nlisten-on-port 18000\r\nend probe\n\n",
	  "" },
	{ "probe P netflow\nprotocol udp\nlisten-on-port 1\nend probe\n", "" },
	{ "probe P silk\npoll-directory /tmp\nend probe\n", "" },
	{ "probe P netflow-v5\nread-from-file /dev/null\nend probe\n", "" },
	{ "probe P ipfix\nprotocol udp\nlisten-on-port 1\nlog-flags none\nquirks zero-packets none\n"
	  "interface-values vlan\npriority 65535\naccept-from-host 127.0.0.1, ::1 10.0.0.1\n"
	  "listen-as-host 127.0.0.1\nend probe\n",
	  "" },
	{ "probe P ipfix\nprotocol udp\nlisten-on-port 1\naccept-from-host [::1] [10.0.0.1]\n"
	  "listen-as-host *\nend probe\n",
	  "" },
	{ "probe P ipfix\naccept-from-host 9995\nend probe\n",
	  "L2: Unable to resolve accept-from-host value '9995': Expected a host name or IP "
	  "address|Encountered 1 error while processing probe 'P'|" },
	{ "probe P ipfix\nfoo bar\nend probe\n",
	  "L2: Unrecognized keyword 'foo'|Encountered 1 error while processing probe 'P'|" },
	{ "probe P ipfix\nlisten-on-port 5,6\nlisten-as-host a b\nend probe\n",
	  "L2: The listen-on-port clause takes a single argument|"
	  "L3: The listen-as-host clause takes a single argument|"
	  "Encountered 2 errors while processing probe 'P'|" },
	{ "probe P ipfix\nlog-flags none, all\nlog-flags all,, bad\nlog-flags bad,x\nend probe\n",
	  "L2: Cannot mix log-flags 'none' with other values on probe 'P'|"
	  "L3: Error in probe P: Missing \"end probe\" or invalid keyword or value|"
	  "L4: Do not recognize log-flags value 'x' on probe 'P'|"
	  "Encountered 3 errors while processing probe 'P'|" },
	{ "probe P ipfix\nquirks foo\nquirks none, zero-packets\npriority 70000\nend probe\n",
	  "L2: Invalid quirks value 'foo'|L3: Invalid quirks combination|"
	  "L4: Invalid priority '70000': Value is above maximum of 65535|"
	  "Encountered 3 errors while processing probe 'P'|" },
	{ "probe P ipfix\nprotocol 99\ninterface-values foo\nprotocol\nlog-flags\nend probe\n",
	  "L2: Do not recognize protocol '99'|L3: Invalid interface-values value 'foo'|"
	  "L4: Missing arguments for protocol statement|"
	  "L5: Missing arguments for log-flags statement|"
	  "Encountered 4 errors while processing probe 'P'|" },
	{ "probe P ipfix\npoll-directory \"foo\"\nquirks ,\nlisten-as-host \"foo\nend probe\n",
	  "L2: Error in probe P: Missing \"end probe\" or invalid keyword or value|"
	  "L3: Error in probe P: Missing \"end probe\" or invalid keyword or value|"
	  "L4: Quoted string missing closing quote|"
	  "Encountered 3 errors while processing probe 'P'|" },
	{ "probe P ipfix\nend probe\n",
	  "Error verifying probe 'P':\n\tProbe needs a collection source; must give one of "
	  "listen-on-port,\n\tpoll-directory, listen-on-unix-socket, or read-from-file.|"
	  "L2: Unable to verify probe 'P'|Encountered 1 error while processing probe 'P'|" },
	{ "probe P ipfix\nprotocol tcp\nlisten-on-port 5\nread-from-file /a\nend probe\n",
	  "Error verifying probe 'P':\n\tMultiple collection sources; must give only one of "
	  "listen-on-port,\n\tpoll-directory, listen-on-unix-socket, or read-from-file.|"
	  "L5: Unable to verify probe 'P'|Encountered 1 error while processing probe 'P'|" },
	{ "probe Q foo\nend probe\nprobe\nend probe\nprobe k/l ipfix\nend probe\n",
	  "L1: Do not recognize probe type 'foo'|Encountered 1 error while processing probe 'Q'|"
	  "L3: probe requires a name and a type|"
	  "Encountered 1 error while processing probe '<NONAME>'|"
	  "L5: Error setting probe name to k/l|Encountered 1 error while processing probe 'k/l'|" },
	{ PROBE "probe P ipfix\nend probe\n",
	  "L5: A probe named 'P' already exists|Encountered 1 error while processing probe 'P'|" },
	{ "probe V netflow-v5\ninterface-values vlan\nprotocol udp\nlisten-on-port 1\nend probe\n",
	  "Error verifying probe 'V':\n\tType 'netflow-v5' probes do not have access to vlan "
	  "information|L5: Unable to verify probe 'V'|"
	  "Encountered 1 error while processing probe 'V'|" },
	{ "probe V netflow-v5\nprotocol tcp\nlisten-on-port 1\nend probe\n",
	  "Error verifying probe 'V':\n\tType 'netflow-v5' probes only support the 'udp' protocol|"
	  "L4: Unable to verify probe 'V'|Encountered 1 error while processing probe 'V'|" },
	{ "probe V sflow\npoll-directory /tmp\nend probe\n",
	  "Error verifying probe 'V':\n\tType 'sflow' probes do not support the poll-directory "
	  "clause|L3: Unable to verify probe 'V'|Encountered 1 error while processing probe 'V'|" },
	{ "probe V silk\nprotocol tcp\nlisten-on-port 80\nend probe\n",
	  "Error verifying probe 'V':\n\tType 'silk' probes do not support listening on the "
	  "network|L4: Unable to verify probe 'V'|Encountered 1 error while processing probe 'V'|" },
	{ "probe V netflow\nprotocol udp\nlisten-as-host 127.0.0.1\npoll-directory /tmp\nend probe\n",
	  "Error verifying probe 'V':\n\tThe listen-on-port clause is required when "
	  "listen-as-host is specified|L5: Unable to verify probe 'V'|"
	  "Encountered 1 error while processing probe 'V'|" },
	{ "probe V ipfix\nlisten-on-port 18000\nend probe\n",
	  "Error verifying probe 'V':\n\tThe protocol clause is required when listen-on-port is "
	  "specified|L3: Unable to verify probe 'V'|"
	  "Encountered 1 error while processing probe 'V'|" },
	{ "probe V ipfix\nlisten-on-unix-socket /b\nend probe\n",
	  "Error verifying probe 'V':\n\tType 'ipfix' probes do not support the "
	  "listen-on-unix-socket clause|L3: Unable to verify probe 'V'|"
	  "Encountered 1 error while processing probe 'V'|" },
	{ "probe h ipfix\npoll-directory /tmp\nend probe\nprobe i ipfix\npoll-directory /tmp\n"
	  "end probe\n",
	  "Error verifying probe 'i':\n\tThe poll-directory must be unique, but probe 'h' is\n"
	  "\talso polling '/tmp'|L6: Unable to verify probe 'i'|"
	  "Encountered 1 error while processing probe 'i'|" },
	{ PROBE "probe b ipfix\nprotocol tcp\nlisten-on-port 18000\nend probe\n",
	  "Error verifying probe 'b':\n\tThe listening port and address are the same as probe "
	  "'P';\n\tto distinguish each probe's traffic, a unique value for the\n"
	  "\taccept-from-host clause is required on each probe.|L8: Unable to verify probe 'b'|"
	  "Encountered 1 error while processing probe 'b'|" },
	/* told apart by the versions of datagrams, unlike two of one type */
	{ "probe a netflow\nprotocol udp\nlisten-on-port 5\nend probe\n"
	  "probe b ipfix\nprotocol udp\nlisten-on-port 5\nend probe\n"
	  "probe c sflow\nprotocol udp\nlisten-on-port 5\nend probe\n",
	  "" },
	{ "probe a netflow\nprotocol udp\nlisten-on-port 5\nend probe\n"
	  "probe b ipfix\nprotocol udp\nlisten-on-port 5\nend probe\n"
	  "probe c netflow-v5\nprotocol udp\nlisten-on-port 5\nend probe\n",
	  "Error verifying probe 'c':\n\tThe listening port and address are the same as probe "
	  "'a';\n\tto distinguish each probe's traffic, a unique value for the\n"
	  "\taccept-from-host clause is required on each probe.|L12: Unable to verify probe 'c'|"
	  "Encountered 1 error while processing probe 'c'|" },
	{ "probe a ipfix\nprotocol udp\nlisten-on-port 5\naccept-from-host 10.0.0.1\nend probe\n"
	  "probe b ipfix\nprotocol udp\nlisten-on-port 5\naccept-from-host 10.0.0.2\nend probe\n",
	  "" },
	{ "probe a ipfix\nprotocol udp\nlisten-on-port 5\nlisten-as-host 127.0.0.1\nend probe\n"
	  "probe b ipfix\nprotocol udp\nlisten-on-port 5\nend probe\n",
	  "" },

	/* ours */
	{ "probe a ipfix\nprotocol tls\nlisten-on-port 5\ntls-name sensor1.example, \"North gate\"\n"
	  "end probe\nprobe b ipfix\nprotocol tls\nlisten-on-port 5\ntls-name sensor2.example\n"
	  "end probe\nprobe c ipfix\nprotocol tls\nlisten-on-port 6\ntls-name any\nend probe\n",
	  "" },
	{ "probe a netflow-v5\nprotocol tls\nlisten-on-port 5\nrelayed-by x, y\nend probe\n"
	  "probe b sflow\nprotocol tls\nlisten-on-port 5\nrelayed-by x\nend probe\n"
	  "probe c ipfix\nprotocol tls\nlisten-on-port 5\nrelayed-by x\nend probe\n"
	  "probe d ipfix\nprotocol tls\nlisten-on-port 5\ntls-name x\nend probe\n",
	  "" },
	{ "probe a silk\nprotocol tls\nlisten-on-port 5\nrelayed-by x\nend probe\n",
	  "Error verifying probe 'a':\n\tType 'silk' probes do not support listening on the "
	  "network|L5: Unable to verify probe 'a'|Encountered 1 error while processing probe 'a'|" },
	{ "probe a sflow\nprotocol udp\nlisten-on-port 5\nrelayed-by x\nend probe\n",
	  "Error verifying probe 'a':\n\tThe relayed-by clause is only for probes whose protocol is "
	  "tls|L5: Unable to verify probe 'a'|Encountered 1 error while processing probe 'a'|" },
	{ "probe a ipfix\nprotocol tls\nlisten-on-port 5\nrelayed-by x\ntls-name y\nend probe\n",
	  "L5: Cannot mix tls-name and relayed-by on probe 'a'|"
	  "Encountered 1 error while processing probe 'a'|" },
	{ "probe a ipfix\nprotocol tls\nlisten-on-port 5\ntls-name any\nrelayed-by y\nend probe\n",
	  "L5: Cannot mix tls-name and relayed-by on probe 'a'|"
	  "Encountered 1 error while processing probe 'a'|" },
	{ "probe a ipfix\nprotocol tls\nlisten-on-port 5\nend probe\n",
	  "Error verifying probe 'a':\n\tThe tls-name clause is required when protocol is tls; "
	  "give the names\n\tof the certificates that may write through this probe, or any|"
	  "L4: Unable to verify probe 'a'|Encountered 1 error while processing probe 'a'|" },
	{ "probe a ipfix\nprotocol tcp\nlisten-on-port 5\ntls-name any\nend probe\n",
	  "Error verifying probe 'a':\n\tThe tls-name clause is only for probes whose protocol is "
	  "tls|L5: Unable to verify probe 'a'|Encountered 1 error while processing probe 'a'|" },
	{ "probe a ipfix\nprotocol tls\nlisten-on-port 5\ntls-name any x\nend probe\n",
	  "L4: Cannot mix tls-name 'any' with other values on probe 'a'|"
	  "Encountered 1 error while processing probe 'a'|" },
	{ "probe a sflow\nprotocol tls\nlisten-on-port 5\ntls-name any\nend probe\n",
	  "Error verifying probe 'a':\n\tType 'sflow' probes only support the 'udp' protocol|"
	  "L5: Unable to verify probe 'a'|Encountered 1 error while processing probe 'a'|" },
	{ "probe a ipfix\nprotocol tls\nlisten-on-port 5\ntls-name x\nend probe\n"
	  "probe b ipfix\nprotocol tls\nlisten-on-port 5\ntls-name X\nend probe\n",
	  "Error verifying probe 'b':\n\tThe listening port and address are the same as probe "
	  "'a';\n\tto distinguish each probe's traffic, a unique value for the\n"
	  "\taccept-from-host or tls-name clause is required on each probe.|"
	  "L10: Unable to verify probe 'b'|Encountered 1 error while processing probe 'b'|" },
	{ "probe a ipfix\nprotocol tls\nlisten-on-port 5\ntls-name x\nend probe\n"
	  "probe b ipfix\nprotocol tcp\nlisten-on-port 5\nend probe\n",
	  "Error verifying probe 'b':\n\tThe listening port and address are the same as probe "
	  "'a'\n\tand the probe protocols do not match|"
	  "L9: Unable to verify probe 'b'|Encountered 1 error while processing probe 'b'|" },
};

static const struct conf_case group_cases[] = {
	{ "group a\ninterfaces 1 2\ninterface @a\nend group\n",
	  "L3: Error in interface: group 'a' is not defined|"
	  "Encountered 1 error while processing group 'a'|" },
	{ "group a\ninterfaces 1 2\nend group\ngroup a\nend group\n",
	  "L4: A group named 'a' already exists|Encountered 1 error while processing group 'a'|" },
	{ "group a\ninterfaces 1\nend group\ngroup b\ninterfaces @a 3\nend group\n"
	  "sensor S1\nexternal-interfaces @b\nend sensor\n",
	  "" },
	{ "group a\ninterfaces 1\nend group\ngroup d\nipblocks @a\ninterfaces 3\nfoo 3\n"
	  "interfaces\nend group\n",
	  "L5: Error in ipblocks: the 'a' group does not contain ipblocks|"
	  "L6: Cannot add interfaces to group because\n\tthe group already contains ipblocks|"
	  "L7: Unrecognized keyword 'foo'|L8: Missing arguments for interfaces statement|"
	  "Encountered 4 errors while processing group 'd'|" },
	{ "group e\nend group\ngroup f\ninterfaces @e 70000 1-3\nend probe\n",
	  "L4: Error in interfaces: the 'e' group does not contain interfaces|"
	  "L4: Invalid interfaces '70000': Value is above maximum of 65535|"
	  "L4: Invalid interfaces '1-3': Extra text follows value|"
	  "L5: end probe used to close group|"
	  "Encountered 4 errors while processing group 'f'|" },
	{ "group b c\nend group\n", "L1: group requires a group name|"
				    "Encountered 1 error while processing group 'b'|" },
	{ "group b/c\nend group\n", "L1: Error setting group name to b/c|"
				    "Encountered 1 error while processing group 'b/c'|" },
};

static const struct conf_case sensor_cases[] = {
	{ "sensor S99\nend sensor\n", "L1: There is no known sensor named S99|"
				      "Encountered 1 error while processing sensor 'S99'|" },
	{ "sensor S0\nend sensor\n",
	  "Cannot verify sensor 'S0':\n\tMust specify source-network and destination-network, or "
	  "at least one\n\tof external- and internal-interface, external- and internal-ipblock, or "
	  "external- and internal-ipset|L2: Unable to verify sensor 'S0'|"
	  "Encountered 1 error while processing sensor 'S0'|" },
	{ PROBE "sensor S0\nsilk-probes P\nfoo-probes P\nfoo-interfaces 3\n"
		"internal-ipblocks 10.0.0.0/8 @X\ninternal-ipblocks remainder 3\nend sensor\n",
	  "L6: Attempt to use ipfix probe 'P' in a silk-probes statement|"
	  "L7: Do not recognize probe type 'foo'|"
	  "L8: Cannot set foo-interfaces for sensor 'S0' because\n\tthe 'foo' network is not "
	  "defined|L9: Error in internal-ipblocks: group 'X' is not defined|"
	  "L10: Error in sensor S0: Missing \"end sensor\" or invalid keyword or value|"
	  "Encountered 5 errors while processing sensor 'S0'|" },
	{ "sensor S0\nsource-network internal\nsource-network internal\ndestination-network foo\n"
	  "source-network\nsource-network a b\nbar\nend sensor\n",
	  "Error setting source-network on sensor 'S0':\n\tCannot overwrite existing value|"
	  "L3: Cannot set source-network for sensor 'S0' to internal|"
	  "L4: Cannot set destination-network for sensor 'S0' because\n\tthe 'foo' network is not "
	  "defined|L5: Missing arguments for source-network statement|"
	  "L6: Error in sensor S0: Missing \"end sensor\" or invalid keyword or value|"
	  "L7: Unrecognized keyword 'bar'|Encountered 5 errors while processing sensor 'S0'|" },
	{ "sensor S0\ninternal-interfaces 1\ninternal-interfaces 2\ninternal-ipblocks 2.2.2.2\n"
	  "source-network internal\nend sensor\n",
	  "Error setting interfaces on sensor 'S0':\n\tCannot overwrite existing internal network "
	  "value|Error setting ipblocks on sensor 'S0':\n\tCannot overwrite existing internal "
	  "network value|Error setting source-network on sensor 'S0':\n\tA internal-interface "
	  "value has already been set|L5: Cannot set source-network for sensor 'S0' to internal|"
	  "Encountered 3 errors while processing sensor 'S0'|" },
	{ "sensor S0\nsource-network internal\ninternal-interfaces 2\nend sensor\n",
	  "Error setting interfaces on sensor 'S0':\n\tAll flows are assumed to be coming from the "
	  "internal network|Encountered 1 error while processing sensor 'S0'|" },
	{ "sensor S0\ndestination-network internal\ninternal-interfaces 2\nend sensor\n",
	  "Error setting interfaces on sensor 'S0':\n\tAll flows are assumed to be going to the "
	  "internal network|Encountered 1 error while processing sensor 'S0'|" },
	{ "sensor S0\ninternal-interfaces 1\ndiscard-when any-interfaces 3\n"
	  "discard-unless any-interface 3\ndiscard-unless foo-interfaces 3\ndiscard-when\n"
	  "discard-when source-interfaces\nisp-ip 1.2.3.4\nisp-ip 1.2.3.4\nend sensor\n",
	  "Error setting discard-unless list on sensor 'S0':\n\tMay not overwrite existing "
	  "any-interface list|L5: Missing or invalid type for discard-unless|"
	  "L6: Missing or invalid type for discard-when|"
	  "L7: Missing arguments for discard-when statement|"
	  "L9: Attempt to overwrite previous isp-ip value for sensor 'S0'|"
	  "Encountered 5 errors while processing sensor 'S0'|" },
	{ "sensor S0\ninternal-interfaces 1\nexternal-ipblocks 1.1.1.1\nend sensor\n",
	  "Cannot verify sensor 'S0':\n\tCannot mix <NET>-interface and <NET>-ipblock|"
	  "L4: Unable to verify sensor 'S0'|Encountered 1 error while processing sensor 'S0'|" },
	{ "sensor S0\ninternal-ipblocks remainder\nnull-interfaces 1\nend sensor\n",
	  "Cannot verify sensor 'S0':\n\tCannot set ipblocks to remainder when no other networks "
	  "hold IP blocks|L4: Unable to verify sensor 'S0'|"
	  "Encountered 1 error while processing sensor 'S0'|" },
	{ "sensor S0\ninternal-ipblocks remainder\nexternal-ipblocks remainder\nend sensor\n",
	  "Cannot verify sensor 'S0':\n\tOnly one network value may use 'remainder'|"
	  "L4: Unable to verify sensor 'S0'|Encountered 1 error while processing sensor 'S0'|" },
	{ "sensor S0\ninternal-ipblocks 1.1.1.1\nnull-interfaces remainder\nend sensor\n"
	  "sensor S0\ninternal-ipblocks remainder\nnull-ipblocks 1.1.1.1\nend sensor\n"
	  "sensor S0\ninternal-interfaces remainder\nend sensor\n"
	  "sensor S1\nexternal-interface 5 , 6\nisp-ips 1.1.1.1 2.2.2.2,3.3.3.3\nend sensor\n",
	  "" },
	{ "sensor S1\nexternal-interfaces ,5\nexternal-interfaces 5,\nend sensor\n",
	  "L2: Error in sensor S1: Missing \"end sensor\" or invalid keyword or value|"
	  "L3: Error in sensor S1: Missing \"end sensor\" or invalid keyword or value|"
	  "Encountered 2 errors while processing sensor 'S1'|" },
};

static const struct conf_case file_cases[] = {
	{ "include foo\ninclude \"/nonexistent\"\n",
	  "L1: Argument to include must be in \"double quotes\"|"
	  "L2: Cannot include '/nonexistent': File does not exist or is not a regular file|" },
	{ "blah\nend\nend probe x\n, foo\n",
	  "L1: Unrecognized keyword 'blah'|L2: Unrecognized keyword 'end'|"
	  "L3: Unrecognized keyword 'end'|L4: Unexpected character ','|" },
	{ "include \"/none\\\"x\\\\y\\.z\\ta\"\ninclude\"/none\"#\ninclude \"/none\\\"\n",
	  "L1: Cannot include '/none\"x\\y.z\ta': File does not exist or is not a regular file|"
	  "L2: Cannot include '/none': File does not exist or is not a regular file|"
	  "L3: Quoted string missing closing quote|" },
	{ "sensor\nend sensor\n", "L1: sensor requires a sensor name|"
				  "Encountered 1 error while processing sensor '<ERROR>'|" },
	{ "sensor S0\nexternal-interfaces 4\nend sensor",
	  "L3: Missing final newline or incomplete statement at end-of-file|"
	  "Missing \"end sensor\" statement|Encountered 2 errors while processing sensor 'S0'|" },
};

struct heard {
	GString *text;
};

static void hear(void *arg, const char *text)
{
	struct heard *heard = arg;
	static const char prefix[] = "Error while parsing file ";
	const char *line = strstr(text, " at line ");

	if (strncmp(text, prefix, strlen(prefix)) == 0 && line) {
		const char *message = strstr(line, ":\n\t");

		g_string_append_printf(heard->text, "L%d: %s|", atoi(line + strlen(" at line ")),
				       message ? message + 3 : "");
	} else {
		g_string_append_printf(heard->text, "%s|", text);
	}
}

static void run_cases(const struct conf_case *cases, size_t count, const char *tail)
{
	struct site *site = packsite_load();

	for (size_t i = 0; i < count; i++) {
		char *text = g_strconcat(cases[i].text, tail, NULL);
		const char *path = packsite_file("sensor.conf", text);
		struct heard heard = { .text = g_string_new(NULL) };
		struct sensorconf *conf = NULL;
		struct err err;
		int st = sensorconf_load(&conf, path, site, PACKLOGIC_TWOWAY, hear, &heard, &err);

		unit_at("%s", cases[i].text);
		UNIT_ASSERT_STR(heard.text->str, cases[i].complaints);
		if (cases[i].complaints[0] == '\0') {
			CU_ASSERT_EQUAL(st, ST_OK);
		} else {
			char *expected = g_strdup_printf(
				"Errors while parsing sensor-configuration file '%s'", path);

			CU_ASSERT_EQUAL(st, ST_EINVAL);
			UNIT_ASSERT_STR(err.text, expected);
			g_free(expected);
		}
		sensorconf_free(conf);
		g_string_free(heard.text, TRUE);
		g_free(text);
	}
	site_free(site);
}

static void test_probes(void)
{
	run_cases(probe_cases, G_N_ELEMENTS(probe_cases), SENSOR);
}

static void test_groups(void)
{
	run_cases(group_cases, G_N_ELEMENTS(group_cases), SENSOR);
}

static void test_sensors(void)
{
	run_cases(sensor_cases, G_N_ELEMENTS(sensor_cases), "");
}

static void test_files(void)
{
	run_cases(file_cases, G_N_ELEMENTS(file_cases), "");
}

static void test_include(void)
{
	struct site *site = packsite_load();
	char *inner = g_strdup(packsite_file("inner.conf", PROBE));
	char *text = g_strdup_printf("include \"%s\"\nsensor S0\nipfix-probes P\n"
				     "source-network internal\ndestination-network external\n"
				     "end sensor\n",
				     inner);
	char *loop = g_strdup_printf("include \"%s/loop.conf\"\n", unit_scratch());
	struct sensorconf *conf = packsite_sensorconf(site, PACKLOGIC_TWOWAY, text);
	struct err err;

	CU_ASSERT_PTR_NOT_NULL(sensorconf_probe(conf, "P"));
	CU_ASSERT_EQUAL(sensorconf_check_supported(conf, NULL), ST_OK);
	sensorconf_free(conf);
	conf = NULL;
	CU_ASSERT_EQUAL(sensorconf_load(&conf, packsite_file("loop.conf", loop), site,
					PACKLOGIC_TWOWAY, NULL, NULL, &err),
			ST_EINVAL);
	CU_ASSERT_EQUAL(sensorconf_load(&conf, packsite_file("sensor.conf", PROBE), site,
					PACKLOGIC_TWOWAY, NULL, NULL, &err),
			ST_EINVAL);
	CU_ASSERT(g_str_has_prefix(err.text, "No sensor definitions exist in '"));
	CU_ASSERT_EQUAL(
		sensorconf_load(&conf, "/nonexistent", site, PACKLOGIC_TWOWAY, NULL, NULL, &err),
		ST_EIO);
	CU_ASSERT_PTR_NULL(conf);
	g_free(loop);
	g_free(text);
	g_free(inner);
	site_free(site);
}

static void test_support(void)
{
	struct site *site = packsite_load();
	struct sensorconf *conf = packsite_sensorconf(
		site, PACKLOGIC_TWOWAY,
		"probe N netflow-v5\nprotocol udp\nlisten-on-port 2055\nend probe\n"
		"probe F netflow-v5\npoll-directory /nonexistent\nend probe\n"
		"sensor S0\nnetflow-v5-probes N F\nsilk-probes elsewhere\n"
		"source-network internal\ndestination-network external\nend sensor\n");
	struct err err;

	CU_ASSERT_EQUAL(sensorconf_check_supported(conf, &err), ST_OK);
	CU_ASSERT(sensorconf_probe(conf, "elsewhere")->ephemeral);
	sensorconf_free(conf);
	conf = packsite_sensorconf(
		site, PACKLOGIC_TWOWAY,
		"probe N netflow-v5\nprotocol udp\nlisten-on-port 2055\nend probe\n"
		"probe F netflow-v5\nread-from-file /dev/null\nend probe\n"
		"sensor S0\nnetflow-v5-probes F\nsilk-probes elsewhere\n"
		"source-network internal\ndestination-network external\nend sensor\n");
	CU_ASSERT_EQUAL(sensorconf_check_supported(conf, &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "Found no probes to use for stream input mode");
	sensorconf_free(conf);
	site_free(site);
}

/* Sensors are passed over, probes must listen. */
static void test_probes_alone(void)
{
	static const char text[] =
		"probe A netflow-v5\nprotocol udp\nlisten-on-port 2055\nend probe\n"
		"sensor nowhere\n junk, junk\nend sensor\n"
		"probe B ipfix\nprotocol tcp\nlisten-on-port 4739\nend probe\n";
	char *path = g_strdup(packsite_file("probes.conf", text));
	char *files = g_strdup(
		packsite_file("files.conf", "probe F silk\npoll-directory /tmp\nend probe\n"));
	char *none = g_strdup(packsite_file("none.conf", "sensor S0\nend sensor\n"));
	struct sensorconf *conf = NULL;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(sensorconf_load_probes(&conf, path, NULL, NULL, NULL, &err), ST_OK);
	CU_ASSERT_EQUAL(sensorconf_probe(conf, "B")->number, 1);
	CU_ASSERT_EQUAL(sensorconf_probe(conf, "A")->sensors->len, 1);
	sensorconf_free(conf);
	CU_ASSERT_EQUAL_FATAL(sensorconf_load_probes(&conf, path, "B", NULL, NULL, &err), ST_OK);
	CU_ASSERT_EQUAL(sensorconf_probe(conf, "A")->sensors->len, 0);
	CU_ASSERT_EQUAL(sensorconf_probe(conf, "B")->sensors->len, 1);
	sensorconf_free(conf);
	conf = NULL;
	CU_ASSERT_EQUAL(sensorconf_load_probes(&conf, path, "B,C", NULL, NULL, &err), ST_ENOENT);
	UNIT_ASSERT_STR(err.text, "No probes have the name 'C'");
	CU_ASSERT_EQUAL(sensorconf_load_probes(&conf, files, NULL, NULL, NULL, &err), ST_EINVAL);
	CU_ASSERT_EQUAL(sensorconf_load_probes(&conf, none, NULL, NULL, NULL, &err), ST_EINVAL);
	CU_ASSERT(g_str_has_prefix(err.text, "No probe definitions exist in '"));
	CU_ASSERT_PTR_NULL(conf);
	g_free(none);
	g_free(files);
	g_free(path);
}

static void test_peers(void)
{
	struct site *site = packsite_load();
	struct sensorconf *conf = packsite_sensorconf(
		site, PACKLOGIC_TWOWAY,
		"probe a ipfix\nprotocol tls\nlisten-on-port 5\ntls-name one.example \"T w o\"\n"
		"accept-from-host 10.0.0.1 [2001:db8::1]\nend probe\n"
		"probe b ipfix\nprotocol tls\nlisten-on-port 6\ntls-name any\nend probe\n" SENSOR);
	const struct probe *a = sensorconf_probe(conf, "a");
	const struct probe *b = sensorconf_probe(conf, "b");

	CU_ASSERT(probe_accepts_address(a, ip_from_v4(0x0a000001)));
	CU_ASSERT(!probe_accepts_address(a, ip_from_v4(0x0a000002)));
	CU_ASSERT_EQUAL(a->accept_addresses->len, 2);
	CU_ASSERT(probe_accepts_address(b, ip_from_v4(0x0a000002)));
	CU_ASSERT(probe_accepts_name(a, "one.example"));
	CU_ASSERT(probe_accepts_name(a, "ONE.example"));
	CU_ASSERT(probe_accepts_name(a, "T w o"));
	CU_ASSERT(!probe_accepts_name(a, "two.example"));
	CU_ASSERT(!probe_accepts_name(a, "any"));
	CU_ASSERT(probe_accepts_name(b, "whoever"));
	CU_ASSERT(!probe_same_endpoint(a, b));
	sensorconf_free(conf);
	site_free(site);
}

#define UDP(name, type, port)                                                                      \
	"probe " name " " type "\nprotocol udp\nlisten-on-port " port "\nend probe\n"
#define FED(name, probes)                                                                          \
	"sensor " name "\n" probes                                                                 \
	"source-network internal\ndestination-network external\nend sensor\n"
#define V5_A           UDP("A", "netflow-v5", "1")
#define V5_B           UDP("B", "netflow-v5", "2")
#define IPFIX_X        UDP("X", "ipfix", "3")
#define BY_V5(names)   "netflow-v5-probes " names "\n"
#define BY_IPFIX(name) "ipfix-probes " name "\n"

static char *short_probes(const struct sensorconf *conf)
{
	const GPtrArray *probes = sensorconf_probes(conf);
	GString *names = g_string_new(NULL);

	for (guint p = 0; p < probes->len; p++) {
		const struct probe *probe = g_ptr_array_index(probes, p);

		if (probe->short_formats) {
			g_string_append(names, probe->name);
		}
	}
	return g_string_free(names, FALSE);
}

static void test_short_formats(void)
{
	static const struct {
		const char *name;
		const char *text;
		const char *selected; /* sensors */
		const char *shorts;   /* the probes that keep to short formats */
	} cases[] = {
		{ "another sensor has IPFIX",
		  V5_A V5_B IPFIX_X FED("S0", BY_V5("A")) FED("S1", BY_IPFIX("X"))
			  FED("S2", BY_V5("B")),
		  "S0,S1,S2", "AB" },
		{ "the same sensor has IPFIX",
		  V5_A V5_B IPFIX_X FED("S0", BY_V5("A") BY_IPFIX("X")) FED("S1", BY_V5("B")),
		  "S0,S1", "B" },
		{ "IPFIX comes before",
		  IPFIX_X V5_A V5_B FED("S0", BY_IPFIX("X") BY_V5("A")) FED("S1", BY_V5("B")),
		  "S0,S1", "B" },
		{ "IPFIX feeds both",
		  V5_A V5_B IPFIX_X FED("S0", BY_V5("A") BY_IPFIX("X"))
			  FED("S1", BY_V5("B") BY_IPFIX("X")),
		  "S0,S1", "" },
		{ "one feeds two sensors", V5_A V5_B FED("S0", BY_V5("A B")) FED("S1", BY_V5("B")),
		  "S0,S1", "" },
		{ "of those two one is selected",
		  V5_A V5_B FED("S0", BY_V5("A B")) FED("S1", BY_V5("B")), "S0", "AB" },
		{ "records without packets",
		  V5_A "probe B netflow-v5\nprotocol udp\nlisten-on-port 2\n"
		       "quirks zero-packets\nend probe\n" FED("S0", BY_V5("A B")),
		  "S0", "" },
		{ "IPFIX feeds nobody", V5_A IPFIX_X FED("S0", BY_V5("A")), "S0", "A" },
	};
	struct site *site = packsite_load();

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct sensorconf *conf =
			packsite_sensorconf(site, PACKLOGIC_TWOWAY, cases[i].text);
		struct err err;
		char *shorts;

		unit_at("%s", cases[i].name);
		CU_ASSERT_EQUAL(sensorconf_select(conf, cases[i].selected, &err), ST_OK);
		shorts = short_probes(conf);
		UNIT_ASSERT_STR(shorts, cases[i].shorts);
		g_free(shorts);
		sensorconf_free(conf);
	}
	site_free(site);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "probe blocks", test_probes },
		{ "group blocks", test_groups },
		{ "sensor blocks", test_sensors },
		{ "whole files", test_files },
		{ "include", test_include },
		{ "probes that can be used", test_support },
		{ "probes alone", test_probes_alone },
		{ "peers of a probe", test_peers },
		{ "short formats", test_short_formats },
		{ NULL, NULL },
	};

	return unit_run("sensorconf", cases);
}
