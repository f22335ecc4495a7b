/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text of many chunks, with all kinds of lines, comes as it is and in its order. */
#include "query/addresscrew.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define LONGEST 511

struct seen {
	GString *text;     /* of all chunks */
	uint64_t sum;      /* of all addresses, with the place of each */
	uint64_t place;    /* of the next address */
	size_t stop_after; /* chunks */
	size_t chunks;
	bool split; /* a chunk but the last one did not end a line */
};

static int take(void *arg, const struct addresschunk *chunk, struct err *err)
{
	struct seen *seen = arg;

	seen->split = seen->split || (seen->text->len && !g_str_has_suffix(seen->text->str, "\n"));
	g_string_append_len(seen->text, chunk->text, (gssize)chunk->len);
	for (size_t i = 0; i < chunk->count; i++) {
		seen->sum += ++seen->place * (chunk->ips[i].lo & 0xffff);
	}
	if (++seen->chunks == seen->stop_after) {
		return err_set(err, ST_EINVAL, "enough");
	}
	return ST_OK;
}

static int read_text(struct seen *seen, const char *text, size_t len, struct err *err)
{
	struct bytesource *src = bytesource_memory(text, len, "text");
	int status = addresscrew_read(src, LONGEST, take, seen, err);

	bytesource_close(src);
	return status;
}

static struct seen seen_new(void)
{
	return (struct seen){ .text = g_string_new(NULL) };
}

/* Addresses that count up, in both notations. */
static GString *addresses(unsigned count, uint64_t *sum)
{
	GString *text = g_string_new(NULL);

	*sum = 0;
	for (unsigned i = 0; i < count; i++) {
		unsigned low = i & 0xffff;

		if (i % 3) {
			g_string_append_printf(text, "10.1.%u.%u\n", low >> 8, low & 255);
		} else {
			g_string_append_printf(text, "2001:db8::%x\n", low);
		}
		*sum += (uint64_t)(i + 1) * low;
	}
	return text;
}

static void test_addresses(void)
{
	static const unsigned counts[] = { 0, 1, 5000, 200000 };

	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
		uint64_t sum;
		GString *text = addresses(counts[i], &sum);
		struct seen seen = seen_new();

		unit_at("%u addresses", counts[i]);
		CU_ASSERT_EQUAL(read_text(&seen, text->str, text->len, NULL), ST_OK);
		CU_ASSERT(g_string_equal(seen.text, text));
		UNIT_ASSERT_U64(seen.place, counts[i]);
		UNIT_ASSERT_U64(seen.sum, sum);
		g_string_free(text, TRUE);
		g_string_free(seen.text, TRUE);
	}
}

/* Lines that are none, a last one without its newline, and one that does not fit in a chunk. */
static void test_other_lines(void)
{
	struct seen seen = seen_new();
	uint64_t sum;
	GString *text = addresses(30000, &sum);
	size_t cut;

	g_string_append(text, "# a comment\n10.0.0.1");
	CU_ASSERT_EQUAL(read_text(&seen, text->str, text->len, NULL), ST_OK);
	CU_ASSERT(g_string_equal(seen.text, text));
	CU_ASSERT_FALSE(seen.split);
	g_string_truncate(text, text->len - strlen("10.0.0.1"));
	cut = text->len + LONGEST;
	for (unsigned i = 0; i < 300000; i++) {
		g_string_append_c(text, 'x');
	}
	g_string_append(text, "\n10.0.0.2\n");
	g_string_truncate(seen.text, 0);
	CU_ASSERT_EQUAL(read_text(&seen, text->str, text->len, NULL), ST_OK);
	CU_ASSERT(seen.text->len > cut);
	CU_ASSERT(memcmp(seen.text->str, text->str, cut) == 0);
	CU_ASSERT(g_str_has_suffix(seen.text->str, "x\n10.0.0.2\n"));
	g_string_free(text, TRUE);
	g_string_free(seen.text, TRUE);
}

static void test_stopped(void)
{
	uint64_t sum;
	GString *text = addresses(200000, &sum);

	for (size_t after = 1; after < 20; after += 6) {
		struct seen seen = seen_new();
		struct err err;

		seen.stop_after = after;
		CU_ASSERT_EQUAL(read_text(&seen, text->str, text->len, &err), ST_EINVAL);
		CU_ASSERT_STRING_EQUAL(err.text, "enough");
		CU_ASSERT_EQUAL(seen.chunks, after);
		g_string_free(seen.text, TRUE);
	}
	g_string_free(text, TRUE);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "addresses in their order", test_addresses },
		{ "other lines", test_other_lines },
		{ "stopped by who takes them", test_stopped },
		{ NULL, NULL },
	};

	return unit_run("addresscrew", cases);
}
