/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/collector.h"

#include <arpa/inet.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "packer/exporters.h"
#include "storage/stream.h"
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

#define CONF_UDP                                                                                   \
	"probe U ipfix\nprotocol udp\nlisten-on-port 4740\nend probe\n"                            \
	"sensor S0\nipfix-probes U\nsource-network external\ndestination-network internal\n"       \
	"end sensor\n"

struct rig {
	char root[512];
	char state[1024];
	const char *conf;
	const char *probe; /* whose door is open */
	struct writer *writer;
	struct positions *positions;
	struct collector *collector;
	struct intake_door *door;
};

static void rig_publish(struct rig *rig, const char *text)
{
	struct site *site = packsite_load();

	collector_publish(rig->collector, site, packsite_sensorconf(site, PACKLOGIC_TWOWAY, text));
}

/* A life of a packer that has this folder. */
static void rig_reopen(struct rig *rig)
{
	rig->writer = writer_new(&(struct writer_opts){
		.root = rig->root, .cache_size = 8, .file = { .kind = HOURFILE_SILK } });
	rig->positions = positions_new(rig->state);
	rig->collector = collector_new(&(struct collector_opts){
		.writer = rig->writer,
		.positions = rig->positions,
		.state_directory = rig->state,
		.repository = rig->root,
		.lines = { .root = rig->root },
		.journal_bytes = 16 << 20,
		.limits = { .max_templates = 16, .max_template_fields = 64, .max_domains = 4 },
	});
	rig_publish(rig, rig->conf);
	CU_ASSERT_EQUAL_FATAL(collector_start(rig->collector, NULL), ST_OK);
	rig->door = intake_door_new(collector_intake(rig->collector),
				    sensorconf_probe(collector_conf(rig->collector), rig->probe));
}

static void rig_open_as(struct rig *rig, const char *name, const char *conf, const char *probe)
{
	snprintf(rig->root, sizeof(rig->root), "%s/%s", unit_scratch(), name);
	snprintf(rig->state, sizeof(rig->state), "%s", rig->root);
	rig->conf = conf;
	rig->probe = probe;
	CU_ASSERT_EQUAL(g_mkdir(rig->root, 0755), 0);
	rig_reopen(rig);
}

static void rig_open(struct rig *rig, const char *name)
{
	rig_open_as(rig, name, CONF, "P");
}

/* The life ends, as when it is killed: nothing is committed. */
static void rig_close(struct rig *rig)
{
	intake_door_free(rig->door);
	collector_free(rig->collector);
	writer_free(rig->writer);
	positions_free(rig->positions);
}

/* All that was taken in. */
static int rig_commit(struct rig *rig, unsigned flags, struct err *err)
{
	collector_drain(rig->collector, -1);
	return collector_commit(rig->collector, flags, 0, 0, err);
}

static int rig_connect(struct rig *rig, const char *address, void **session, struct err *err)
{
	struct listen_peer peer = { .is_link = false };
	struct sockaddr_in from = { .sin_family = AF_INET };
	uint64_t position = 99;

	snprintf(peer.address, sizeof(peer.address), "%s:1", address);
	inet_pton(AF_INET, address, &from.sin_addr);
	memcpy(&peer.sockaddr, &from, sizeof(from));
	return intake_handler.open(rig->door, &peer, session, &position, err);
}

static char *rig_path(const struct rig *rig, const char *type, const char *name)
{
	return g_strdup_printf("%s/%s/2009/02/11/%s_20090211.23", rig->root, type, name);
}

/* Is there an hourly file of this type and sensor? */
static bool rig_has(const struct rig *rig, const char *type, const char *name)
{
	char *path = rig_path(rig, type, name);
	bool exists = g_file_test(path, G_FILE_TEST_IS_REGULAR);

	g_free(path);
	return exists;
}

