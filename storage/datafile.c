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

static int begin(struct datafile *file, struct bytesource *src, struct header *header,
		 struct err *err)
{
	int status;

	*file = (struct datafile){ .src = src, .name = bytesource_name(src), .header = header };
	status = header_read(header, src, NULL, err);
	file->swap = header->big_endian != HOST_BIG_ENDIAN;
	return status;
}

int datafile_open(struct datafile *file, const char *path, struct header *header, struct err *err)
{
	struct bytesource *src = NULL;
	int status;

	*file = (struct datafile){ .header = header };
	header_init(header);
	status = bytesource_open_binary(&src, path, err);
	return status == ST_OK ? begin(file, src, header, err) : status;
}

void datafile_close(struct datafile *file)
{
	block_reader_free(file->in);
	bytesource_close(file->src);
}

int datafile_read_from(struct bytesource *src, struct header *header, datafile_read_fn *read,
		       void *out, struct err *err)
{
	struct header own;
	struct header *used = header ? header : &own;
	struct datafile file;
	int status;

	header_init(used);
	status = begin(&file, src, used, err);
	if (status == ST_OK) {
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
	struct header own;
	struct datafile file;
	int status = datafile_open(&file, path, header ? header : &own, err);

	if (status == ST_OK) {
		status = read(&file, out, err);
	}
	datafile_close(&file);
	if (!header) {
		header_release(&own);
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
