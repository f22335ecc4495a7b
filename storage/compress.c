/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/compress.h"

#include "storage/flowblock.h"
#include "storage/header.h"
#include "storage/lzo1x.h"
#include "storage/lzo1xrows.h"
#include "storage/snappylib.h"

#include <assert.h>
#include <errno.h>
#include <glib.h>
#include <lzo/lzo1x.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/* Higher levels gain a few of a thousand on columns, which are packed already. */
#define ZSTD_LEVEL 3

struct compressor {
	const struct method *method;
	ZSTD_CCtx *zstd;
	uint8_t work[]; /* LZO's dictionary */
};

/* One row per method on disk (silk-flow-files.md 2.4; zstd in block files only). */
struct method {
	const char *name;
	size_t work_bytes;
	size_t (*bound)(size_t len);
	bool (*compress)(struct compressor *compressor, const uint8_t *in, size_t len, uint8_t *out,
			 size_t *out_len);
	bool (*decompress)(const uint8_t *in, size_t len, uint8_t *out, size_t *out_len);
	bool (*is_there)(void); /* of a library that is loaded when needed; else NULL */
};

static size_t none_bound(size_t len)
{
	return len;
}

static bool none_compress(struct compressor *compressor, const uint8_t *in, size_t len,
			  uint8_t *out, size_t *out_len)
{
	memcpy(out, in, len);
	*out_len = len;
	return true;
}

static bool none_decompress(const uint8_t *in, size_t len, uint8_t *out, size_t *out_len)
{
	if (len != *out_len) {
		return false;
	}
	memcpy(out, in, len);
	return true;
}

static size_t zlib_bound(size_t len)
{
	return compressBound(len);
}

static bool zlib_compress(struct compressor *compressor, const uint8_t *in, size_t len,
			  uint8_t *out, size_t *out_len)
{
	uLongf used = compressBound(len);
	int rc = compress2(out, &used, in, len, Z_DEFAULT_COMPRESSION);

	*out_len = used;
	return rc == Z_OK;
}

static bool zlib_decompress(const uint8_t *in, size_t len, uint8_t *out, size_t *out_len)
{
	uLongf used = *out_len;
	int rc = uncompress(out, &used, in, len);

	*out_len = used;
	return rc == Z_OK;
}

/* One for both ways: who asks for it need not know whether rows are packed. */
static size_t lzo_bound(size_t len)
{
	return lzo1xrows_bound(len);
}

static bool lzo_compress(struct compressor *compressor, const uint8_t *in, size_t len, uint8_t *out,
			 size_t *out_len)
{
	lzo_uint used = 0;
	int rc = lzo1x_1_15_compress(in, len, out, &used, compressor->work);

	*out_len = used;
	return rc == LZO_E_OK;
}

static bool lzo_compress_rows(struct compressor *compressor, const uint8_t *in, size_t len,
			      uint8_t *out, size_t *out_len)
{
	*out_len = lzo1xrows_pack((struct lzo1xrows *)(void *)compressor->work, in, len, out);
	return true;
}

static bool snappy_is_there(void)
{
	struct snappylib lib;

	if (!snappylib_open(&lib)) {
		return false;
	}
	snappylib_close(&lib);
	return true;
}

/* Without the library nothing will be compressed. */
static size_t snappy_bound(size_t len)
{
	struct snappylib lib;
	size_t bound = len;

	if (snappylib_open(&lib)) {
		bound = lib.max_compressed_length(len);
		snappylib_close(&lib);
	}
	return bound;
}

static bool snappy_compress_block(struct compressor *compressor, const uint8_t *in, size_t len,
				  uint8_t *out, size_t *out_len)
{
	struct snappylib lib;
	bool done;

	if (!snappylib_open(&lib)) {
		return false;
	}
	*out_len = lib.max_compressed_length(len);
	done = lib.compress((const char *)in, len, (char *)out, out_len) == SNAPPY_OK;
	snappylib_close(&lib);
	return done;
}

static bool snappy_decompress(const uint8_t *in, size_t len, uint8_t *out, size_t *out_len)
{
	struct snappylib lib;
	bool done;

	if (!snappylib_open(&lib)) {
		return false;
	}
	done = lib.uncompress((const char *)in, len, (char *)out, out_len) == SNAPPY_OK;
	snappylib_close(&lib);
	return done;
}

static size_t zstd_bound(size_t len)
{
	return ZSTD_compressBound(len);
}

static bool zstd_compress(struct compressor *compressor, const uint8_t *in, size_t len,
			  uint8_t *out, size_t *out_len)
{
	if (!compressor->zstd) {
		compressor->zstd = ZSTD_createCCtx();
	}
	if (!compressor->zstd) {
		return false;
	}
	*out_len = ZSTD_compressCCtx(compressor->zstd, out, ZSTD_compressBound(len), in, len,
				     ZSTD_LEVEL);
	return !ZSTD_isError(*out_len);
}

static bool zstd_decompress(const uint8_t *in, size_t len, uint8_t *out, size_t *out_len)
{
	*out_len = ZSTD_decompress(out, *out_len, in, len);
	return !ZSTD_isError(*out_len);
}

