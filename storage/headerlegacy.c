/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/headerlegacy.h"

#include "common/record.h"
#include "common/site.h"
#include "common/timestamp.h"
#include "storage/byteorder.h"
#include "storage/rowformat.h"

#include <glib.h>
#include <string.h>

#define NAME_BYTES          25 /* of a FLOWCAP sensor or probe */
#define LEGACY_LZO          6  /* what FLOWCAP calls LZO */
#define PADDED_FROM_VERSION 2

struct legacy {
	uint8_t format;
	uint8_t compressed_from_version;
	int (*read_more)(struct header *header, struct bytesource *src, const struct site *site,
			 struct err *err);
};

/* A whole number in the file's own order. */
static int read_u32(const struct header *header, struct bytesource *src, uint32_t *out,
		    struct err *err)
{
	uint8_t bytes[4];
	int rc = bytesource_read(src, bytes, sizeof(bytes), err);

	*out = load32(bytes, header->big_endian != HOST_BIG_ENDIAN);
	return rc;
}

/* "in-S0_20090212.03": flowtype and sensor stay what they are unless the site knows them. */
static void parse_name(const char *path, const struct site *site, uint8_t *flowtype,
		       uint16_t *sensor)
{
	char *name = g_path_get_basename(path);
	char *dash = strchr(name, '-');
	char *line = dash != NULL ? strchr(dash, '_') : NULL;

	if (line != NULL) {
		int flowtype_id, sensor_id;

		*dash = *line = '\0';
		flowtype_id = site_flowtype_id(site, name);
		sensor_id = site_sensor_id(site, dash + 1);
		*flowtype = flowtype_id >= 0 ? (uint8_t)flowtype_id : *flowtype;
		*sensor = sensor_id >= 0 ? (uint16_t)sensor_id : *sensor;
	}
	g_free(name);
}

/* The hour is in the header, flowtype and sensor in the name of the file. */
static int read_hour(struct header *header, struct bytesource *src, const struct site *site,
		     struct err *err)
{
	uint32_t start_s = 0;
	uint8_t flowtype = RECORD_NO_FLOWTYPE;
	uint16_t sensor = RECORD_NO_SENSOR;
	int rc = read_u32(header, src, &start_s, err);

	if (rc != ST_OK) {
		return rc;
	}
	if (site != NULL) {
		parse_name(bytesource_name(src), site, &flowtype, &sensor);
	}
	header_add_packed_file(header, start_s * NS_PER_S, flowtype, sensor);
	return ST_OK;
}

/* Command lines become invocations. */
static int read_commands(struct header *header, struct bytesource *src, const struct site *site,
			 struct err *err)
{
	uint32_t count = 0;
	int rc = read_u32(header, src, &count, err);

	if (rc == ST_OK && count > HEADER_ENTRIES_MAX) {
		return err_set(err, ST_ELIMIT, "%s: %u command lines in the header",
			       bytesource_name(src), count);
	}
	for (uint32_t i = 0; rc == ST_OK && i < count; i++) {
		uint8_t size[2] = { 0 };
		char text[UINT16_MAX + 1];
		uint16_t len;

		rc = bytesource_read(src, size, sizeof(size), err);
		len = load16(size, header->big_endian != HOST_BIG_ENDIAN);
		if (rc == ST_OK) {
			rc = bytesource_read(src, text, len, err);
		}
		if (rc != ST_OK || len == 0) {
			continue;
		}
		/* NULs stood between arguments, and one, as in SiLK's reading, ends as a blank. */
		for (uint16_t k = 0; k < len; k++) {
			text[k] = text[k] == '\0' ? ' ' : text[k];
		}
		text[len] = '\0';
		header_add_text(header, ENTRY_INVOCATION, text);
	}
	return rc;
}

/* Sensor and probe become the probe's name. */
static int read_probe(struct header *header, struct bytesource *src, const struct site *site,
		      struct err *err)
{
	char sensor[NAME_BYTES + 1] = "";
	char probe[NAME_BYTES + 1] = "";
	char *name;
	int rc = bytesource_read(src, sensor, NAME_BYTES, err);