static uint64_t rig_count(const struct rig *rig, const char *type, const char *name)
{
	char *path = rig_path(rig, type, name);
	struct stream *in = NULL;
	uint64_t count = 0;

	if (stream_open(&in, path, NULL, NULL) == ST_OK) {
		CU_ASSERT_EQUAL(stream_skip(in, UINT64_MAX, &count, NULL), ST_END);
		stream_close(in, NULL);
	}
	g_free(path);
	return count;
}

static void test_records_reach_every_sensor(void)
{
	struct rig rig;
	void *session = NULL;
	struct err err;

	rig_open(&rig, "records");
	CU_ASSERT_EQUAL(rig_connect(&rig, "127.0.0.1", &session, &err), ST_OK);
	CU_ASSERT_EQUAL(intake_handler.message(session, message, sizeof(message), 0, &err), ST_OK);
	UNIT_ASSERT_U64(intake_messages(collector_intake(rig.collector)), 1);
	CU_ASSERT_EQUAL(rig_commit(&rig, WRITER_CLOSE, &err), ST_OK);
	CU_ASSERT(rig_has(&rig, "inweb", "iw-S0"));
	CU_ASSERT(rig_has(&rig, "outweb", "ow-S1"));
	CU_ASSERT(!rig_has(&rig, "ext2ext", "ext2ext-S2"));
	intake_handler.close(session, NULL);
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
	CU_ASSERT_EQUAL(intake_handler.message(session, message, sizeof(message), 0, &err), ST_OK);
	intake_handler.close(session, "lost");
	CU_ASSERT_EQUAL(rig_commit(&rig, 0, &err), ST_OK);
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
	CU_ASSERT_EQUAL(intake_handler.message(session, damaged, sizeof(damaged), 0, &err), ST_OK);
	collector_drain(rig.collector, -1);
	/* it is told when it has been looked at */
	CU_ASSERT_EQUAL(intake_handler.message(session, damaged, sizeof(damaged), 0, &err),
			ST_EFORMAT);
	CU_ASSERT(err.text[0] != '\0');
	intake_handler.close(session, err.text);
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
	CU_ASSERT_EQUAL(intake_handler.message(first, message, sizeof(message), 0, &err), ST_OK);
	CU_ASSERT_EQUAL(intake_handler.message(second, message, sizeof(message), 0, &err),
			ST_ENOENT);
	UNIT_ASSERT_STR(err.text, "probe 'Q' is no longer configured");
	rig_publish(&rig, "probe P ipfix\nprotocol tcp\nlisten-on-port 4739\n"
			  "accept-from-host 127.0.0.9\nend probe\n"
			  "sensor S5\nipfix-probes P\nsource-network internal\n"
			  "destination-network internal\nend sensor\n");
	CU_ASSERT_EQUAL(intake_handler.message(first, message, sizeof(message), 0, &err), ST_EAUTH);
	intake_handler.close(first, err.text);
	intake_handler.close(second, err.text);
	CU_ASSERT_EQUAL(rig_commit(&rig, 0, &err), ST_OK);
	CU_ASSERT(rig_has(&rig, "int2int", "int2int-S5"));
	rig_close(&rig);
}

/* As a poller does; gone: the file was taken away afterwards. */
static int rig_read(struct rig *rig, const char *probe, const char *path, bool gone,
		    struct intake_file *file, struct err *err)
{
	int st = intake_file_read(collector_intake(rig->collector), probe, path, file, err);

	intake_file_end(collector_intake(rig->collector), file, gone);
	return st;
}

