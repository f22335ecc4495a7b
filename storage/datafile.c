/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/datafile.h"

#include "storage/byteorder.h"

#define FILE_VERSION 16 /* headers with entries */

int datafile_blocks(struct datafile *file, struct err *err)
{
	int status = block_reader_new(&file->in, file->src, file->header->compression, err);

	if (status == ST_OK) {
		block_reader_read_ahead(file->in);
	}
	return status;
}

int datafile_read_from(struct bytesource *src, struct header *header, datafile_read_fn *read,
		       void *out, struct err *err)
{
	struct header own;
	struct header *used = header ? header : &own;
	struct datafile file = { .src = src, .name = bytesource_name(src), .header = used };
	int status;

	header_init(used);
	status = header_read(used, src, NULL, err);
	if (status == ST_OK) {
		file.swap = used->big_endian != HOST_BIG_ENDIAN;
		status = read(&file, out, err);
	}
	block_reader_free(file.in);
	if (!header) {
		header_release(&own);
	}
	return status;
}

int datafile_read(const char *path, struct header *header, datafile_read_fn *read, void *out,
		  struct err *err)
{
	struct bytesource *src = NULL;
	int status;

	if (header) {
		header_init(header);
	}
	status = bytesource_open_binary(&src, path, err);
	if (status == ST_OK) {
		status = datafile_read_from(src, header, read, out, err);
		bytesource_close(src);
	}
	return status;
}

void datafile_header(struct header *header, uint8_t format, uint16_t record_version,
		     uint16_t record_length, bool no_silk_version)
{
	header_init(header);
	header->format = format;
	header->file_version = FILE_VERSION;
	header->compression = COMPRESSION_NONE;
	header->big_endian = HOST_BIG_ENDIAN;
	header->silk_version = no_silk_version ? 0 : HEADER_SILK_VERSION;
	header->record_length = record_length;
	header->record_version = record_version;
}

int datafile_write(struct bytesink *sink, struct header *header, datafile_write_fn *write,
		   void *what, struct err *err)
{
	struct block_writer *out;
	int status = header_write(header, sink, err);

	if (status != ST_OK) {
		return status;
	}
	out = block_writer_new(sink, header->compression, header->record_length);
	block_writer_use_crew(out);
	status = write(what, out, err);
	if (status == ST_OK) {
		status = block_writer_flush(out, err);
	}
	block_writer_free(out);
	return status;
}
