/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/session.h"

#include <arpa/inet.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/packsite.h"
#include "tests/unit/unit.h"

/*
 * A message with one template (addresses, ports, protocol, packets, bytes, seconds) and one record:
 * 10.0.0.1:1024 to 192.168.0.1:80, TCP, 3 packets, 300 bytes, 2009-02-11 23:13:20.
 */
static const uint8_t message[] = {
	/* header */
	0,
	10,
	0,
	101,
	73,
	147,
	102,
	128,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	1,
	/* template set */
	0,
	2,
	0,
	44,
	1,
	0,
	0,
	9,
	0,
	8,
	0,
	4,
	0,
	12,
	0,
	4,
	0,
	7,
	0,
	2,
	0,
	11,
	0,
	2,
	0,
	4,
	0,
	1,
	0,
	2,
	0,
	8,
	0,
	1,
	0,
	8,
	0,
	150,
	0,
	4,
	0,
	151,
	0,
	4,
	/* data set */
	1,
	0,
	0,
	41,
	10,
	0,
	0,
	1,
	192,
	168,
	0,
	1,
	4,
	0,
	0,
	80,
	6,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	3,
	0,
	0,
	0,
	0,
	0,
	0,
	1,
	44,
	73,
	147,
	91,
	144,
	73,
	147,
	91,
	145,
};

#define CONF                                                                                       \
	"probe P ipfix\nprotocol tcp\nlisten-on-port 4739\naccept-from-host 127.0.0.1\n"           \
	"end probe\n"                                                                              \
	"probe Q ipfix\nprotocol tcp\nlisten-on-port 4739\naccept-from-host 127.0.0.2\n"           \
	"end probe\n"                                                                              \
	"sensor S0\nipfix-probes P\nsource-network external\ndestination-network internal\n"       \
	"end sensor\n"                                                                             \
	"sensor S1\nipfix-probes P\nsource-network internal\ndestination-network external\n"       \
	"end sensor\n"                                                                             \
	"sensor S2\nipfix-probes Q\nsource-network external\ndestination-network external\n"       \
	"end sensor\n"

struct rig {
	char *root;
	struct writer *writer;
	struct positions *positions;
	struct collector *collector;
	struct collector_door *door;
};

static void rig_publish(struct rig *rig, const char *text)
{
	struct site *site = packsite_load();

	collector_publish(rig->collector, site, packsite_sensorconf(site, PACKLOGIC_TWOWAY, text));
}

static void rig_open(struct rig *rig, const char *name)
{
	rig->root = g_build_filename(unit_scratch(), name, NULL);
	CU_ASSERT_EQUAL(g_mkdir(rig->root, 0755), 0);
	rig->writer = writer_new(&(struct writer_opts){
		.root = rig->root, .cache_size = 8, .file = { .kind = HOURFILE_SILK } });
	rig->positions = positions_new(rig->root);
	rig->collector = collector_new(&(struct collector_opts){
		.writer = rig->writer,
		.positions = rig->positions,
		.limits = { .max_templates = 16, .max_template_fields = 64, .max_domains = 4 },
	});
	rig_publish(rig, CONF);
	rig->door = collector_door_new(rig->collector,
				       sensorconf_probe(collector_conf(rig->collector), "P"));
}

static void rig_close(struct rig *rig)
{
	collector_door_free(rig->door);
	collector_free(rig->collector);
	writer_free(rig->writer);
	positions_free(rig->positions);
	g_free(rig->root);
}

static int rig_connect(struct rig *rig, const char *address, void **session, struct err *err)
{
	struct listen_peer peer = { .is_link = false };
	struct sockaddr_in from = { .sin_family = AF_INET };
	uint64_t position = 99;

	snprintf(peer.address, sizeof(peer.address), "%s:1", address);
	inet_pton(AF_INET, address, &from.sin_addr);
	memcpy(&peer.sockaddr, &from, sizeof(from));
	return collector_handler.open(rig->door, &peer, session, &position, err);
}