static void test_files(void)
{
	struct rig rig;
	struct intake_file file;
	char *path;
	struct err err;

	rig_open(&rig, "files");
	path = g_build_filename(rig.root, "input", NULL);
	CU_ASSERT(g_file_set_contents(path, (const char *)message, sizeof(message), NULL));
	CU_ASSERT_EQUAL(rig_read(&rig, "P", path, false, &file, &err), ST_OK);
	UNIT_ASSERT_U64(file.records, 1);
	UNIT_ASSERT_U64(file.messages, 0);
	/* the same again: nothing is taken twice */
	CU_ASSERT_EQUAL(rig_read(&rig, "P", path, false, &file, &err), ST_OK);
	UNIT_ASSERT_U64(file.records, 0);
	UNIT_ASSERT_U64(file.messages, 1);
	CU_ASSERT_EQUAL(rig_read(&rig, "X", path, false, &file, &err), ST_ENOENT);
	/* cut short: bad when nothing came before */
	CU_ASSERT(g_file_set_contents(path, (const char *)message, sizeof(message) - 1, NULL));
	CU_ASSERT_EQUAL(rig_read(&rig, "P", path, true, &file, &err), ST_EFORMAT);
	CU_ASSERT(g_file_set_contents(path, "", -1, NULL));
	CU_ASSERT_EQUAL(rig_read(&rig, "P", path, true, &file, &err), ST_EFORMAT);
	CU_ASSERT_EQUAL(rig_read(&rig, "P", "/nonexistent", true, &file, &err), ST_EFORMAT);
	CU_ASSERT_EQUAL(rig_commit(&rig, 0, &err), ST_OK);
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
	CU_ASSERT_EQUAL(intake_handler.message(session, message, sizeof(message), 0, &err), ST_OK);
	CU_ASSERT_EQUAL(rig_commit(&rig, 0, &err), ST_EIO);
	/* given up: nothing may count from here on */
	CU_ASSERT_EQUAL(rig_commit(&rig, 0, &err), ST_EIO);
	intake_handler.close(session, err.text);
	rig_close(&rig);

	/* once that is mended, what came in is there */
	CU_ASSERT_EQUAL(g_unlink(in_the_way), 0);
	rig_reopen(&rig);
	CU_ASSERT_EQUAL(rig_commit(&rig, 0, &err), ST_OK);
	UNIT_ASSERT_U64(rig_count(&rig, "inweb", "iw-S0"), 1);
	g_free(in_the_way);
	rig_close(&rig);
}

/* ---- from life to life ---- */

#define TEMPLATE_LEN 44 /* of its set */

/* The message without its template, or, without its record, the other way round. */
static size_t message_part(uint8_t part[sizeof(message)], bool template)
{
	const size_t skip = template ? 0 : TEMPLATE_LEN;
	const size_t len = template ? 16 + TEMPLATE_LEN : sizeof(message) - TEMPLATE_LEN;

	memcpy(part, message, 16);
	memcpy(part + 16, message + 16 + skip, len - 16);
	part[3] = (uint8_t)len;
	return len;
}

static int rig_send_part_at(void *session, bool template, uint64_t position, struct err *err)
{
	uint8_t part[sizeof(message)];
	size_t len = message_part(part, template);

	return intake_handler.message(session, part, len, position, err);
}

static int rig_send_part(void *session, bool template, struct err *err)
{
	return rig_send_part_at(session, template, 0, err);
}

/* What came in is packed once, in this life or the next, whenever the packer is killed: here after
 * a commit with more behind it, and after the state of exporters was stored or not. */
static void test_lives(void)
{
	struct rig rig;
	void *session = NULL;
	struct err err;

	rig_open(&rig, "lives");
	CU_ASSERT_EQUAL(rig_connect(&rig, "127.0.0.1", &session, &err), ST_OK);
	CU_ASSERT_EQUAL(rig_send_part(session, true, &err), ST_OK);
	for (int i = 1; i <= 9; i++) {
		CU_ASSERT_EQUAL(rig_send_part(session, false, &err), ST_OK);
		if (i % 3 == 0 && i < 9) {
			CU_ASSERT_EQUAL(rig_commit(&rig, 0, &err), ST_OK);
		}
	}
	intake_handler.close(session, NULL);
	rig_close(&rig);

	rig_reopen(&rig);
	UNIT_ASSERT_U64(rig_count(&rig, "inweb", "iw-S0"), 6);
	CU_ASSERT_EQUAL(rig_connect(&rig, "127.0.0.1", &session, &err), ST_OK);
	CU_ASSERT_EQUAL(rig_send_part(session, true, &err), ST_OK);
	CU_ASSERT_EQUAL(rig_send_part(session, false, &err), ST_OK);
	intake_handler.close(session, NULL);
	rig_close(&rig); /* before anything was committed */

	rig_reopen(&rig);
	CU_ASSERT_EQUAL(rig_commit(&rig, WRITER_CLOSE, &err), ST_OK);
	UNIT_ASSERT_U64(rig_count(&rig, "inweb", "iw-S0"), 10);
	rig_close(&rig);

	rig_reopen(&rig);
	CU_ASSERT_EQUAL(rig_commit(&rig, WRITER_CLOSE, &err), ST_OK);
	UNIT_ASSERT_U64(rig_count(&rig, "inweb", "iw-S0"), 10);
	rig_close(&rig);
}

