/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Samples of real exporters (tests/data/netflow) against what tshark finds in them: every data
 * record, and every element of it, in the record or in its extension columns. With a name of
 * tests/data/netflow/expected as argument, prints what the decoder gives instead.
 */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/timestamp.h"
#include "packer/decoder.h"
#include "tests/unit/unit.h"

#define SAMPLES "tests/data/netflow"

/* One data record as it came out. */
struct sample {
	struct record rec;
	struct extras extras;
	GByteArray *bytes; /* of extras; their values hold places in it */
	bool ignored;
	bool reverse;
};

struct samples {
	GPtrArray *out;     /* struct sample */
	GPtrArray *refused; /* why, of each message that was */
	struct decoder *decoder;
	uint64_t reverse; /* counted so far */
};

static struct iemodel *model;

static void sample_free(gpointer pointer)
{
	struct sample *sample = pointer;

	g_byte_array_free(sample->bytes, TRUE);
	g_free(sample);
}

static struct sample *add_sample(struct samples *samples, const struct record *rec)
{
	struct sample *sample = g_new0(struct sample, 1);

	sample->rec = *rec;
	sample->bytes = g_byte_array_new();
	g_ptr_array_add(samples->out, sample);
	return sample;
}

static int take_flow(void *arg, struct record *rec, const struct extras *extras)
{
	struct samples *samples = arg;
	struct sample *sample = add_sample(samples, rec);
	uint64_t counts[DECODER_COUNTERS];

	sample->extras = *extras;
	for (size_t i = 0; i < extras->count; i++) {
		struct flowblock_value *value = &sample->extras.values[i];

		if (column_form(value->type) == COLUMN_FORM_BYTES) {
			guint at = sample->bytes->len;

			g_byte_array_append(sample->bytes, value->bytes.bytes,
					    (guint)value->bytes.len);
			value->bytes.bytes = (const uint8_t *)NULL + at;
		}
	}
	decoder_get_counts(samples->decoder, counts);
	sample->reverse = counts[DECODER_REVERSE] > samples->reverse;
	samples->reverse = counts[DECODER_REVERSE];
	return ST_OK;
}

static void take_ignored(void *arg, const struct record *rec, const char *reason)
{
	(void)reason;
	add_sample(arg, rec)->ignored = true;
}

static void samples_open(struct samples *samples)
{
	const struct decoder_opts opts = { .limits = { 1024, 1024, 256 }, .model = model };
	const struct decoder_sink sink = {
		.flow = take_flow,
		.ignored = take_ignored,
		.arg = samples,
	};

	samples->out = g_ptr_array_new_with_free_func(sample_free);
	samples->refused = g_ptr_array_new_with_free_func(g_free);
	samples->decoder = decoder_new(&opts, &sink);
	samples->reverse = 0;
}

static void samples_close(struct samples *samples)
{
	decoder_free(samples->decoder);
	g_ptr_array_free(samples->out, TRUE);
	g_ptr_array_free(samples->refused, TRUE);
}

static void samples_take_file(struct samples *samples, const char *name)
{
	char *path = g_build_filename(unit_path(SAMPLES), name, NULL);
	struct decoder_message message = { .arrival_ns = INT64_C(1700000000) * NS_PER_S };
	gchar *bytes = NULL;
	gsize len = 0;
	struct err err = { .text = "" };

	if (!g_file_get_contents(path, &bytes, &len, NULL)) {
		fprintf(stderr, "%s cannot be read\n", path);
		abort();
	}
	message.bytes = (const uint8_t *)bytes;
	message.len = len;
	if (decoder_take(samples->decoder, &message, &err) != ST_OK) {
		g_ptr_array_add(samples->refused, g_strdup(err.text));
	}
	g_free(bytes);
	g_free(path);
}

/* ---- one element ---- */

