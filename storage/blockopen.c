/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finding the blocks of a block file (storage/FORMAT.md sections 2 and 6): through the footer where
 * there is one, else from section to section, passing over what is damaged.
 */
#include "storage/blockfileparts.h"

#include "storage/bloom.h"
#include "storage/byteorder.h"
#include "storage/varint.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define SWAP           HOST_BIG_ENDIAN
#define CHECKSUM_BYTES 8u
#define DAMAGE_MAX     1000u        /* lines; a file full of damage needs no more */
#define FIRST_BYTES    4096u        /* the header, and perhaps all of a small file */
#define AHEAD_BYTES    (256u << 10) /* read at once when blocks are small */
#define SMALL_BODY     (64u << 10)

/* A piece of the file in memory. */
struct window {
	const struct blockfile *file;
	uint8_t *bytes;
	size_t capacity;
	uint64_t offset;
	size_t len;
	size_t ahead; /* bytes to read at least */
};

int blockfile_read_at(int fd, uint64_t offset, void *to, size_t len, size_t *got, struct err *err)
{
	uint8_t *at = to;

	*got = 0;
	while (*got < len) {
		ssize_t n = pread(fd, at + *got, len - *got, (off_t)(offset + *got));

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return err_errno(err, ST_EIO, errno, "read");
		}
		if (n == 0) {
			break;
		}
		*got += (size_t)n;
	}
	return ST_OK;
}

/* Show len bytes at offset, which lie within the file. ST_ETRUNC: they did when it was opened. */
static int window_view(struct window *window, uint64_t offset, size_t len, const uint8_t **out,
		       struct err *err)
{
	size_t want = MAX(len, window->ahead);
	int rc;

	if (offset < window->offset || offset + len > window->offset + window->len) {
		want = (size_t)MIN((uint64_t)want, window->file->size - offset);
		if (want > window->capacity) {
			g_free(window->bytes);
			window->bytes = g_malloc(want);
			window->capacity = want;
		}
		window->offset = offset;
		rc = blockfile_read_at(window->file->fd, offset, window->bytes, want, &window->len,
				       err);
		if (rc != ST_OK) {
			return rc;
		}
		if (window->len < len) {
			return err_set(err, ST_ETRUNC, "the file became shorter");
		}
	}
	*out = window->bytes + (offset - window->offset);
	return ST_OK;
}

