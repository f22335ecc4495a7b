/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/header.h"

#include "common/timestamp.h"
#include "storage/byteorder.h"
#include "storage/headerlegacy.h"

#include <glib.h>
#include <string.h>

#define FIXED_BYTES     16
#define ENTRY_BYTES     8 /* id and length in front of the payload */
#define PACKED_BYTES    16
#define FILE_VERSION    16
#define TOMBSTONE_BYTES 8

static const uint8_t magic[4] = { 0xde, 0xad, 0xbe, 0xef };

/* What is known of an entry: the size of its payload (silk-flow-files.md 1.3), how it is copied. */
struct entry_rule {
	uint32_t min_bytes;
	uint32_t max_bytes;
	bool has_text;       /* NUL-terminated text ... */
	uint8_t text_offset; /* ... from here to the end */
};

static const struct entry_rule entry_rules[] = {
	[ENTRY_TERMINATOR] = { 0, UINT32_MAX, false, 0 },
	[ENTRY_PACKED_FILE] = { PACKED_BYTES, PACKED_BYTES, false, 0 },
	[ENTRY_INVOCATION] = { 0, UINT32_MAX, true, 0 },
	[ENTRY_ANNOTATION] = { 0, UINT32_MAX, true, 0 },
	[ENTRY_PROBE_NAME] = { 0, UINT32_MAX, true, 0 },
	[ENTRY_PREFIX_MAP] = { 4, UINT32_MAX, true, 4 },
	[ENTRY_BAG] = { 8, 8, false, 0 },
	[ENTRY_IPSET] = { 24, 24, false, 0 },
	[ENTRY_AGGREGATE_BAG] = { 8, UINT32_MAX, false, 0 },
	[ENTRY_SIDECAR] = { 0, UINT32_MAX, false, 0 },
	[ENTRY_TOMBSTONE] = { 0, UINT32_MAX, false, 0 },
};

static const struct entry_rule *entry_rule(uint32_t id)
{
	return id < G_N_ELEMENTS(entry_rules) ? &entry_rules[id] : &entry_rules[ENTRY_TERMINATOR];
}

void header_init(struct header *header)
{
	*header = (struct header){ .file_version = FILE_VERSION };
}

void header_release(struct header *header)
{
	for (size_t i = 0; i < header->entry_count; i++) {
		g_free(header->entries[i].payload);
	}
	g_free(header->entries);
	header_init(header);
}

void header_add(struct header *header, uint32_t id, const void *payload, size_t len)
{
	struct header_entry *entry;

	header->entries = g_renew(struct header_entry, header->entries, header->entry_count + 1);
	entry = &header->entries[header->entry_count++];
	*entry = (struct header_entry){ .id = id, .len = (uint32_t)len };
	entry->payload = g_memdup2(payload, len);
}

void header_add_text(struct header *header, uint32_t id, const char *text)
{
	header_add(header, id, text, strlen(text) + 1);
}

void header_add_packed_file(struct header *header, int64_t hour_ns, uint8_t flowtype,
			    uint16_t sensor)
{
	uint8_t payload[PACKED_BYTES];

	store64_be(payload, (uint64_t)(timestamp_floor(hour_ns, NS_PER_HOUR) / NS_PER_MS));
	store32_be(payload + 8, flowtype);
	store32_be(payload + 12, sensor);
	header_add(header, ENTRY_PACKED_FILE, payload, sizeof(payload));
}

void header_add_invocation(struct header *header, int argc, char *const *argv)
{
	GString *line = g_string_new(NULL);

	if (argc > 0) {
		const char *slash = strrchr(argv[0], '/');
		const char *name = slash != NULL ? slash + 1 : argv[0];

		g_string_append(line, g_str_has_prefix(name, "lt-") ? name + 3 : name);
	}
	for (int i = 1; i < argc; i++) {
		g_string_append_c(line, ' ');
		g_string_append(line, argv[i]);
	}
	header_add_text(header, ENTRY_INVOCATION, line->str);
	g_string_free(line, TRUE);
}

void header_add_entries(struct header *to, const struct header *from)
{
	for (size_t i = 0; i < from->entry_count; i++) {
		header_add(to, from->entries[i].id, from->entries[i].payload, from->entries[i].len);
	}
}