static uint64_t parse_number(const char *hex)
{
	size_t len = strlen(hex);
	char tail[17];

	g_strlcpy(tail, len > 16 ? hex + len - 16 : hex, sizeof(tail));
	return strtoull(tail, NULL, 16);
}

static void print_address(char out[33], struct ip ip, size_t digits)
{
	char all[33];

	snprintf(all, sizeof(all), "%016" PRIx64 "%016" PRIx64, ip.hi, ip.lo);
	g_strlcpy(out, all + 32 - MIN(digits, 32), 33);
}

enum part_kind { PART_ADDRESS, PART_NUMBER, PART_NOT_ICMP, PART_FLAGS, PART_VOLUME };

/* Elements whose place is in the record. */
static const struct part {
	unsigned pen, id;
	enum part_kind kind;
	size_t offset, size;
} parts[] = {
#define PART(pen, id, kind, member)                                                                \
	{                                                                                          \
		pen, id, kind, offsetof(struct record, member),                                    \
			sizeof(((struct record *)NULL)->member)                                    \
	}
	PART(0, 8, PART_ADDRESS, sip),     PART(0, 12, PART_ADDRESS, dip),
	PART(0, 27, PART_ADDRESS, sip),    PART(0, 28, PART_ADDRESS, dip),
	PART(0, 4, PART_NUMBER, protocol), PART(0, 10, PART_NUMBER, input),
	PART(0, 14, PART_NUMBER, output),  PART(0, 7, PART_NOT_ICMP, sport),
	PART(0, 11, PART_NOT_ICMP, dport), PART(0, 6, PART_FLAGS, flags),
	PART(0, 2, PART_VOLUME, packets),  PART(0, 1, PART_VOLUME, bytes),
#undef PART
};

static uint64_t part_number(const struct part *part, const struct record *rec)
{
	uint64_t value = 0;

	memcpy(&value, (const char *)rec + part->offset, part->size); /* little-endian */
	return GUINT64_FROM_LE(value);
}

static bool part_agrees(const struct part *part, const struct sample *sample, const char *hex)
{
	const struct record *rec = &sample->rec;
	char text[33];

	switch (part->kind) {
	case PART_ADDRESS: {
		struct ip ip;

		memcpy(&ip, (const char *)rec + part->offset, sizeof(ip));
		/* a record of both families is of one of them */
		print_address(text, ip, strlen(hex));
		return (strlen(hex) == 32) != record_is_ipv6(rec) || strcmp(text, hex) == 0;
	}
	case PART_NOT_ICMP:
		return record_is_icmp(rec) || part_number(part, rec) == parse_number(hex);
	case PART_FLAGS:
		return part_number(part, rec) == (parse_number(hex) & 0xff) ||
		       (rec->state & RECORD_EXPANDED);
	case PART_VOLUME:
		/* without volume another element is believed */
		return sample->ignored || parse_number(hex) == 0 ||
		       part_number(part, rec) == parse_number(hex);
	case PART_NUMBER:
		break;
	}
	return part_number(part, rec) == parse_number(hex);
}

static bool bytes_agree(const uint8_t *bytes, size_t len, const char *hex)
{
	GString *text = g_string_new(NULL);
	bool same;

	for (size_t i = 0; i < len; i++) {
		g_string_append_printf(text, "%02x", bytes[i]);
	}
	/* a string lost the zeros at its end */
	same = g_str_has_prefix(hex, text->str) &&
	       strspn(hex + text->len, "0") == strlen(hex + text->len);
	g_string_free(text, TRUE);
	return same;
}

static bool value_agrees(const struct sample *sample, const struct flowblock_value *value,
			 const char *hex)
{
	char text[33];

	switch (column_form(value->type)) {
	case COLUMN_FORM_ADDRESS:
		print_address(text, value->ip, strlen(hex));
		return strcmp(text, hex) == 0;
	case COLUMN_FORM_BYTES:
		return bytes_agree(sample->bytes->data + (size_t)value->bytes.bytes,
				   value->bytes.len, hex);
	case COLUMN_FORM_NUMBER:
		break;
	}
	if (value->type == COLUMN_MICROSECONDS || value->type == COLUMN_NANOSECONDS) {
		return true; /* NTP; tests/unit/ipfix_test compares */
	}
	return (value->number ^ column_sign(value->type)) == parse_number(hex);
}