/* A file that was read, and neither committed nor taken away, is read again without its records. */
static void test_file_again(void)
{
	struct rig rig;
	struct intake_file file;
	char *path;
	struct err err;

	rig_open(&rig, "again");
	path = g_build_filename(rig.root, "input", NULL);
	CU_ASSERT(g_file_set_contents(path, (const char *)message, sizeof(message), NULL));
	CU_ASSERT_EQUAL(rig_read(&rig, "P", path, false, &file, &err), ST_OK);
	rig_close(&rig);
	for (int life = 0; life < 3; life++) {
		rig_reopen(&rig);
		CU_ASSERT_EQUAL(rig_read(&rig, "P", path, false, &file, &err), ST_OK);
		UNIT_ASSERT_U64(file.messages, 1);
		CU_ASSERT_EQUAL(rig_commit(&rig, 0, &err), ST_OK);
		UNIT_ASSERT_U64(rig_count(&rig, "inweb", "iw-S0"), 1);
		rig_close(&rig);
	}
	g_free(path);
}

/* The other half of a file that was read in part is understood by what the first half said. */
static void test_file_goes_on(void)
{
	const struct envelope_open open = {
		.flags = ENVELOPE_FILE,
		.stream_id = { 5 },
		.stream = "/P",
		.probe = "P",
		.place = "",
		.peer = "/in/file",
	};
	struct envelope begin = { .kind = ENVELOPE_OPEN, .open = open };
	struct rig rig;
	struct exporters_env env;
	struct exporters *exporters;
	struct packconfig config = { .generation = 1 };
	uint8_t part[sizeof(message)];
	struct envelope half = { .kind = ENVELOPE_MESSAGE, .session = 1, .bytes = part };

	rig_open(&rig, "half");
	env = (struct exporters_env){
		.writer = rig.writer,
		.positions = rig.positions,
		.claims = streamclaims_new(rig.root, "1111", false),
		.stats = probetable_new(),
		.notes = notelog_new(),
		.interfaces = ifkeeper_new(),
		.feedbacks = feedbacks_new(),
		.model = NULL,
		.limits = { .max_templates = 16, .max_template_fields = 64, .max_domains = 4 },
	};
	config.site = packsite_load();
	config.conf = packsite_sensorconf(config.site, PACKLOGIC_TWOWAY, CONF);
	exporters = exporters_new(&env);
	writer_begin(rig.writer);
	CU_ASSERT_EQUAL(exporters_take(exporters, &config, 1, &begin, false, NULL), ST_OK);
	half.len = message_part(part, true);
	half.position = 1;
	CU_ASSERT_EQUAL(exporters_take(exporters, &config, 2, &half, false, NULL), ST_OK);
	exporters_disconnect(exporters);
	CU_ASSERT_EQUAL(exporters_take(exporters, &config, 3, &begin, false, NULL), ST_OK);
	half.session = 3;
	half.len = message_part(part, false);
	half.position = 2;
	CU_ASSERT_EQUAL(exporters_take(exporters, &config, 4, &half, false, NULL), ST_OK);
	CU_ASSERT_EQUAL(exporters_flush(exporters, NULL), ST_OK);
	writer_end(rig.writer);
	UNIT_ASSERT_U64(metric_get(&probetable_get(env.stats, "P")->values[PROBE_CATEGORIZED]), 1);
	exporters_free(exporters);
	streamclaims_free(env.claims);
	probetable_free(env.stats);
	notelog_free(env.notes);
	ifkeeper_free(env.interfaces);
	feedbacks_free(env.feedbacks);
	sensorconf_free(config.conf);
	site_free(config.site);
	rig_close(&rig);
}