/* Copied text ends at its first NUL, and has one; copied hours are whole (1.3). */
static void copy_entry(struct header *to, const struct header_entry *entry)
{
	const struct entry_rule *rule = entry_rule(entry->id);

	if (rule->has_text) {
		size_t len = strnlen((const char *)entry->payload + rule->text_offset,
				     entry->len - rule->text_offset);
		GByteArray *copy = g_byte_array_new();

		g_byte_array_append(copy, entry->payload, (guint)(rule->text_offset + len));
		g_byte_array_append(copy, (const guint8 *)"", 1);
		header_add(to, entry->id, copy->data, copy->len);
		g_byte_array_unref(copy);
		return;
	}
	/* Another version of a tombstone means nothing to us; written back it would be damage. */
	if (entry->id == ENTRY_TOMBSTONE &&
	    (entry->len != TOMBSTONE_BYTES || load32_be(entry->payload) != 1)) {
		return;
	}
	header_add(to, entry->id, entry->payload, entry->len);
	if (entry->id == ENTRY_PACKED_FILE) {
		uint8_t *payload = to->entries[to->entry_count - 1].payload;
		uint64_t ms = load64_be(payload);

		store64_be(payload, ms - ms % (uint64_t)(NS_PER_HOUR / NS_PER_MS));
	}
}

void header_copy_entries(struct header *to, const struct header *from, uint32_t id)
{
	for (size_t i = 0; i < from->entry_count; i++) {
		if (from->entries[i].id == id) {
			copy_entry(to, &from->entries[i]);
		}
	}
}

void header_remove(struct header *header, uint32_t id)
{
	size_t kept = 0;

	for (size_t i = 0; i < header->entry_count; i++) {
		if (header->entries[i].id == id) {
			g_free(header->entries[i].payload);
		} else {
			header->entries[kept++] = header->entries[i];
		}
	}
	header->entry_count = kept;
}

const struct header_entry *header_next(const struct header *header, uint32_t id, size_t *pos)
{
	while (*pos < header->entry_count) {
		const struct header_entry *entry = &header->entries[(*pos)++];

		if (entry->id == id) {
			return entry;
		}
	}
	return NULL;
}

/* Hours that no clock will reach are capped where nanoseconds, and a duration more, still fit. */
#define HOUR_MS_MAX INT64_C(9000000000000)

bool header_packed_file(const struct header *header, int64_t *hour_ns, uint8_t *flowtype,
			uint16_t *sensor)
{
	size_t pos = 0;
	const struct header_entry *entry = header_next(header, ENTRY_PACKED_FILE, &pos);
	int64_t ms;

	if (entry == NULL || entry->len != PACKED_BYTES) {
		return false;
	}
	ms = (int64_t)load64_be(entry->payload);
	*hour_ns = CLAMP(ms, -HOUR_MS_MAX, HOUR_MS_MAX) * NS_PER_MS;
	*flowtype = (uint8_t)load32_be(entry->payload + 8);
	*sensor = (uint16_t)load32_be(entry->payload + 12);
	return true;
}

/* ---- reading ---- */

static int check_entry(const struct header_entry *entry, struct err *err)
{
	const struct entry_rule *rule = entry_rule(entry->id);
	const uint8_t *p = entry->payload;
	bool good = entry->len >= rule->min_bytes && entry->len <= rule->max_bytes;

	if (good && entry->id == ENTRY_AGGREGATE_BAG) {
		unsigned fields = load16_be(p + 4), keys = load16_be(p + 6);

		good = load32_be(p) == 1 && fields >= 2 && keys < fields &&
		       entry->len == 8 + 2 * fields;
	}
	if (good && entry->id == ENTRY_TOMBSTONE) {
		good = entry->len >= 4 && (load32_be(p) != 1 || entry->len == TOMBSTONE_BYTES);
	}
	if (!good) {
		return err_set(err, ST_EFORMAT, "header entry %u of %u bytes is damaged", entry->id,
			       entry->len + ENTRY_BYTES);
	}
	return ST_OK;
}