/* Counters, times, addresses that may have gone to the record in one of several ways, and YAF's
 * flags and CERT's columns of records: not looked for in extension columns. */
static bool is_of_record(unsigned pen, unsigned id)
{
	static const unsigned ids[] = { 15,  21,  22,  23,  24,  62,  85,  86,  136, 150, 151,
					152, 153, 154, 155, 156, 157, 158, 159, 160, 161, 162,
					171, 172, 176, 177, 178, 179, 32,  139, 210, 231, 232,
					298, 299, 258, 322, 323, 324, 325, 293 };

	for (size_t i = 0; pen == 0 && i < G_N_ELEMENTS(ids); i++) {
		if (ids[i] == id) {
			return true;
		}
	}
	return pen == 29305 || (pen == 6871 && id != 40 && (id < 100 || (id & 0x4000)));
}

static const char *check_element(const struct sample *sample, unsigned pen, unsigned id,
				 const char *hex)
{
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (parts[i].pen == pen && parts[i].id == id) {
			return part_agrees(&parts[i], sample, hex) ? NULL : "differs";
		}
	}
	if (pen == 0 && id >= 40001 && id <= 40004) {
		id = 225 + id - 40001; /* Cisco's numbers for them */
	}
	for (size_t i = 0; i < sample->extras.count; i++) {
		const struct flowblock_value *value = &sample->extras.values[i];

		if (value->key.pen == pen && value->key.id == id) {
			return value_agrees(sample, value, hex) ? NULL : "differs in its column";
		}
	}
	return sample->ignored || is_of_record(pen, id) ? NULL : "is not there";
}

/* "start=NS", "end=NS" or "PEN/ID=HEX"; NULL, or what is wrong */
static const char *check_word(const struct sample *sample, const char *word)
{
	const char *value = strchr(word, '=');
	unsigned pen, id;

	if (g_str_has_prefix(word, "start=")) {
		return sample->rec.start_ns == strtoll(value + 1, NULL, 10) ? NULL : "differs";
	}
	if (g_str_has_prefix(word, "end=")) {
		return record_end_ns(&sample->rec) == strtoll(value + 1, NULL, 10) ? NULL
										   : "differs";
	}
	if (!value || sscanf(word, "%u/%u=", &pen, &id) != 2) {
		return "is no word of the file";
	}
	return check_element(sample, pen, id, value + 1);
}

/* The runner names only the case it was at last. */
static void check_text(const char *wrong, const char *name, guint at, const char *word)
{
	char *text = g_strdup_printf("%s: record %u %s %s", name, at + 1, word,
				     wrong ? wrong : "agrees");

	UNIT_ASSERT_STR(wrong ? text : "agrees", "agrees");
	g_free(text);
}

static void check_count(const char *name, const char *what, uint64_t found, uint64_t expected)
{
	char *text = g_strdup_printf("%s: %" PRIu64 " %s", name, found, what);
	char *wanted = g_strdup_printf("%s: %" PRIu64 " %s", name, expected, what);

	UNIT_ASSERT_STR(text, wanted);
	g_free(wanted);
	g_free(text);
}

/* ---- one session ---- */