	if (rc == ST_OK) {
		rc = bytesource_read(src, probe, NAME_BYTES, err);
	}
	if (rc != ST_OK) {
		return rc;
	}
	name = strcmp(sensor, probe) == 0 ? g_strdup(sensor)
					  : g_strdup_printf("%s_%s", sensor, probe);
	header_add_text(header, ENTRY_PROBE_NAME, name);
	g_free(name);
	return ST_OK;
}

static int read_nothing(struct header *header, struct bytesource *src, const struct site *site,
			struct err *err)
{
	return ST_OK;
}

static const struct legacy legacies[] = {
	{ FORMAT_RWAUGMENTED, 2, read_hour },
	{ FORMAT_RWAUGROUTING, 2, read_hour },
	{ FORMAT_RWAUGSNMPOUT, 2, read_hour },
	{ FORMAT_RWAUGWEB, 2, read_hour },
	{ FORMAT_RWNOTROUTED, 3, read_hour },
	{ FORMAT_RWROUTED, 3, read_hour },
	{ FORMAT_RWSPLIT, 3, read_hour },
	{ FORMAT_RWWWW, 3, read_hour },
	{ FORMAT_RWFILTER, 4, read_commands },
	{ FORMAT_RWGENERIC, 3, read_nothing },
	{ FORMAT_FLOWCAP, 1, read_probe },
	{ FORMAT_IPSET, 1, read_nothing },
	{ FORMAT_RWBAG, 2, read_nothing },
	{ FORMAT_PREFIXMAP, 0, read_nothing },
	{ 0x20, 0, read_nothing }, /* FT_SHUFFLE */
};

/* Headers of flows are padded to whole records from version 2 on, but FLOWCAP's never are. */
static int skip_padding(const struct header *header, struct bytesource *src, struct err *err)
{
	uint8_t padding[UINT8_MAX];
	uint64_t at = bytesource_offset(src);
	unsigned over;

	if (!header_is_flow(header->format) || header->format == FORMAT_FLOWCAP ||
	    header->file_version < PADDED_FROM_VERSION) {
		return ST_OK;
	}
	over = (unsigned)(at % header->record_length);
	return bytesource_read(src, padding, over > 0 ? header->record_length - over : 0, err);
}

static uint16_t record_length(const struct header *header)
{
	const struct rowformat *format = rowformat_find(header->format, header->file_version);

	if (format != NULL) {
		return format->length;
	}
	if (header->format == FORMAT_RWBAG) {
		return header->file_version <= 1 ? 8 : 12;
	}
	return 1;
}

int headerlegacy_read(struct header *header, struct bytesource *src, const struct site *site,
		      struct err *err)
{
	const struct legacy *legacy = NULL;
	int rc;

	header->record_version = header->file_version;
	for (size_t i = 0; i < G_N_ELEMENTS(legacies) && legacy == NULL; i++) {
		legacy = legacies[i].format == header->format ? &legacies[i] : NULL;
	}
	if (legacy == NULL || (header_is_flow(header->format) &&
			       rowformat_find(header->format, header->file_version) == NULL)) {
		return err_set(err, ST_EVERSION, "%s: format 0x%02x has no file version %u",
			       bytesource_name(src), header->format, header->file_version);
	}
	if (header->format == FORMAT_FLOWCAP && header->compression == LEGACY_LZO) {
		header->compression = COMPRESSION_LZO1X;
	}
	if (header->compression != COMPRESSION_NONE &&
	    header->file_version < legacy->compressed_from_version) {
		return err_set(err, ST_EFORMAT, "%s: file version %u cannot be compressed",
			       bytesource_name(src), header->file_version);
	}
	header->record_length = record_length(header);
	rc = legacy->read_more(header, src, site, err);
	if (rc == ST_OK) {
		rc = skip_padding(header, src, err);
	}
	header->length_bytes = (size_t)bytesource_offset(src);
	return rc;
}