static void add_damage(struct blockfile *file, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void add_damage(struct blockfile *file, const char *fmt, ...)
{
	va_list ap;

	if (file->damage->len > DAMAGE_MAX) {
		return;
	}
	if (file->damage->len == DAMAGE_MAX) {
		g_ptr_array_add(file->damage,
				g_strdup_printf("%s: more damage is not listed", file->path));
		return;
	}
	va_start(ap, fmt);
	g_ptr_array_add(file->damage, g_strdup_vprintf(fmt, ap));
	va_end(ap);
}

/* ---- header ---- */

static int read_header(struct blockfile *file, struct window *window, size_t *header_len,
		       struct err *err)
{
	const uint8_t *bytes = NULL;
	int rc = ST_OK;

	if (file->size < BLOCKHEADER_MIN) {
		size_t len = (size_t)MIN(file->size, BLOCKFILE_MAGIC_BYTES);

		rc = window_view(window, 0, len, &bytes, err);
		if (rc == ST_OK && len > 0 && memcmp(bytes, blockfile_magic, len) != 0) {
			return err_set(err, ST_EFORMAT, "not a block file");
		}
		return rc != ST_OK ? rc
				   : err_set(err, ST_ETRUNC, "the file ends inside its header");
	}
	rc = window_view(window, 0, BLOCKHEADER_MIN, &bytes, err);
	if (rc == ST_OK) {
		rc = blockheader_length(bytes, header_len, err);
	}
	if (rc == ST_OK && *header_len > file->size) {
		rc = err_set(err, ST_ETRUNC, "the file ends inside its header");
	}
	if (rc == ST_OK) {
		rc = window_view(window, 0, *header_len, &bytes, err);
	}
	return rc == ST_OK ? blockheader_parse(bytes, *header_len, &file->header, err) : rc;
}

/* ---- blocks ---- */

int blockfile_parse_block(const uint8_t *bytes, const struct flowblock_prelude *prelude,
			  const struct blockfile_header *header, struct flowblock *out,
			  struct err *err)
{
	size_t checked = prelude->header_len - CHECKSUM_BYTES;

	if (XXH64(bytes, checked, 0) != load64(bytes + checked, SWAP)) {
		return err_set(err, ST_EFORMAT, "directory: checksum differs");
	}
	return flowblock_parse(bytes + FLOWBLOCK_PRELUDE_BYTES, checked - FLOWBLOCK_PRELUDE_BYTES,
			       prelude->count, prelude->body_len, header->sensor, header->flowtype,
			       out, err);
}

static void add_block(struct blockfile *file, const struct flowblock *block,
		      const struct flowblock_prelude *prelude, uint64_t offset, size_t number)
{
	const struct file_block at = {
		.block = *block,
		.offset = offset,
		.header_len = prelude->header_len,
		.body_len = prelude->body_len,
		.number = number,
	};

	g_array_append_val(file->blocks, at);
}

/* The offset of the next valid prelude of a block from at on, or the size of the file. */
static int find_prelude(struct window *window, uint64_t at, uint64_t *found, struct err *err)
{
	static const uint8_t magic[] = { 'T', 'B', 'L', 'K' };
	uint64_t size = window->file->size;
	struct flowblock_prelude prelude;

	window->ahead = AHEAD_BYTES;
	*found = size;
	while (size - at >= FLOWBLOCK_PRELUDE_BYTES) {
		const uint8_t *bytes = NULL;
		const uint8_t *hit;
		size_t len = (size_t)MIN(size - at, AHEAD_BYTES);
		int rc = window_view(window, at, len, &bytes, err);

		if (rc != ST_OK) {
			return rc;
		}
		hit = memmem(bytes, len, magic, sizeof(magic));
		if (hit == NULL) {
			at += len - (sizeof(magic) - 1);
			continue;
		}
		at += (uint64_t)(hit - bytes);
		if (size - at < FLOWBLOCK_PRELUDE_BYTES) {
			break;
		}
		rc = window_view(window, at, FLOWBLOCK_PRELUDE_BYTES, &bytes, err);
		if (rc != ST_OK) {
			return rc;
		}
		if (flowblock_parse_prelude(bytes, &prelude, NULL) == ST_OK) {
			*found = at;
			return ST_OK;
		}
		at++;
	}
	return ST_OK;
}

/* Where a scan stands. */
struct scan {
	struct blockfile *file;
	struct window *window;
	uint64_t at;
	size_t number; /* of the next block */
};

/* Fewer bytes than a prelude are a torn tail if a section may begin so. */
static int scan_tail(struct scan *scan, struct err *err)
{
	static const char *const magics[] = { "TBLK", "TFTR" };
	struct blockfile *file = scan->file;
	size_t len = (size_t)(file->size - scan->at);
	const uint8_t *bytes = NULL;
	int rc = window_view(scan->window, scan->at, len, &bytes, err);

	for (size_t i = 0; rc == ST_OK && file->torn == 0 && i < G_N_ELEMENTS(magics); i++) {
		if (memcmp(bytes, magics[i], MIN(len, 4)) == 0) {
			file->torn = len;
		}
	}
	if (rc == ST_OK && file->torn == 0) {
		add_damage(file, "%s: block %zu: %zu bytes that are no block", file->path,
			   scan->number, len);
	}
	scan->at = file->size;
	return rc;
}

static int scan_damage(struct scan *scan, struct err *err)
{
	uint64_t found = 0;
	int rc = find_prelude(scan->window, scan->at + 1, &found, err);

	if (rc == ST_OK) {
		add_damage(scan->file, "%s: block %zu: %" G_GUINT64_FORMAT " bytes are damaged",
			   scan->file->path, scan->number, found - scan->at);
		scan->number++;
		scan->at = found;
	}
	return rc;
}

static int scan_block(struct scan *scan, const struct flowblock_prelude *prelude, struct err *err)
{
	struct blockfile *file = scan->file;
	const uint8_t *bytes = NULL;
	struct flowblock block;
	struct err reason;
	int rc = window_view(scan->window, scan->at, prelude->header_len, &bytes, err);

	if (rc != ST_OK) {
		return rc;
	}
	if (blockfile_parse_block(bytes, prelude, &file->header, &block, &reason) == ST_OK) {
		add_block(file, &block, prelude, scan->at, scan->number);
		file->lost = 0;
	} else {
		file->lost = scan->at;
		add_damage(file, "%s: block %zu: %s", file->path, scan->number, reason.text);
	}
	scan->number++;
	return ST_OK;
}

static int scan_section(struct scan *scan, struct err *err)
{
	struct blockfile *file = scan->file;
	uint64_t left = file->size - scan->at;
	struct flowblock_prelude prelude;
	const uint8_t *bytes = NULL;
	uint64_t len;
	int rc;

	if (left < FLOWBLOCK_PRELUDE_BYTES) {
		return scan_tail(scan, err);
	}
	rc = window_view(scan->window, scan->at, FLOWBLOCK_PRELUDE_BYTES, &bytes, err);
	if (rc != ST_OK) {
		return rc;
	}
	if (flowblock_parse_prelude(bytes, &prelude, NULL) != ST_OK) {
		return scan_damage(scan, err);
	}
	len = (uint64_t)prelude.header_len + prelude.body_len;
	if (len > left) {
		file->torn = left;
		scan->at = file->size;
		return ST_OK;
	}
	if (prelude.magic == FLOWBLOCK_MAGIC) {
		rc = scan_block(scan, &prelude, err);
	} else {
		file->lost = 0;
	}
	scan->at += len;
	file->end = scan->at;
	scan->window->ahead = prelude.body_len < SMALL_BODY ? AHEAD_BYTES : FIRST_BYTES;
	return rc;
}

/* ---- footer ---- */

struct footer {
	const uint8_t *at; /* in the directory */
	const uint8_t *end;
	const struct blockfile_header *header;
	uint64_t offset; /* where the next block must be */
	uint64_t records;
	uint64_t filter_len;
	uint64_t filter_checksum;
};

static bool footer_number(struct footer *footer, uint64_t max, uint64_t *out)
{
	return varint_get(&footer->at, footer->end, out) && *out <= max;
}

static int footer_head(struct footer *footer, uint32_t body_len, struct err *err)
{
	if (!footer_number(footer, UINT64_MAX, &footer->records) ||
	    !footer_number(footer, BLOOM_BYTES_MAX, &footer->filter_len) ||
	    footer->filter_len % BLOOM_UNIT_BYTES != 0 || footer->filter_len != body_len) {
		return err_set(err, ST_EFORMAT, "bad record count or filter length");
	}
	if (footer->filter_len == 0) {
		return ST_OK;
	}
	if ((size_t)(footer->end - footer->at) < CHECKSUM_BYTES) {
		return err_set(err, ST_EFORMAT, "ends inside a checksum");
	}
	footer->filter_checksum = load64(footer->at, SWAP);
	footer->at += CHECKSUM_BYTES;
	return ST_OK;
}

static int footer_entry(struct footer *footer, struct blockfile *file, size_t number,
			struct err *err)
{
	struct flowblock_prelude prelude = { .magic = FLOWBLOCK_MAGIC };
	uint64_t numbers[4] = { 0 };
	static const uint64_t limits[4] = { UINT64_MAX, FLOWBLOCK_HEADER_MAX, FLOWBLOCK_BODY_MAX,
					    FLOWBLOCK_ROWS_MAX };
	struct flowblock block;
	size_t directory_len;
	int rc;

	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		if (!footer_number(footer, limits[i], &numbers[i])) {
			return err_set(err, ST_EFORMAT, "block %zu: bad entry", number);
		}
	}
	prelude.header_len = (uint32_t)numbers[1];
	prelude.body_len = (uint32_t)numbers[2];
	prelude.count = (uint32_t)numbers[3];
	if (numbers[0] != footer->offset || prelude.count == 0 ||
	    prelude.header_len <= FLOWBLOCK_PRELUDE_BYTES + CHECKSUM_BYTES) {
		return err_set(err, ST_EFORMAT, "block %zu: bad entry", number);
	}
	directory_len = prelude.header_len - FLOWBLOCK_PRELUDE_BYTES - CHECKSUM_BYTES;
	if (directory_len > (size_t)(footer->end - footer->at)) {
		return err_set(err, ST_EFORMAT, "block %zu: ends inside the entry", number);
	}
	rc = flowblock_parse(footer->at, directory_len, prelude.count, prelude.body_len,
			     footer->header->sensor, footer->header->flowtype, &block, err);
	if (rc != ST_OK) {
		return err == NULL ? rc : err_prefix(err, "block %zu", number);
	}
	add_block(file, &block, &prelude, footer->offset, number);
	footer->at += directory_len;
	footer->offset += (uint64_t)prelude.header_len + prelude.body_len;
	footer->records -= prelude.count;
	return ST_OK;
}