static void check_session(const char *name)
{
	char *path = g_build_filename(SAMPLES, "expected", name, NULL);
	struct samples samples;
	uint64_t counts[DECODER_COUNTERS];
	gchar *text = NULL;
	gchar **lines;
	bool complete = true;
	guint at = 0;

	CU_ASSERT_TRUE_FATAL(g_file_get_contents(unit_path(path), &text, NULL, NULL));
	lines = g_strsplit(text, "\n", -1);
	samples_open(&samples);
	for (gchar **line = lines; *line; line++) {
		gchar **words = g_strsplit(*line, " ", -1);

		if (g_str_has_prefix(*line, "file ")) {
			samples_take_file(&samples, words[1]);
		} else if (g_str_has_prefix(*line, "record")) {
			check_text(at < samples.out->len ? NULL : "did not come out", name, at, "");
			for (gchar **word = words + 1; at < samples.out->len && *word; word++) {
				check_text(check_word(g_ptr_array_index(samples.out, at), *word),
					   name, at, *word);
			}
			at++;
			while (at < samples.out->len &&
			       ((struct sample *)g_ptr_array_index(samples.out, at))->reverse) {
				at++;
			}
		} else if (g_str_has_prefix(*line, "incomplete")) {
			complete = false; /* tshark gave up, there may be more */
		} else if (g_str_has_prefix(*line, "options ")) {
			decoder_get_counts(samples.decoder, counts);
			check_count(name, "options", counts[DECODER_OPTIONS],
				    strtoull(words[1], NULL, 10));
		}
		g_strfreev(words);
	}
	check_count(name, "records", complete ? samples.out->len : at, at);
	samples_close(&samples);
	g_strfreev(lines);
	g_free(text);
	g_free(path);
}

static void test_samples(void)
{
	GDir *dir = g_dir_open(unit_path(SAMPLES "/expected"), 0, NULL);
	const char *name;
	unsigned count = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
	while ((name = g_dir_read_name(dir))) {
		if (g_str_has_suffix(name, ".txt")) {
			check_session(name);
			count++;
		}
	}
	g_dir_close(dir);
	UNIT_ASSERT_U64(count, 43);
}

/* ---- what the decoder gives, for people ---- */

static void print_sample(const struct sample *sample)
{
	const struct record *rec = &sample->rec;
	char sip[IP_TEXT_MAX], dip[IP_TEXT_MAX];

	ip_print(sip, rec->sip, record_is_ipv6(rec), IP_CANONICAL);
	ip_print(dip, rec->dip, record_is_ipv6(rec), IP_CANONICAL);
	printf("%s%s,%u > %s,%u protocol %u packets %" PRIu64 " bytes %" PRIu64 " start %" PRId64
	       " duration %" PRIu64 "\n",
	       sample->ignored ? "ignored: " : "", sip, rec->sport, dip, rec->dport, rec->protocol,
	       rec->packets, rec->bytes, rec->start_ns, rec->duration_ns);
	for (size_t i = 0; i < sample->extras.count; i++) {
		const struct flowblock_value *value = &sample->extras.values[i];
		const struct ie *ie = iemodel_by_id(model, value->key.pen, value->key.id);
		char text[33];

		print_address(text, value->ip, 32);
		printf("\t%s(%u/%u) ", ie ? ie->name : "", value->key.pen, value->key.id);
		if (column_form(value->type) == COLUMN_FORM_NUMBER) {
			printf("%" PRIu64 "\n", value->number ^ column_sign(value->type));
		} else {
			printf("%s\n",
			       column_form(value->type) == COLUMN_FORM_ADDRESS ? text : "bytes");
		}
	}
}

static int print_files(char **names)
{
	struct samples samples;

	samples_open(&samples);
	for (; *names; names++) {
		samples_take_file(&samples, *names);
	}
	for (guint i = 0; i < samples.refused->len; i++) {
		printf("refused: %s\n", (const char *)g_ptr_array_index(samples.refused, i));
	}
	for (guint i = 0; i < samples.out->len; i++) {
		print_sample(g_ptr_array_index(samples.out, i));
	}
	samples_close(&samples);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct unit_case cases[] = {
		{ "against tshark", test_samples },
		{ NULL, NULL },
	};
	int status;

	model = iemodel_new();
	status = argc > 1 ? print_files(argv + 1) : unit_run("samples", cases);
	iemodel_free(model);
	return status;
}