/* An exporter of datagrams is asleep; the clock goes forward by days, and then days go by. */
static void test_clock_forward(void)
{
	static const int64_t day_ns = INT64_C(86400) * 1000000000;
	static const struct {
		int64_t now_days, monotonic_days;
		bool known;
	} steps[] = {
		{ 20000, 5, true }, { 20003, 5, true }, { 20004, 6, true }, { 20006, 8, false }
	};
	const struct envelope open = {
		.kind = ENVELOPE_OPEN,
		.open = { .flags = ENVELOPE_DATAGRAMS,
			  .stream = "",
			  .probe = "P",
			  .place = "udp",
			  .peer = "192.0.2.1:7" },
	};
	const struct envelope close = { .kind = ENVELOPE_CLOSE, .session = 1 };
	struct exporters_env env = {
		.stats = probetable_new(),
		.notes = notelog_new(),
		.feedbacks = feedbacks_new(),
		.limits = { .max_templates = 16, .max_template_fields = 64, .max_domains = 4 },
	};
	struct packconfig config = { .generation = 1 };
	struct exporters *exporters = exporters_new(&env);
	uint8_t part[sizeof(message)];
	struct envelope half = { .kind = ENVELOPE_MESSAGE,
				 .session = 1,
				 .bytes = part,
				 .arrival_ns = steps[0].now_days * day_ns };
	GByteArray *saved = g_byte_array_new();

	config.site = packsite_load();
	config.conf = packsite_sensorconf(config.site, PACKLOGIC_TWOWAY, CONF);
	half.len = message_part(part, true);
	CU_ASSERT_EQUAL(exporters_take(exporters, &config, 1, &open, false, NULL), ST_OK);
	CU_ASSERT_EQUAL(exporters_take(exporters, &config, 2, &half, false, NULL), ST_OK);
	CU_ASSERT_EQUAL(exporters_take(exporters, &config, 3, &close, false, NULL), ST_OK);
	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		g_byte_array_set_size(saved, 0);
		exporters_save(exporters, steps[i].now_days * day_ns,
			       steps[i].monotonic_days * day_ns, saved);
		unit_at("step %zu", i);
		CU_ASSERT_EQUAL(saved->len > 0, steps[i].known);
	}
	g_byte_array_free(saved, TRUE);
	exporters_free(exporters);
	probetable_free(env.stats);
	notelog_free(env.notes);
	feedbacks_free(env.feedbacks);
	sensorconf_free(config.conf);
	site_free(config.site);
}

/* Who sends datagrams does not know that the packer was away: its templates are remembered. */
static void test_templates_stay(void)
{
	struct rig rig;
	void *session = NULL;
	struct err err;

	rig_open_as(&rig, "templates", CONF_UDP, "U");
	CU_ASSERT_EQUAL(rig_connect(&rig, "127.0.0.1", &session, &err), ST_OK);
	CU_ASSERT_EQUAL(rig_send_part(session, true, &err), ST_OK);
	for (int life = 0; life < 4; life++) {
		CU_ASSERT_EQUAL(rig_send_part(session, false, &err), ST_OK);
		if (life != 1) {
			CU_ASSERT_EQUAL(rig_commit(&rig, life == 2 ? WRITER_CLOSE : 0, &err),
					ST_OK);
		}
		intake_handler.close(session, NULL);
		rig_close(&rig);
		rig_reopen(&rig);
		CU_ASSERT_EQUAL(rig_connect(&rig, "127.0.0.1", &session, &err), ST_OK);
	}
	CU_ASSERT_EQUAL(rig_commit(&rig, 0, &err), ST_OK);
	UNIT_ASSERT_U64(rig_count(&rig, "inweb", "iw-S0"), 4);
	intake_handler.close(session, NULL);
	rig_close(&rig);
}