/* A filter that is damaged is done without. */
static void take_filter(struct blockfile *file, const struct footer *footer, const uint8_t *body)
{
	if (footer->filter_len == 0) {
		return;
	}
	if (XXH64(body, footer->filter_len, 0) != footer->filter_checksum) {
		add_damage(file, "%s: footer: address filter: checksum differs", file->path);
		return;
	}
	file->filter = g_memdup2(body, footer->filter_len);
	file->filter_len = footer->filter_len;
}

static int parse_footer(struct blockfile *file, const uint8_t *bytes, size_t header_len,
			struct err *err)
{
	const struct blockfile_header *header = &file->header;
	struct footer footer = { .header = header, .offset = header_len };
	struct flowblock_prelude prelude;
	size_t checked;
	int rc = flowblock_parse_prelude(bytes, &prelude, err);

	if (rc != ST_OK) {
		return rc;
	}
	if (prelude.magic != FLOWBLOCK_FOOTER_MAGIC ||
	    (uint64_t)prelude.header_len + prelude.body_len != header->footer_len) {
		return err_set(err, ST_EFORMAT, "not as long as the header says");
	}
	checked = prelude.header_len - CHECKSUM_BYTES;
	if (XXH64(bytes, checked, 0) != load64(bytes + checked, SWAP)) {
		return err_set(err, ST_EFORMAT, "checksum differs");
	}
	footer.at = bytes + FLOWBLOCK_PRELUDE_BYTES;
	footer.end = bytes + checked;
	rc = footer_head(&footer, prelude.body_len, err);
	for (size_t i = 0; rc == ST_OK && i < prelude.count; i++) {
		rc = footer_entry(&footer, file, i, err);
	}
	if (rc == ST_OK && (footer.at != footer.end || footer.offset != header->footer_offset ||
			    footer.records != 0)) {
		rc = err_set(err, ST_EFORMAT, "does not list what is before it");
	}
	if (rc == ST_OK) {
		take_filter(file, &footer, bytes + prelude.header_len);
	}
	return rc;
}

