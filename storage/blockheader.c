/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/blockheader.h"

#include "storage/byteorder.h"

#include <string.h>
#include <xxhash.h>

#define SWAP           HOST_BIG_ENDIAN
#define CHECKSUM_BYTES 8u
#define FIXED_BYTES    56u
#define PROPERTY_BYTES 8u /* type, reserved, length */

const uint8_t blockfile_magic[BLOCKFILE_MAGIC_BYTES] = { 0x89, 'T', 'U', 'S', 'S', 'A', 'H', '\n' };

int blockheader_length(const uint8_t bytes[BLOCKHEADER_MIN], size_t *len, struct err *err)
{
	uint16_t version = load16(bytes + 8, SWAP);

	if (memcmp(bytes, blockfile_magic, sizeof(blockfile_magic)) != 0) {
		return err_set(err, ST_EFORMAT, "not a block file");
	}
	if (version != BLOCKFILE_VERSION) {
		return err_set(err, ST_EVERSION, "version %u of block files is not known", version);
	}
	*len = load32(bytes + 12, SWAP);
	if (*len < BLOCKHEADER_MIN || *len > BLOCKHEADER_MAX) {
		return err_set(err, ST_EFORMAT, "header: bad length");
	}
	return ST_OK;
}

static int parse_property(const uint8_t **at, const uint8_t *end, struct blockfile_header *out,
			  struct err *err)
{
	size_t left = (size_t)(end - *at);
	uint16_t type;
	uint32_t len;

	if (left < PROPERTY_BYTES) {
		return err_set(err, ST_EFORMAT, "header: ends inside a property");
	}
	type = load16(*at, SWAP);
	len = load32(*at + 4, SWAP);
	if (len > left - PROPERTY_BYTES) {
		return err_set(err, ST_EFORMAT, "header: ends inside a property");
	}
	if (type < BLOCKFILE_ANNOTATION || type > BLOCKFILE_PROBE_NAME ||
	    load16(*at + 2, SWAP) != 0) {
		return err_set(err, ST_EVERSION, "header: property type %u is not known", type);
	}
	*at += PROPERTY_BYTES;
	if (!g_utf8_validate_len((const char *)*at, len, NULL)) {
		return err_set(err, ST_EFORMAT, "header: property is no text");
	}
	blockheader_add(out, type, (const char *)*at, len);
	*at += len;
	return ST_OK;
}

static bool reserved_is_zero(const uint8_t *bytes)
{
	return load16(bytes + 10, SWAP) == 0 && bytes[27] == 0 && load64(bytes + 40, SWAP) == 0 &&
	       load64(bytes + 48, SWAP) == 0;
}

int blockheader_parse(const uint8_t *bytes, size_t len, struct blockfile_header *out,
		      struct err *err)
{
	const uint8_t *at = bytes + FIXED_BYTES;
	const uint8_t *end = bytes + len - CHECKSUM_BYTES;
	int rc = ST_OK;

	if (XXH64(bytes, len - CHECKSUM_BYTES, 0) != load64(end, SWAP)) {
		return err_set(err, ST_EFORMAT, "header: checksum differs");
	}
	if (!reserved_is_zero(bytes)) {
		return err_set(err, ST_EVERSION, "header: reserved fields are not known");
	}
	*out = (struct blockfile_header){
		.hour_ns = (int64_t)load64(bytes + 16, SWAP),
		.sensor = load16(bytes + 24, SWAP),
		.flowtype = bytes[26],
		.footer_len = load32(bytes + 28, SWAP),
		.footer_offset = load64(bytes + 32, SWAP),
	};
	while (rc == ST_OK && at < end) {
		rc = parse_property(&at, end, out, err);
	}
	if (rc != ST_OK) {
		blockheader_release(out);
	}
	return rc;
}

void blockheader_release(struct blockfile_header *header)
{
	for (size_t i = 0; i < header->property_count; i++) {
		g_free(header->properties[i].text);
	}
	g_free(header->properties);
	header->properties = NULL;
	header->property_count = 0;
}

int blockheader_put(const struct blockfile_header *header, GByteArray *out, struct err *err)
{
	guint begin = out->len;
	uint8_t fixed[FIXED_BYTES] = { 0 };
	uint8_t checksum[CHECKSUM_BYTES];
	size_t len = FIXED_BYTES + CHECKSUM_BYTES;

	for (size_t i = 0; i < header->property_count; i++) {
		len += PROPERTY_BYTES + strlen(header->properties[i].text);
	}
	if (len > BLOCKHEADER_MAX) {
		return err_set(err, ST_ELIMIT, "annotations and invocations of more than %u bytes",
			       BLOCKHEADER_MAX);
	}
	memcpy(fixed, blockfile_magic, sizeof(blockfile_magic));
	store16(fixed + 8, BLOCKFILE_VERSION, SWAP);
	store32(fixed + 12, (uint32_t)len, SWAP);
	store64(fixed + 16, (uint64_t)header->hour_ns, SWAP);
	store16(fixed + 24, header->sensor, SWAP);
	fixed[26] = header->flowtype;
	store32(fixed + 28, header->footer_len, SWAP);
	store64(fixed + 32, header->footer_offset, SWAP);
	g_byte_array_append(out, fixed, sizeof(fixed));
	for (size_t i = 0; i < header->property_count; i++) {
		const struct blockfile_property *property = &header->properties[i];
		uint32_t text_len = (uint32_t)strlen(property->text);
		uint8_t head[PROPERTY_BYTES] = { 0 };

		store16(head, property->type, SWAP);
		store32(head + 4, text_len, SWAP);
		g_byte_array_append(out, head, sizeof(head));
		g_byte_array_append(out, (const uint8_t *)property->text, text_len);
	}
	store64(checksum, XXH64(out->data + begin, out->len - begin, 0), SWAP);
	g_byte_array_append(out, checksum, sizeof(checksum));
	return ST_OK;
}

void blockheader_add(struct blockfile_header *header, enum blockfile_property_type type,
		     const char *text, size_t len)
{
	char *valid = g_utf8_make_valid(text, (gssize)len);

	header->properties =
		g_renew(struct blockfile_property, header->properties, header->property_count + 1);
	header->properties[header->property_count++] =
		(struct blockfile_property){ .type = (uint16_t)type, .text = valid };
}
