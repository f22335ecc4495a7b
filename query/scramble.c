/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scramble.h"

#include <stdlib.h>
#include <string.h>

#include "storage/bytesource.h"
#include "storage/header.h"

#define FORMAT_SHUFFLE 0x20

/* Blocks of 65536 private addresses: 10.0.0.0/8, then 172.16.0.0/12, then 192.168.0.0/16. */
#define NETWORKS_10  256
#define NETWORKS_172 16
#define NETWORKS     (NETWORKS_10 + NETWORKS_172 + 1)

/* A number below limit; random() gives 31 bits. */
static uint32_t draw_below(uint32_t limit)
{
	return (uint32_t)((uint64_t)random() * limit >> 31);
}

void scramble_seed(uint32_t seed)
{
	srandom(seed);
}

uint32_t scramble_draw(void)
{
	uint32_t third = draw_below(256);
	uint32_t fourth = draw_below(256);
	uint32_t network = draw_below(NETWORKS);

	if (network < NETWORKS_10) {
		network |= 10 << 8;
	} else if (network < NETWORKS_10 + NETWORKS_172) {
		network = 172 << 8 | (16 + network - NETWORKS_10);
	} else {
		network = 192 << 8 | 168;
	}
	return network << 16 | third << 8 | fourth;
}

void scramble_shuffle(struct scramble *tables)
{
	for (size_t table = 0; table < 4; table++) {
		uint8_t *bytes = tables->bytes[table];

		for (unsigned i = 0; i < 256; i++) {
			bytes[i] = (uint8_t)i;
		}
		for (unsigned i = 0; i < 256; i++) {
			uint32_t other = draw_below(256);
			uint8_t byte = bytes[i];

			bytes[i] = bytes[other];
			bytes[other] = byte;
		}
	}
}

uint32_t scramble_map(const struct scramble *tables, uint32_t ip)
{
	uint32_t out = 0;

	for (unsigned i = 0; i < 4; i++) {
		out |= (uint32_t)tables->bytes[i][ip >> 8 * i & 0xff] << 8 * i;
	}
	return out;
}

int scramble_read(struct scramble *tables, const char *path, struct err *err)
{
	struct bytesource *src = NULL;
	struct header header;
	int status = bytesource_open_binary(&src, path, err);

	if (status != ST_OK) {
		return status;
	}
	header_init(&header);
	status = header_read(&header, src, NULL, err);
	if (status == ST_OK && header.format != FORMAT_SHUFFLE) {
		status = err_set(err, ST_EFORMAT, "%s: not a table of rwrandomizeip", path);
	}
	if (status == ST_OK &&
	    bytesource_read(src, tables->bytes, sizeof(tables->bytes), err) != ST_OK) {
		status = err_set(err, ST_ETRUNC, "%s: the table is cut short", path);
	}
	header_release(&header);
	bytesource_close(src);
	return status;
}

int scramble_write(const struct scramble *tables, struct bytesink *sink, struct err *err)
{
	struct header header;
	int status;

	header_init(&header);
	header.format = FORMAT_SHUFFLE;
	header.file_version = 16;
	header.big_endian = true;
	header.record_length = 1;
	status = header_write(&header, sink, err);
	header_release(&header);
	return status == ST_OK ? bytesink_write(sink, tables->bytes, sizeof(tables->bytes), err)
			       : status;
}