/* Is there an hourly file of this type and sensor? */
static bool rig_has(const struct rig *rig, const char *type, const char *name)
{
	char *path = g_strdup_printf("%s/%s/2009/02/11/%s_20090211.23", rig->root, type, name);
	bool exists = g_file_test(path, G_FILE_TEST_IS_REGULAR);

	g_free(path);
	return exists;
}

static void test_records_reach_every_sensor(void)
{
	struct rig rig;
	void *session = NULL;
	struct err err;

	rig_open(&rig, "records");
	CU_ASSERT_EQUAL(rig_connect(&rig, "127.0.0.1", &session, &err), ST_OK);
	CU_ASSERT_EQUAL(collector_handler.message(session, message, sizeof(message), 0, &err),
			ST_OK);
	UNIT_ASSERT_U64(collector_messages(rig.collector), 1);
	CU_ASSERT_EQUAL(collector_checkpoint(rig.collector, WRITER_CLOSE, 0, 0, &err), ST_OK);
	CU_ASSERT(rig_has(&rig, "inweb", "iw-S0"));
	CU_ASSERT(rig_has(&rig, "outweb", "ow-S1"));
	CU_ASSERT(!rig_has(&rig, "ext2ext", "ext2ext-S2"));
	collector_handler.close(session, NULL);
	collector_report(rig.collector);
	rig_close(&rig);
}

static void test_probe_by_address(void)
{
	struct rig rig;
	void *session = NULL;
	struct err err;

	rig_open(&rig, "address");
	CU_ASSERT_EQUAL(rig_connect(&rig, "127.0.0.2", &session, &err), ST_OK);
	CU_ASSERT_EQUAL(collector_handler.message(session, message, sizeof(message), 0, &err),
			ST_OK);
	collector_handler.close(session, "lost");
	CU_ASSERT_EQUAL(collector_checkpoint(rig.collector, 0, 0, 0, &err), ST_OK);
	CU_ASSERT(rig_has(&rig, "ext2ext", "ext2ext-S2"));
	CU_ASSERT(!rig_has(&rig, "inweb", "iw-S0"));
	CU_ASSERT_EQUAL(rig_connect(&rig, "127.0.0.3", &session, &err), ST_EAUTH);
	UNIT_ASSERT_STR(err.text, "Connection prohibited from 127.0.0.3:1");
	rig_close(&rig);
}