static const struct method methods[] = {
	[COMPRESSION_NONE] = { "none", 0, none_bound, none_compress, none_decompress },
	[COMPRESSION_ZLIB] = { "zlib", 0, zlib_bound, zlib_compress, zlib_decompress },
	[COMPRESSION_LZO1X] = { "lzo1x", LZO1X_1_15_MEM_COMPRESS, lzo_bound, lzo_compress,
				lzo1x_unpack },
	[COMPRESSION_SNAPPY] = { "snappy", 0, snappy_bound, snappy_compress_block,
				 snappy_decompress, snappy_is_there },
	[CHUNK_ZSTD] = { "zstd", 0, zstd_bound, zstd_compress, zstd_decompress },
};

static const struct method lzo1x_rows = {
	.name = "lzo1x",
	.work_bytes = sizeof(struct lzo1xrows),
	.bound = lzo_bound,
	.compress = lzo_compress_rows,
	.decompress = lzo1x_unpack,
};

static const struct method *method_of(uint8_t method)
{
	assert(method < sizeof(methods) / sizeof(methods[0]));
	return &methods[method];
}

static bool is_missing(const struct method *method)
{
	return method->is_there && !method->is_there();
}

static int tell_missing(const struct method *method, struct err *err)
{
	return err_set(err, ST_EIO, "the library for %s cannot be loaded", method->name);
}

struct compressor *compressor_new_rows(uint8_t method, size_t row_bytes)
{
	const bool rows = method == COMPRESSION_LZO1X && row_bytes == LZO1XROWS_BYTES;
	const struct method *how = rows ? &lzo1x_rows : method_of(method);
	struct compressor *compressor = g_malloc0(sizeof(*compressor) + how->work_bytes);

	compressor->method = how;
	return compressor;
}

struct compressor *compressor_new(uint8_t method)
{
	return compressor_new_rows(method, 0);
}

void compressor_free(struct compressor *compressor)
{
	if (compressor) {
		ZSTD_freeCCtx(compressor->zstd);
		g_free(compressor);
	}
}

size_t compress_bound(uint8_t method, size_t len)
{
	return method_of(method)->bound(len);
}

int compress_block(struct compressor *compressor, const uint8_t *in, size_t len, uint8_t *out,
		   size_t *out_len, struct err *err)
{
	const struct method *method = compressor->method;

	if (!method->compress(compressor, in, len, out, out_len)) {
		return is_missing(method) ? tell_missing(method, err)
					  : err_set(err, ST_EIO, "%s failed to compress a block",
						    method->name);
	}
	return ST_OK;
}

int decompress_block(uint8_t method, const uint8_t *in, size_t len, uint8_t *out, size_t out_len,
		     struct err *err)
{
	const struct method *by = method_of(method);
	size_t used = out_len;

	if (!by->decompress(in, len, out, &used)) {
		return is_missing(by) ? tell_missing(by, err)
				      : err_set(err, ST_EFORMAT, "damaged %s block", by->name);
	}
	if (used != out_len) {
		return err_set(err, ST_EFORMAT, "%s block holds %zu bytes where %zu are announced",
			       by->name, used, out_len);
	}
	return ST_OK;
}

/* gzFile is a pointer to a struct of zlib's; the incomplete struct gzip only hides it. */
static gzFile as_file(struct gzip *gzip)
{
	return (gzFile)gzip;
}

static int gzip_error(struct gzip *gzip, struct err *err)
{
	int code = Z_OK;
	const char *text = gzerror(as_file(gzip), &code);

	if (code == Z_ERRNO) {
		return err_errno(err, ST_EIO, errno, "gzip");
	}
	if (code == Z_BUF_ERROR) {
		return err_set(err, ST_ETRUNC, "gzip data end too early");
	}
	return err_set(err, ST_EFORMAT, "gzip: %s", text);
}

int gzip_open(struct gzip **out, int fd, bool writing, struct err *err)
{
	gzFile file = gzdopen(fd, writing ? "wb" : "rb");

	if (file == NULL) {
		close(fd);
		return err_set(err, ST_EIO, "cannot start gzip");
	}
	gzbuffer(file, 1 << 17);
	*out = (struct gzip *)file;
	return ST_OK;
}

int gzip_read(struct gzip *gzip, void *to, size_t len, size_t *got, struct err *err)
{
	int n = gzread(as_file(gzip), to, (unsigned)MIN(len, 1u << 30));
	int code = Z_OK;

	*got = n > 0 ? (size_t)n : 0;
	gzerror(as_file(gzip), &code);
	if (n < 0 || (code != Z_OK && code != Z_STREAM_END)) {
		return gzip_error(gzip, err);
	}
	return ST_OK;
}

int gzip_write(struct gzip *gzip, const void *from, size_t len, struct err *err)
{
	assert(len <= 1u << 30);
	if (len > 0 && gzwrite(as_file(gzip), from, (unsigned)len) == 0) {
		return gzip_error(gzip, err);
	}
	return ST_OK;
}

int gzip_flush(struct gzip *gzip, struct err *err)
{
	return gzflush(as_file(gzip), Z_SYNC_FLUSH) == Z_OK ? ST_OK : gzip_error(gzip, err);
}

int gzip_close(struct gzip *gzip, struct err *err)
{
	int rc = gzclose(as_file(gzip));

	/* Reading: Z_BUF_ERROR says that the last read ended inside a stream, already reported. */
	if (rc != Z_OK && rc != Z_BUF_ERROR) {
		return err_errno(err, ST_EIO, rc == Z_ERRNO ? errno : EIO, "gzip");
	}
	return ST_OK;
}