/* ---- two packers, one repository ---- */

/* Another packer of the same repository. */
static void rig_open_beside(struct rig *rig, const struct rig *other)
{
	*rig = *other;
	snprintf(rig->state, sizeof(rig->state), "%s/other", other->root);
	CU_ASSERT_EQUAL(g_mkdir(rig->state, 0755), 0);
	rig_reopen(rig);
}

/* A sensor of ours comes: *position is where it is to go on behind. Its templates come first. */
static void *rig_connect_link(struct rig *rig, uint64_t *position)
{
	struct listen_peer peer = { .is_link = true, .stream_id = { 7 } };
	struct sockaddr_in from = { .sin_family = AF_INET };
	void *session = NULL;

	snprintf(peer.address, sizeof(peer.address), "127.0.0.1:1");
	inet_pton(AF_INET, "127.0.0.1", &from.sin_addr);
	memcpy(&peer.sockaddr, &from, sizeof(from));
	CU_ASSERT_EQUAL_FATAL(intake_handler.open(rig->door, &peer, &session, position, NULL),
			      ST_OK);
	CU_ASSERT_EQUAL(rig_send_part(session, true, NULL), ST_OK);
	return session;
}

static void rig_send_from_to(void *session, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++) {
		CU_ASSERT_EQUAL(rig_send_part_at(session, false, i, NULL), ST_OK);
	}
}

static void rig_wait_durable(void *session, uint64_t position)
{
	for (int i = 0; i < 30000 && intake_handler.durable(session) < position; i++) {
		g_usleep(1000);
	}
	UNIT_ASSERT_U64(intake_handler.durable(session), position);
}

static void rig_expect(struct rig *rig, uint64_t count)
{
	CU_ASSERT_EQUAL(rig_commit(rig, 0, NULL), ST_OK);
	UNIT_ASSERT_U64(rig_count(rig, "inweb", "iw-S0"), count);
}

/* The first packer dies with messages in its journal that the sensor heard nothing of. */
static void test_two_packers(void)
{
	struct rig one, two;
	uint64_t position;
	void *session;

	rig_open(&one, "two");
	session = rig_connect_link(&one, &position);
	UNIT_ASSERT_U64(position, 0);
	rig_send_from_to(session, 1, 5);
	rig_expect(&one, 5);
	rig_send_from_to(session, 6, 8);
	rig_wait_durable(session, 8);
	intake_handler.close(session, "killed");
	rig_close(&one);

	rig_open_beside(&two, &one);
	session = rig_connect_link(&two, &position);
	UNIT_ASSERT_U64(position, 5);
	rig_send_from_to(session, 6, 9);
	rig_expect(&two, 9);
	intake_handler.close(session, NULL);

	/* what the first one has of them is not its own any more; the sensor comes back */
	rig_reopen(&one);
	rig_expect(&one, 9);
	session = rig_connect_link(&one, &position);
	UNIT_ASSERT_U64(position, 9);
	rig_send_from_to(session, 10, 10);
	rig_expect(&one, 10);
	intake_handler.close(session, NULL);
	rig_close(&one);
	rig_close(&two);
}

