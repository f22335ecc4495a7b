/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes block files with extension columns out of text, for end-to-end tests.
 *
 *	columntool FILE <LINES
 *
 * A line is a record: words "sip=ADDRESS dip= sport= dport= protocol= packets= bytes= input=
 * output= sensor=", "PEN/ID:TYPE=VALUE" for extension columns (TYPE by its number of RFC 5610; byte
 * strings may hold \xHH; signed numbers and times of nanoseconds are signed, floats are given as
 * their bits). "---" ends a block. Record i starts i seconds after 2024-03-05 06:00.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/blockrecords.h"

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "columntool: %s: %s\n", what, why);
	exit(1);
}

static struct ip parse_ip(const char *text)
{
	struct err err;
	struct ip ip;
	bool is_v6;

	if (ip_parse(text, &ip, &is_v6, &err) != ST_OK) {
		fail(text, err.text);
	}
	return ip;
}

static bool set_field(struct record *rec, const char *name, const char *value)
{
	if (strcmp(name, "sip") == 0) {
		rec->sip = parse_ip(value);
		if (!ip_is_mapped(rec->sip)) {
			rec->state |= RECORD_IPV6;
		}
	} else if (strcmp(name, "dip") == 0) {
		rec->dip = parse_ip(value);
	} else if (strcmp(name, "sport") == 0) {
		rec->sport = (uint16_t)atoi(value);
	} else if (strcmp(name, "dport") == 0) {
		rec->dport = (uint16_t)atoi(value);
	} else if (strcmp(name, "protocol") == 0) {
		rec->protocol = (uint8_t)atoi(value);
	} else if (strcmp(name, "packets") == 0) {
		rec->packets = (uint64_t)atoll(value);
	} else if (strcmp(name, "bytes") == 0) {
		rec->bytes = (uint64_t)atoll(value);
	} else if (strcmp(name, "input") == 0) {
		rec->input = (uint32_t)atoll(value);
	} else if (strcmp(name, "output") == 0) {
		rec->output = (uint32_t)atoll(value);
	} else if (strcmp(name, "sensor") == 0) {
		rec->sensor = (uint16_t)atoi(value);
	} else {
		return false;
	}
	return true;
}

static size_t unescape(const char *text, uint8_t *out)
{
	size_t len = 0;

	while (*text) {
		unsigned byte;

		if (sscanf(text, "\\x%2x", &byte) == 1) {
			text += 4;
		} else {
			byte = (unsigned char)*text++;
		}
		out[len++] = (uint8_t)byte;
	}
	return len;
}

static void set_extension(struct blockwriter *writer, const char *name, const char *text)
{
	struct flowblock_value value = { .type = 0 };
	uint8_t bytes[8192];
	unsigned type;
	struct err err;

	if (sscanf(name, "%" SCNu32 "/%" SCNu16 ":%u", &value.key.pen, &value.key.id, &type) != 3 ||
	    type >= COLUMN_TYPES || strlen(text) > sizeof(bytes)) {
		fail(name, "not PEN/ID:TYPE");
	}
	value.type = (uint8_t)type;
	switch (column_form(value.type)) {
	case COLUMN_FORM_NUMBER:
		value.number =
			*text == '-' ? (uint64_t)strtoll(text, NULL, 0) : strtoull(text, NULL, 0);
		value.number ^= column_sign(value.type);
		break;
	case COLUMN_FORM_ADDRESS:
		value.ip = parse_ip(text);
		break;
	case COLUMN_FORM_BYTES:
		value.bytes = (struct encode_bytes){ bytes, unescape(text, bytes) };
		break;
	}
	if (blockwriter_set(writer, &value, &err) != ST_OK) {
		fail(name, err.text);
	}
}

static void take_line(struct blockwriter *writer, char *line, unsigned number)
{
	char **words = g_strsplit(line, " ", -1);
	struct record rec;
	struct err err;

	record_init(&rec);
	rec.start_ns = BLOCKRECORDS_HOUR_NS + number * INT64_C(1000000000);
	rec.sensor = BLOCKRECORDS_SENSOR;
	rec.flowtype = BLOCKRECORDS_TYPE;
	rec.packets = rec.bytes = 1;
	for (int pass = 0; pass < 2; pass++) {
		for (char **word = words; *word; word++) {
			char *equals = strchr(*word, '=');
			char *name = equals ? g_strndup(*word, (gsize)(equals - *word)) : NULL;

			if (pass == 0 && name && !strchr(name, '/') &&
			    !set_field(&rec, name, equals + 1)) {
				fail(name, "no such field");
			}
			if (pass == 1 && name && strchr(name, '/')) {
				set_extension(writer, name, equals + 1);
			}
			g_free(name);
		}
		if (pass == 0 && blockwriter_write(writer, &rec, &err) != ST_OK) {
			fail(line, err.text);
		}
	}
	g_strfreev(words);
}

int main(int argc, char **argv)
{
	const struct blockwriter_opts opts = { .compression = CHUNK_LZO1X,
					       .header = { .hour_ns = BLOCKRECORDS_HOUR_NS,
							   .sensor = BLOCKRECORDS_SENSOR,
							   .flowtype = BLOCKRECORDS_TYPE } };
	struct blockwriter *writer = NULL;
	char line[16384];
	unsigned number = 0;
	struct err err;

	if (argc != 2 || blockwriter_append(&writer, argv[1], &opts, NULL, &err) != ST_OK) {
		fail("FILE", argc == 2 ? err.text : "is needed");
	}
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "---") != 0) {
			take_line(writer, line, number++);
		} else if (blockwriter_flush(writer, false, &err) != ST_OK) {
			fail(argv[1], err.text);
		}
	}
	if (blockwriter_close(writer, &err) != ST_OK) {
		fail(argv[1], err.text);
	}
	return 0;
}