/* Read one entry and append it. ST_END: it was the terminator. */
static int read_entry(struct header *header, struct bytesource *src, struct err *err)
{
	uint64_t start = bytesource_offset(src);
	struct header_entry entry = { 0 };
	uint8_t head[ENTRY_BYTES];
	uint32_t len;
	int rc = bytesource_read(src, head, sizeof(head), err);

	if (rc != ST_OK) {
		return rc;
	}
	entry.id = load32_be(head);
	len = load32_be(head + 4);
	if (len < ENTRY_BYTES) {
		return err_set(err, ST_EFORMAT,
			       "%s: header entry at byte %" G_GUINT64_FORMAT " has length %u",
			       bytesource_name(src), start, len);
	}
	entry.len = len - ENTRY_BYTES;
	if (entry.len > HEADER_BYTES_MAX || start + len > HEADER_BYTES_MAX ||
	    header->entry_count == HEADER_ENTRIES_MAX) {
		return err_set(err, ST_ELIMIT, "%s: header too large at byte %" G_GUINT64_FORMAT,
			       bytesource_name(src), start);
	}
	/* A NUL more than stored, so that text without one is text all the same. */
	entry.payload = g_malloc((size_t)entry.len + 1);
	entry.payload[entry.len] = '\0';
	rc = bytesource_read(src, entry.payload, entry.len, err);
	if (rc == ST_OK && check_entry(&entry, err) != ST_OK) {
		rc = err == NULL ? ST_EFORMAT : err_prefix(err, "%s", bytesource_name(src));
	}
	if (rc != ST_OK || entry.id == ENTRY_TERMINATOR) {
		g_free(entry.payload);
		return rc != ST_OK ? rc : ST_END;
	}
	header->entries = g_renew(struct header_entry, header->entries, header->entry_count + 1);
	header->entries[header->entry_count++] = entry;
	return ST_OK;
}

int header_read(struct header *header, struct bytesource *src, const struct site *site,
		struct err *err)
{
	uint64_t start = bytesource_offset(src);
	const uint8_t *at;
	size_t have;
	int rc;

	header_release(header);
	rc = bytesource_view(src, FIXED_BYTES, &at, &have, err);
	if (rc != ST_OK) {
		return rc;
	}
	if (have < sizeof(magic) || memcmp(at, magic, sizeof(magic)) != 0) {
		return err_set(err, ST_EFORMAT, "%s: not a SiLK file", bytesource_name(src));
	}
	if (have < HEADERLEGACY_BYTES) {
		return err_set(err, ST_ETRUNC, "%s: file ends inside its header",
			       bytesource_name(src));
	}
	header->big_endian = at[4] & 1;
	header->format = at[5];
	header->file_version = at[6];
	header->compression = at[7];
	if (header->file_version < FILE_VERSION) {
		bytesource_consume(src, HEADERLEGACY_BYTES);
		return headerlegacy_read(header, src, site, err);
	}
	if (have < FIXED_BYTES) {
		return err_set(err, ST_ETRUNC, "%s: file ends inside its header",
			       bytesource_name(src));
	}
	header->silk_version = load32_be(at + 8);
	header->record_length = load16_be(at + 12);
	header->record_version = load16_be(at + 14) & 0xff;
	bytesource_consume(src, FIXED_BYTES);
	do {
		rc = read_entry(header, src, err);
	} while (rc == ST_OK);
	header->length_bytes = (size_t)(bytesource_offset(src) - start);
	return rc == ST_END ? ST_OK : rc;
}

/* ---- writing ---- */

int header_write(struct header *header, struct bytesink *sink, struct err *err)
{
	GByteArray *out = g_byte_array_new();
	uint8_t fixed[FIXED_BYTES] = { 0 };
	uint8_t head[ENTRY_BYTES];
	guint start, over;
	int rc;

	memcpy(fixed, magic, sizeof(magic));
	fixed[4] = header->big_endian;
	fixed[5] = header->format;
	fixed[6] = FILE_VERSION;
	fixed[7] = header->compression;
	store32_be(fixed + 8, header->silk_version);
	store16_be(fixed + 12, header->record_length);
	store16_be(fixed + 14, header->record_version);
	g_byte_array_append(out, fixed, sizeof(fixed));
	for (size_t i = 0; i < header->entry_count; i++) {
		store32_be(head, header->entries[i].id);
		store32_be(head + 4, header->entries[i].len + ENTRY_BYTES);
		g_byte_array_append(out, head, sizeof(head));
		g_byte_array_append(out, header->entries[i].payload, header->entries[i].len);
	}
	/* The terminator pads the header to a multiple of the record length (1.2). */
	start = out->len;
	over = header->record_length > 1 ? (start + ENTRY_BYTES) % header->record_length : 0;
	g_byte_array_set_size(out,
			      start + ENTRY_BYTES + (over > 0 ? header->record_length - over : 0));
	memset(out->data + start, 0, out->len - start);
	store32_be(out->data + start + 4, out->len - start);
	header->length_bytes = out->len;
	rc = bytesink_write(sink, out->data, out->len, err);
	g_byte_array_unref(out);
	return rc;
}