static void forget_blocks(struct blockfile *file)
{
	for (size_t i = 0; i < file->blocks->len; i++) {
		flowblock_release(&blockfile_at(file, i)->block);
	}
	g_array_set_size(file->blocks, 0);
}

/* *found: the blocks are those of the footer. Damage is told, and is no failure. */
static int read_footer(struct blockfile *file, struct window *window, size_t header_len,
		       bool *found, struct err *err)
{
	const struct blockfile_header *header = &file->header;
	const uint8_t *bytes = NULL;
	struct err reason = { 0 };
	int rc;

	*found = false;
	if (header->footer_offset == 0 && header->footer_len == 0) {
		return ST_OK;
	}
	if (header->footer_offset < header_len || header->footer_offset > file->size ||
	    header->footer_len > file->size - header->footer_offset ||
	    header->footer_len < FLOWBLOCK_PRELUDE_BYTES + CHECKSUM_BYTES) {
		add_damage(file, "%s: footer: is not there", file->path);
		return ST_OK;
	}
	rc = window_view(window, header->footer_offset, header->footer_len, &bytes, err);
	if (rc != ST_OK) {
		return rc;
	}
	*found = parse_footer(file, bytes, header_len, &reason) == ST_OK;
	if (!*found) {
		forget_blocks(file);
		add_damage(file, "%s: footer: %s", file->path, reason.text);
	}
	return ST_OK;
}

static void sum_up(struct blockfile *file)
{
	for (size_t i = 0; i < file->blocks->len; i++) {
		summary_add(&file->summary, &blockfile_at(file, i)->block.summary);
	}
}

int blockfile_find_blocks(struct blockfile *file, struct err *err)
{
	struct window window = { .file = file, .ahead = FIRST_BYTES };
	struct scan scan = { .file = file, .window = &window };
	size_t header_len = 0;
	size_t listed = 0;
	bool has_footer = false;
	int rc = read_header(file, &window, &header_len, err);

	if (rc == ST_OK) {
		rc = read_footer(file, &window, header_len, &has_footer, err);
	}
	scan.at = rc == ST_OK ? header_len : 0;
	if (has_footer) {
		listed = file->blocks->len;
		scan.at = file->header.footer_offset + file->header.footer_len;
		file->listed_end = scan.at;
	} else {
		window.ahead = AHEAD_BYTES;
	}
	scan.number = listed;
	file->end = scan.at;
	while (rc == ST_OK && scan.at < file->size) {
		rc = scan_section(&scan, err);
	}
	/* A writer has cut off a torn tail since. */
	if (rc == ST_ETRUNC && scan.at > 0) {
		file->torn = file->size - scan.at;
		rc = ST_OK;
	}
	file->sealed = has_footer && scan.number == listed;
	sum_up(file);
	if (file->sealed && file->filter != NULL) {
		file->summary.filter = file->filter;
		file->summary.filter_size = file->filter_len;
	}
	g_free(window.bytes);
	return rc;
}