/* It lives on, and has packed them already: it packs again, without them. */
static void test_two_packers_alive(void)
{
	struct rig one, two;
	uint64_t position;
	void *before, *after;

	rig_open(&one, "alive");
	before = rig_connect_link(&one, &position);
	rig_send_from_to(before, 1, 3);
	rig_expect(&one, 3);
	rig_send_from_to(before, 4, 6);
	collector_drain(one.collector, -1);
	rig_open_beside(&two, &one);
	after = rig_connect_link(&two, &position);
	UNIT_ASSERT_U64(position, 3);
	rig_send_from_to(after, 4, 7);
	/* a commit that finds the claim stores nothing, the next one nothing of it */
	rig_expect(&one, 3);
	rig_expect(&one, 3);
	rig_expect(&two, 7);
	/* late in the first one's socket: not its own either */
	rig_send_from_to(before, 7, 8);
	rig_expect(&one, 7);
	rig_send_from_to(after, 8, 8);
	rig_expect(&two, 8);
	intake_handler.close(before, NULL);
	intake_handler.close(after, NULL);
	rig_close(&one);
	rig_close(&two);
}

/* The second one has claimed and is gone for ever, before it had anything for sure. */
static void test_two_packers_back(void)
{
	struct rig one, two;
	uint64_t position;
	void *session;

	rig_open(&one, "back");
	session = rig_connect_link(&one, &position);
	rig_send_from_to(session, 1, 4);
	rig_expect(&one, 4);
	rig_send_from_to(session, 5, 6);
	rig_wait_durable(session, 6);
	intake_handler.close(session, "cut");
	rig_open_beside(&two, &one);
	session = rig_connect_link(&two, &position);
	rig_send_from_to(session, 5, 6);
	intake_handler.close(session, "cut");
	rig_close(&two);
	/* heard of nothing from 5 on, the sensor sends it again */
	rig_expect(&one, 4);
	session = rig_connect_link(&one, &position);
	UNIT_ASSERT_U64(position, 4);
	rig_send_from_to(session, 5, 7);
	rig_expect(&one, 7);
	intake_handler.close(session, NULL);
	rig_close(&one);
	/* and should the second one come back after all, it leaves them alone */
	rig_reopen(&two);
	rig_expect(&two, 7);
	rig_close(&two);
	rig_reopen(&one);
	rig_expect(&one, 7);
	rig_close(&one);
}

/* A repository without room is tried again, and counts when there is. */
static void test_no_room(void)
{
	const struct rlimit little = { 4096, RLIM_INFINITY };
	struct rlimit enough;
	struct rig rig;
	void *session = NULL;
	struct err err;

	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &enough), 0);
	rig_open(&rig, "room");
	CU_ASSERT_EQUAL(rig_connect(&rig, "127.0.0.1", &session, &err), ST_OK);
	CU_ASSERT_EQUAL(rig_send_part(session, true, &err), ST_OK);
	for (int i = 0; i < 400; i++) {
		CU_ASSERT_EQUAL(rig_send_part(session, false, &err), ST_OK);
	}
	collector_drain(rig.collector, -1);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &little), 0);
	CU_ASSERT_EQUAL(collector_commit(rig.collector, 0, 0, 0, &err), ST_ELIMIT);
	CU_ASSERT_EQUAL(collector_commit(rig.collector, 0, 0, 0, &err), ST_ELIMIT);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &enough), 0);
	CU_ASSERT_EQUAL(rig_send_part(session, false, &err), ST_OK);
	CU_ASSERT_EQUAL(rig_commit(&rig, 0, &err), ST_OK);
	UNIT_ASSERT_U64(rig_count(&rig, "inweb", "iw-S0"), 400);
	CU_ASSERT_EQUAL(rig_commit(&rig, 0, &err), ST_OK);
	UNIT_ASSERT_U64(rig_count(&rig, "inweb", "iw-S0"), 401);
	intake_handler.close(session, NULL);
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
		{ "from life to life", test_lives },
		{ "a file is read again", test_file_again },
		{ "a file goes on in another life", test_file_goes_on },
		{ "the clock goes forward", test_clock_forward },
		{ "templates outlive the packer", test_templates_stay },
		{ "two packers, the first dies", test_two_packers },
		{ "two packers, both alive", test_two_packers_alive },
		{ "two packers, and back", test_two_packers_back },
		{ "no room in the repository", test_no_room },
		{ NULL, NULL },
	};

	return unit_run("collector", cases);
}