static void test_damage(void)
{
	static const uint8_t damaged[] = { 0, 9, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct rig rig;
	void *session = NULL;
	struct err err = { .status = ST_OK };

	rig_open(&rig, "damage");
	CU_ASSERT_EQUAL(rig_connect(&rig, "127.0.0.1", &session, &err), ST_OK);
	CU_ASSERT_EQUAL(collector_handler.message(session, damaged, sizeof(damaged), 0, &err),
			ST_EFORMAT);
	CU_ASSERT(err.text[0] != '\0');
	collector_handler.close(session, err.text);
	rig_close(&rig);
}

static void test_reload(void)
{
	struct rig rig;
	void *first = NULL;
	void *second = NULL;
	struct err err;

	rig_open(&rig, "reload");
	CU_ASSERT_EQUAL(rig_connect(&rig, "127.0.0.1", &first, &err), ST_OK);
	CU_ASSERT_EQUAL(rig_connect(&rig, "127.0.0.2", &second, &err), ST_OK);
	rig_publish(&rig, "probe P ipfix\nprotocol tcp\nlisten-on-port 4739\n"
			  "accept-from-host 127.0.0.1\nend probe\n"
			  "sensor S5\nipfix-probes P\nsource-network internal\n"
			  "destination-network internal\nend sensor\n");
	/* the one goes on with the new sensor, the other's probe is gone */
	CU_ASSERT_EQUAL(collector_handler.message(first, message, sizeof(message), 0, &err), ST_OK);
	CU_ASSERT_EQUAL(collector_handler.message(second, message, sizeof(message), 0, &err),
			ST_ENOENT);
	UNIT_ASSERT_STR(err.text, "probe 'Q' is no longer configured");
	rig_publish(&rig, "probe P ipfix\nprotocol tcp\nlisten-on-port 4739\n"
			  "accept-from-host 127.0.0.9\nend probe\n"
			  "sensor S5\nipfix-probes P\nsource-network internal\n"
			  "destination-network internal\nend sensor\n");
	CU_ASSERT_EQUAL(collector_handler.message(first, message, sizeof(message), 0, &err),
			ST_EAUTH);
	collector_handler.close(first, err.text);
	collector_handler.close(second, err.text);
	CU_ASSERT_EQUAL(collector_checkpoint(rig.collector, 0, 0, 0, &err), ST_OK);
	CU_ASSERT(rig_has(&rig, "int2int", "int2int-S5"));
	rig_close(&rig);
}

static void test_files(void)
{
	struct rig rig;
	char *path;
	uint64_t records = 0;
	struct err err;

	rig_open(&rig, "files");
	path = g_build_filename(rig.root, "input", NULL);
	CU_ASSERT(g_file_set_contents(path, (const char *)message, sizeof(message), NULL));
	CU_ASSERT_EQUAL(collector_read_file(rig.collector, "P", path, &records, &err), ST_OK);
	UNIT_ASSERT_U64(records, 1);
	CU_ASSERT_EQUAL(collector_read_file(rig.collector, "X", path, &records, &err), ST_ENOENT);
	/* cut short: bad when nothing came before */
	CU_ASSERT(g_file_set_contents(path, (const char *)message, sizeof(message) - 1, NULL));
	CU_ASSERT_EQUAL(collector_read_file(rig.collector, "P", path, &records, &err), ST_EFORMAT);
	CU_ASSERT(g_file_set_contents(path, "", -1, NULL));
	CU_ASSERT_EQUAL(collector_read_file(rig.collector, "P", path, &records, &err), ST_EFORMAT);
	CU_ASSERT_EQUAL(collector_read_file(rig.collector, "P", "/nonexistent", &records, &err),
			ST_EFORMAT);
	CU_ASSERT_EQUAL(collector_checkpoint(rig.collector, 0, 0, 0, &err), ST_OK);
	CU_ASSERT(rig_has(&rig, "inweb", "iw-S0"));
	g_free(path);
	rig_close(&rig);
}

static void test_repository_fails(void)
{
	struct rig rig;
	char *in_the_way;
	void *session = NULL;
	struct err err;

	rig_open(&rig, "fails");
	in_the_way = g_build_filename(rig.root, "inweb", NULL);
	CU_ASSERT(g_file_set_contents(in_the_way, "a file", -1, NULL));
	CU_ASSERT_EQUAL(rig_connect(&rig, "127.0.0.1", &session, &err), ST_OK);
	CU_ASSERT_EQUAL(collector_handler.message(session, message, sizeof(message), 0, &err),
			ST_OK);
	CU_ASSERT_EQUAL(collector_checkpoint(rig.collector, 0, 0, 0, &err), ST_EIO);
	/* given up: nothing may be acknowledged from here on */
	CU_ASSERT_EQUAL(collector_handler.message(session, message, sizeof(message), 0, &err),
			ST_EIO);
	CU_ASSERT_EQUAL(collector_checkpoint(rig.collector, 0, 0, 0, &err), ST_EIO);
	collector_handler.close(session, err.text);
	g_free(in_the_way);
	rig_close(&rig);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "records reach every sensor", test_records_reach_every_sensor },
		{ "the probe is chosen by address", test_probe_by_address },
		{ "damage is an error of the session", test_damage },
		{ "reload", test_reload },
		{ "files", test_files },
		{ "a repository that cannot be written", test_repository_fails },
		{ NULL, NULL },
	};

	return unit_run("session", cases);
}
