/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/pmap.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* --- maps from text --- */

/* Statements separated by ';': "w WORD", "l VALUE WORD", "d VALUE", "n NAME", "FIRST LAST VALUE".
 */
static void apply(struct pmap *pmap, char *statement)
{
	char **words = g_strsplit(g_strstrip(statement), " ", -1);
	uint32_t value;

	if (strcmp(words[0], "w") == 0) {
		CU_ASSERT_EQUAL(pmap_add_word(pmap, strchr(statement, ' ') + 1, &value, NULL),
				ST_OK);
	} else if (strcmp(words[0], "l") == 0) {
		value = (uint32_t)g_ascii_strtoull(words[1], NULL, 0);
		CU_ASSERT_EQUAL(pmap_put_word(pmap, value, words[2], NULL), ST_OK);
	} else if (strcmp(words[0], "d") == 0) {
		pmap_set_default(pmap, (uint32_t)g_ascii_strtoull(words[1], NULL, 0));
	} else if (strcmp(words[0], "n") == 0) {
		pmap_set_name(pmap, words[1]);
	} else {
		struct ip ends[2];
		bool is_v6;

		for (int i = 0; i < 2; i++) {
			if (pmap_kind(pmap) == PMAP_PROTO_PORT) {
				ends[i] = (struct ip){ 0, g_ascii_strtoull(words[i], NULL, 0) };
			} else {
				CU_ASSERT_EQUAL(ip_parse(words[i], &ends[i], &is_v6, NULL), ST_OK);
			}
		}
		value = (uint32_t)g_ascii_strtoull(words[2], NULL, 0);
		CU_ASSERT_EQUAL(pmap_add_range(pmap, ends[0], ends[1], value, NULL), ST_OK);
	}
	g_strfreev(words);
}

static struct pmap *map_of(enum pmap_kind kind, const char *text)
{
	struct pmap *pmap = pmap_new(kind);
	char **statements = g_strsplit(text, ";", -1);

	for (char **statement = statements; *statement; statement++) {
		apply(pmap, *statement);
	}
	g_strfreev(statements);
	return pmap;
}

static GByteArray *written(const struct pmap *pmap)
{
	const struct pmap_write_opts opts = { 0 };
	struct bytesink *sink = bytesink_memory("memory");
	GByteArray *bytes = g_byte_array_new();
	const uint8_t *at;
	size_t len;

	CU_ASSERT_EQUAL(pmap_write_to(pmap, sink, &opts, NULL), ST_OK);
	at = bytesink_bytes(sink, &len);
	g_byte_array_append(bytes, at, (guint)len);
	bytesink_close(sink, NULL);
	return bytes;
}

static int read_bytes(struct pmap **out, const void *bytes, size_t len, struct err *err)
{
	struct bytesource *src = bytesource_memory(bytes, len, "memory");
	int status = pmap_read_from(out, src, NULL, err);

	bytesource_close(src);
	return status;
}

static int print_range(void *arg, const struct pmap_range *range)
{
	g_string_append_printf(arg,
			       "%" G_GINT64_MODIFIER "x:%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER
			       "x:%" G_GINT64_MODIFIER "x=%u ",
			       range->first.hi, range->first.lo, range->last.hi, range->last.lo,
			       range->value);
	return 0;
}

static char *ranges_of(const struct pmap *pmap)
{
	GString *text = g_string_new("");

	CU_ASSERT_EQUAL(pmap_each_range(pmap, print_range, text), 0);
	return g_string_free(text, FALSE);
}

/* --- files --- */

static const struct vector {
	const char *name;
	enum pmap_kind kind;
	const char *text;
	const char *hex;
} vectors[] = {
	{ "version 2", PMAP_IPV4,
	  "n demo;w other;d 0;w lab;128.0.0.0 191.255.255.255 1;w Lab two;"
	  "192.0.0.0 223.255.255.255 2",
	  "deadbeef00251000002e1cb100010002000000050000001100000001"
	  "64656d6f000000000000000008030000000000008001000000010000"
	  "80020000000200008000000080120000006f74686572006c6162004c"
	  "61622074776f00" },
	{ "version 3", PMAP_PROTO_PORT, "w UNKNOWN;d 0;w tcp;0x60000 0x6ffff 1",
	  "deadbeef00251000002e1cb1000100030000000000000008"
	  "1000000001000000000000800200000000000080030000000000008004000000"
	  "0000008005000000000000800600000000000080070000000000008008000000"
	  "00000080090000000000008"
	  "00a000000000000800b000000000000800c000000000000800d00000000000080"
	  "000000800e000000000000800f00000001000080000000800c000000"
	  "554e4b4e4f574e0074637000" },
	{ "version 4", PMAP_IPV6,
	  "l 0 a;l 2 c;w UNKNOWN;d 3;8000:: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2;"
	  "4000:: 7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 0",
	  "deadbeef00251000002e1cb1000100040000000000000008"
	  "02000000010000000200008003000080000000800d0000006100006300554e4b4e4f574e00" },
	{ "version 1", PMAP_IPV4, "d 0x2d2d;128.0.0.0 191.255.255.255 0x7573",
	  "deadbeef00251000002e1cb1000100010000000000000008"
	  "020000002d2d008001000000737500802d2d0080" },
	{ "version 5", PMAP_IPV6, "d 0x2d2d;8000:: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 0x6465",
	  "deadbeef00251000002e1cb1000100050000000000000008010000002d2d008065640080" },
};

/* Written by nobody: what readers must take. */
static const struct oddity {
	const char *name;
	const char *hex;
	const char *ranges; /* NULL: refused */
	int status;
	const char *error;
} oddities[] = {
	{ "big-endian",
	  "deadbeef01251000002e1cb1000100020000000000000008"
	  "0000000180000000800000010000000461006200",
	  "0:ffff00000000-0:ffff7fffffff=0 0:ffff80000000-0:ffffffffffff=1 ", ST_OK, "" },
	{ "legacy header",
	  "deadbeef00250200010000000000008001000080"
	  "00000000",
	  "0:ffff00000000-0:ffff7fffffff=0 0:ffff80000000-0:ffffffffffff=1 ", ST_OK, "" },
	{ "record length 2",
	  "deadbeef00251000002e1cb1000200010000000000000008"
	  "010000000000008001000080",
	  "0:ffff00000000-0:ffff7fffffff=0 0:ffff80000000-0:ffffffffffff=1 ", ST_OK, "" },
	{ "neighbours with one value",
	  "deadbeef00251000002e1cb1000100010000000000000008"
	  "02000000010000000500008005000080"
	  "05000080",
	  "0:ffff00000000-0:ffffffffffff=5 ", ST_OK, "" },
	{ "a node used twice",
	  "deadbeef00251000002e1cb1000100010000000000000008"
	  "0200000001000000010000000000008001000080",
	  "0:ffff00000000-0:ffff3fffffff=0 0:ffff40000000-0:ffff7fffffff=1 "
	  "0:ffff80000000-0:ffffbfffffff=0 0:ffffc0000000-0:ffffffffffff=1 ",
	  ST_OK, "" },
	{ "nodes after a bad one",
	  "deadbeef00251000002e1cb1000100010000000000000008"
	  "02000000000000800100008005000000"
	  "05000000",
	  "0:ffff00000000-0:ffff7fffffff=0 0:ffff80000000-0:ffffffffffff=1 ", ST_OK, "" },
	{ "bytes after the end",
	  "deadbeef00251000002e1cb1000100010000000000000008"
	  "010000000000008001000080ffff",
	  "0:ffff00000000-0:ffff7fffffff=0 0:ffff80000000-0:ffffffffffff=1 ", ST_OK, "" },
	{ "ports end at 255/65535",
	  "deadbeef00251000002e1cb1000100030000000000000008"
	  "01000000000000800100008000000000",
	  "0:0-0:ffffff=0 ", ST_OK, "" },
	{ "a last word without its end",
	  "deadbeef00251000002e1cb1000100020000000000000008"
	  "01000000000000800100008003000000610062",
	  "0:ffff00000000-0:ffff7fffffff=0 0:ffff80000000-0:ffffffffffff=1 ", ST_OK, "" },
	{ "holes at the end",
	  "deadbeef00251000002e1cb1000100020000000000000008"
	  "01000000000000800100008004000000610000"
	  "00",
	  "0:ffff00000000-0:ffff7fffffff=0 0:ffff80000000-0:ffffffffffff=1 ", ST_OK, "" },
	{ "a name of another layout",
	  "deadbeef00251000002e1cb100010001000000050000000e000000026100"
	  "0000000000000008010000000000008001000080",
	  "0:ffff00000000-0:ffff7fffffff=0 0:ffff80000000-0:ffffffffffff=1 ", ST_OK, "" },
	{ "another format",
	  "deadbeef00211000002e1cb1000100010000000000000008"
	  "010000000000008001000080",
	  NULL, ST_EFORMAT, "memory: not a prefix map file" },
	{ "version 0",
	  "deadbeef00251000002e1cb1000100000000000000000008"
	  "010000000000008001000080",
	  NULL, ST_EVERSION, "memory: prefix map version 0 is not known" },
	{ "version 6",
	  "deadbeef00251000002e1cb1000100060000000000000008"
	  "010000000000008001000080",
	  NULL, ST_EVERSION, "memory: prefix map version 6 is not known" },
	{ "compressed",
	  "deadbeef00251001002e1cb1000100010000000000000008"
	  "010000000000008001000080",
	  NULL, ST_EFORMAT, "memory: prefix maps cannot be compressed" },
	{ "no nodes", "deadbeef00251000002e1cb100010001000000000000000800000000", NULL, ST_EFORMAT,
	  "memory: prefix map of 0 nodes" },
	{ "too many nodes", "deadbeef00251000002e1cb10001000100000000000000080100008000000000",
	  NULL, ST_EFORMAT, "memory: prefix map of 2147483649 nodes" },
	{ "nodes that are not there",
	  "deadbeef00251000002e1cb1000100010000000000000008000000400000008001000080", NULL,
	  ST_ETRUNC, NULL },
	{ "words that are not there",
	  "deadbeef00251000002e1cb1000100020000000000000008"
	  "010000000000008001000080f0ffffff610062",
	  NULL, ST_ETRUNC, NULL },
	{ "no count of words",
	  "deadbeef00251000002e1cb1000100020000000000000008"
	  "010000000000008001000080",
	  NULL, ST_ETRUNC, NULL },
	{ "a circle",
	  "deadbeef00251000002e1cb1000100010000000000000008"
	  "010000000000000001000080",
	  NULL, ST_EFORMAT, "memory: the tree of the prefix map is too deep" },
	{ "a bad root",
	  "deadbeef00251000002e1cb1000100010000000000000008"
	  "010000000100000001000080",
	  NULL, ST_EFORMAT, "memory: node 0 of the prefix map names a missing one" },
	{ "a bad node that is used",
	  "deadbeef00251000002e1cb1000100010000000000000008"
	  "02000000010000000100008005000000"
	  "05000000",
	  NULL, ST_EFORMAT, "memory: node 1 of the prefix map names a missing one" },
	{ "a word twice",
	  "deadbeef00251000002e1cb1000100020000000000000008"
	  "0100000000000080010000800400000061004100",
	  NULL, ST_EFORMAT, "memory: word 'A' has the value 0" },
};

static GByteArray *bytes_of(const char *hex)
{
	GByteArray *bytes = g_byte_array_new();

	for (; *hex; hex += 2) {
		guint8 byte =
			(guint8)(g_ascii_xdigit_value(hex[0]) * 16 + g_ascii_xdigit_value(hex[1]));

		g_byte_array_append(bytes, &byte, 1);
	}
	return bytes;
}

static void test_vectors(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
		const struct vector *v = &vectors[i];
		GByteArray *bytes = bytes_of(v->hex);
		struct pmap *built = map_of(v->kind, v->text);
		GByteArray *output = written(built);
		struct pmap *read = NULL;
		struct err err = { 0 };

		unit_at("%s", v->name);
		CU_ASSERT_EQUAL(output->len, bytes->len);
		CU_ASSERT(output->len == bytes->len &&
			  memcmp(output->data, bytes->data, bytes->len) == 0);
		CU_ASSERT_EQUAL(read_bytes(&read, bytes->data, bytes->len, &err), ST_OK);
		UNIT_ASSERT_STR(err.text, "");
		if (read) {
			char *expected = ranges_of(built);
			char *actual = ranges_of(read);

			CU_ASSERT_EQUAL(pmap_kind(read), v->kind);
			UNIT_ASSERT_STR(actual, expected);
			CU_ASSERT_EQUAL(g_strcmp0(pmap_name(read), pmap_name(built)), 0);
			UNIT_ASSERT_U64(pmap_word_limit(read), pmap_word_limit(built));
			g_free(expected);
			g_free(actual);
		}
		pmap_free(read);
		pmap_free(built);
		g_byte_array_free(output, TRUE);
		g_byte_array_free(bytes, TRUE);
	}
}

static void test_oddities(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(oddities); i++) {
		const struct oddity *o = &oddities[i];
		GByteArray *bytes = bytes_of(o->hex);
		struct pmap *read = NULL;
		struct err err = { 0 };

		unit_at("%s", o->name);
		CU_ASSERT_EQUAL(read_bytes(&read, bytes->data, bytes->len, &err), o->status);
		if (o->error) {
			UNIT_ASSERT_STR(err.text, o->error);
		}
		CU_ASSERT_EQUAL(!read, !o->ranges);
		if (read && o->ranges) {
			char *ranges = ranges_of(read);

			UNIT_ASSERT_STR(ranges, o->ranges);
			g_free(ranges);
		}
		pmap_free(read);
		g_byte_array_free(bytes, TRUE);
	}
}

/* Every cut of every vector is an error. */
static void test_truncation(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
		GByteArray *bytes = bytes_of(vectors[i].hex);

		for (guint len = 0; len < bytes->len; len++) {
			/* an exact copy, so that the sanitizers see a read beyond the end */
			uint8_t *cut = g_memdup2(bytes->data, len);
			struct pmap *pmap = NULL;
			struct err err = { 0 };

			unit_at("%s cut at %u", vectors[i].name, len);
			CU_ASSERT_NOT_EQUAL(read_bytes(&pmap, cut, len, &err), ST_OK);
			CU_ASSERT(err.text[0] != '\0');
			CU_ASSERT_PTR_NULL(pmap);
			g_free(cut);
		}
		g_byte_array_free(bytes, TRUE);
	}
}

/* One byte changed everywhere in turn: any answer but a crash. */
static void test_damage(void)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x02, 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
		GByteArray *bytes = bytes_of(vectors[i].hex);

		for (guint at = 0; at < bytes->len; at++) {
			uint8_t old = bytes->data[at];

			for (size_t k = 0; k < G_N_ELEMENTS(values); k++) {
				struct pmap *pmap = NULL;
				struct err err = { 0 };
				int status;

				unit_at("%s byte %u", vectors[i].name, at);
				bytes->data[at] = values[k];
				status = read_bytes(&pmap, bytes->data, bytes->len, &err);
				CU_ASSERT_EQUAL(status != ST_OK, err.text[0] != '\0');
				if (pmap) {
					g_free(ranges_of(pmap));
				}
				pmap_free(pmap);
			}
			bytes->data[at] = old;
		}
		g_byte_array_free(bytes, TRUE);
	}
}

/* --- against a plain table --- */

#define CELLS 4096u

/* The keys of the window: base and then every 2^shift. */
struct window {
	enum pmap_kind kind;
	struct ip base;
	unsigned shift;
};

static const struct window windows[] = {
	{ PMAP_IPV4, { 0, IP_V4_PREFIX | 0x0a00ff00 }, 0 },
	{ PMAP_IPV4, { 0, IP_V4_PREFIX }, 20 },
	{ PMAP_IPV6, { UINT64_C(0x20010db800000000), UINT64_C(0xfffffffffffff800) }, 0 },
	{ PMAP_IPV6, { 0, 0 }, 58 },
	{ PMAP_IPV6, { 0, 0 }, 116 },
	{ PMAP_PROTO_PORT, { 0, 0x5f800 }, 0 },
	{ PMAP_PROTO_PORT, { 0, 0 }, 12 },
};

static struct ip cell_key(const struct window *window, uint32_t cell)
{
	unsigned __int128 key =
		ip_number(window->base) + ((unsigned __int128)cell << window->shift);

	return (struct ip){ (uint64_t)(key >> 64), (uint64_t)key };
}

static struct ip cell_last(const struct window *window, uint32_t cell)
{
	struct ip next = cell_key(window, cell + 1);

	return window->kind == PMAP_IPV4 && next.lo == IP_V4_PREFIX + (UINT64_C(1) << 32)
		       ? ip_from_v4(UINT32_MAX)
		       : ip_prev(next);
}

static uint32_t lookup(const struct pmap *pmap, struct ip key)
{
	if (pmap_kind(pmap) == PMAP_PROTO_PORT) {
		return pmap_lookup_port(pmap, (uint8_t)(key.lo >> 16), (uint16_t)key.lo);
	}
	return pmap_lookup_ip(pmap, key);
}

struct covering {
	const struct pmap *pmap;
	struct ip next; /* where the next range must begin */
	uint32_t value; /* of the range before */
	bool good;
};

static int cover(void *arg, const struct pmap_range *range)
{
	struct covering *covering = arg;

	covering->good = covering->good && ip_equal(range->first, covering->next) &&
			 ip_compare(range->first, range->last) <= 0 &&
			 range->value != covering->value &&
			 lookup(covering->pmap, range->first) == range->value &&
			 lookup(covering->pmap, range->last) == range->value;
	covering->next = ip_next(range->last);
	covering->value = range->value;
	return 0;
}

static void check_against(const struct pmap *pmap, const struct window *window,
			  const uint32_t *model)
{
	struct ip end = window->kind == PMAP_IPV4   ? ip_from_v4(UINT32_MAX)
			: window->kind == PMAP_IPV6 ? (struct ip){ UINT64_MAX, UINT64_MAX }
						    : pmap_port_key(255, 65535);
	struct covering covering = { .pmap = pmap, .value = UINT32_MAX, .good = true };
	struct pmap_range block;

	for (uint32_t cell = 0; cell < CELLS; cell++) {
		struct ip first = cell_key(window, cell);

		if (lookup(pmap, first) != model[cell] ||
		    lookup(pmap, cell_last(window, cell)) != model[cell] ||
		    !pmap_lookup_block(pmap, first, &block) || block.value != model[cell] ||
		    ip_compare(block.first, first) > 0 || ip_compare(first, block.last) > 0) {
			CU_FAIL("lookup");
			return;
		}
	}
	covering.next = window->kind == PMAP_IPV4 ? ip_from_v4(0) : (struct ip){ 0, 0 };
	CU_ASSERT_EQUAL(pmap_each_range(pmap, cover, &covering), 0);
	CU_ASSERT(covering.good);
	CU_ASSERT(ip_equal(ip_prev(covering.next), end));
}

static void test_random(void)
{
	static uint32_t model[CELLS];

	for (guint32 seed = 0; seed < 10 * G_N_ELEMENTS(windows); seed++) {
		const struct window *window = &windows[seed % G_N_ELEMENTS(windows)];
		GRand *rand = g_rand_new_with_seed(seed);
		struct pmap *pmap = pmap_new(window->kind);
		struct pmap *read = NULL;
		GByteArray *bytes;
		uint32_t value;

		unit_at("seed %u", seed);
		pmap_add_word(pmap, "word", &value, NULL);
		pmap_set_default(pmap, 9);
		for (uint32_t cell = 0; cell < CELLS; cell++) {
			model[cell] = 9;
		}
		for (guint32 i = 0; i < seed * 3; i++) {
			uint32_t first = (uint32_t)g_rand_int_range(rand, 0, CELLS);
			uint32_t len = (uint32_t)g_rand_int_range(rand, 0, i % 3 ? 30 : CELLS / 4);
			uint32_t last = MIN(first + len, CELLS - 1);

			value = (uint32_t)g_rand_int_range(rand, 0, 5);
			CU_ASSERT_EQUAL(pmap_add_range(pmap, cell_key(window, first),
						       cell_last(window, last), value, NULL),
					ST_OK);
			for (uint32_t cell = first; cell <= last; cell++) {
				model[cell] = value;
			}
		}
		check_against(pmap, window, model);
		bytes = written(pmap);
		CU_ASSERT_EQUAL_FATAL(read_bytes(&read, bytes->data, bytes->len, NULL), ST_OK);
		check_against(read, window, model);
		pmap_free(read);
		g_byte_array_free(bytes, TRUE);
		pmap_free(pmap);
		g_rand_free(rand);
	}
}

/* --- keys, words, refusals --- */

static void test_keys(void)
{
	struct pmap *v4 = map_of(PMAP_IPV4, "10.0.0.0 10.255.255.255 1;0.0.0.0 9.0.0.0 2");
	struct pmap *v6 = map_of(PMAP_IPV6, "2001:: 2001:ffff:: 1;10.0.0.0 10.0.0.9 2");
	struct pmap *ports = map_of(PMAP_PROTO_PORT, "0x60050 0x60050 3");
	const struct ip outside = { UINT64_C(0x2001000000000000), 5 };
	struct pmap_range block;

	UNIT_ASSERT_U64(pmap_lookup_ip(v4, ip_from_v4(0x0a010203)), 1);
	UNIT_ASSERT_U64(pmap_lookup_ip(v4, outside), PMAP_NO_VALUE);
	UNIT_ASSERT_U64(pmap_lookup_ip(v4, (struct ip){ 0, 0x0a010203 }), PMAP_NO_VALUE);
	UNIT_ASSERT_U64(pmap_lookup_port(v4, 6, 80), PMAP_NO_VALUE);
	CU_ASSERT(!pmap_lookup_block(v4, outside, &block));
	CU_ASSERT(pmap_lookup_block(v4, ip_from_v4(0x0a010203), &block));
	UNIT_ASSERT_U64(block.first.lo, IP_V4_PREFIX | 0x0a000000);
	UNIT_ASSERT_U64(block.last.lo, IP_V4_PREFIX | 0x0affffff);
	UNIT_ASSERT_U64(pmap_lookup_ip(v6, outside), 1);
	UNIT_ASSERT_U64(pmap_lookup_ip(v6, ip_from_v4(0x0a000003)), 2);
	UNIT_ASSERT_U64(pmap_lookup_port(ports, 6, 80), 3);
	UNIT_ASSERT_U64(pmap_lookup_port(ports, 6, 81), PMAP_NO_VALUE);
	UNIT_ASSERT_U64(pmap_lookup_ip(ports, ip_from_v4(0x60050)), PMAP_NO_VALUE);
	CU_ASSERT(!pmap_lookup_block(ports, (struct ip){ 0, 1u << 24 }, &block));
	CU_ASSERT(pmap_lookup_block(ports, pmap_port_key(6, 80), &block));
	UNIT_ASSERT_U64(block.last.lo, 0x60050);
	pmap_set_default(ports, 1);
	CU_ASSERT(pmap_lookup_block(ports, pmap_port_key(6, 80), &block));
	UNIT_ASSERT_U64(block.last.lo, 0xffffff);
	pmap_free(v4);
	pmap_free(v6);
	pmap_free(ports);
	pmap_free(NULL);
}

static void test_bad_ranges(void)
{
	static const struct {
		const char *name;
		enum pmap_kind kind;
		struct ip first;
		struct ip last;
		uint32_t value;
	} cases[] = {
		{ "backwards", PMAP_IPV6, { 0, 2 }, { 0, 1 }, 0 },
		{ "IPv6 into IPv4", PMAP_IPV4, { 0, 1 }, { 0, 2 }, 0 },
		{ "an end in IPv6", PMAP_IPV4, { 0, IP_V4_PREFIX }, { 1, 0 }, 0 },
		{ "protocol 256", PMAP_PROTO_PORT, { 0, 0 }, { 0, 1u << 24 }, 0 },
		{ "value", PMAP_IPV6, { 0, 0 }, { 0, 1 }, PMAP_NO_VALUE + 1 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct pmap *pmap = pmap_new(cases[i].kind);
		struct err err = { 0 };

		unit_at("%s", cases[i].name);
		CU_ASSERT_EQUAL(
			pmap_add_range(pmap, cases[i].first, cases[i].last, cases[i].value, &err),
			ST_EINVAL);
		UNIT_ASSERT_STR(err.text, "range or value does not fit the prefix map");
		pmap_free(pmap);
	}
}

static void test_words(void)
{
	struct pmap *pmap = pmap_new(PMAP_IPV4);
	char digits[PMAP_TEXT_MAX];
	uint32_t value;
	struct err err = { 0 };

	UNIT_ASSERT_U64(pmap_word_limit(pmap), 0);
	UNIT_ASSERT_STR(pmap_text(pmap, 0, digits), "0");
	CU_ASSERT_EQUAL(pmap_put_word(pmap, 7, "Seven", &err), ST_OK);
	CU_ASSERT_EQUAL(pmap_put_word(pmap, 2, "two", &err), ST_OK);
	CU_ASSERT_EQUAL(pmap_put_word(pmap, 0, "zero", &err), ST_OK);
	CU_ASSERT_EQUAL(pmap_put_word(pmap, 2, "TWO", &err), ST_OK);
	CU_ASSERT_EQUAL(pmap_put_word(pmap, 2, "other", &err), ST_EEXIST);
	UNIT_ASSERT_STR(err.text, "value 2 has the word 'two'");
	CU_ASSERT_EQUAL(pmap_put_word(pmap, 3, "SEVEN", &err), ST_EEXIST);
	UNIT_ASSERT_STR(err.text, "word 'SEVEN' has the value 7");
	CU_ASSERT_EQUAL(pmap_put_word(pmap, 3, "", &err), ST_EINVAL);
	CU_ASSERT_EQUAL(pmap_put_word(pmap, PMAP_NO_VALUE + 1, "x", &err), ST_EINVAL);
	CU_ASSERT_EQUAL(pmap_add_word(pmap, "seven", &value, &err), ST_OK);
	UNIT_ASSERT_U64(value, 7);
	CU_ASSERT_EQUAL(pmap_add_word(pmap, "eight", &value, &err), ST_OK);
	UNIT_ASSERT_U64(value, 8);
	UNIT_ASSERT_U64(pmap_word_limit(pmap), 9);
	UNIT_ASSERT_U64(pmap_word_bytes_max(pmap), 5);
	UNIT_ASSERT_STR(pmap_word(pmap, 7), "Seven");
	CU_ASSERT_PTR_NULL(pmap_word(pmap, 1));
	CU_ASSERT(pmap_find_word(pmap, "TWO", &value) && value == 2);
	CU_ASSERT(!pmap_find_word(pmap, "nine", &value));
	UNIT_ASSERT_STR(pmap_text(pmap, 2, digits), "two");
	UNIT_ASSERT_STR(pmap_text(pmap, 1, digits), "");
	UNIT_ASSERT_STR(pmap_text(pmap, 9, digits), "9");
	UNIT_ASSERT_STR(pmap_text(pmap, PMAP_VALUE_MAX, digits), "2147483646");
	UNIT_ASSERT_STR(pmap_text(pmap, PMAP_NO_VALUE, digits), "UNKNOWN");
	CU_ASSERT_EQUAL(pmap_put_word(pmap, PMAP_VALUE_MAX, "last", &err), ST_OK);
	CU_ASSERT_EQUAL(pmap_add_word(pmap, "one more", &value, &err), ST_ELIMIT);
	pmap_free(pmap);
}

/* Words longer than the pieces in which files are read and written, and holes. */
static void test_long_words(void)
{
	struct pmap *pmap = pmap_new(PMAP_IPV6);
	char *word = g_strnfill(200000, 'x');
	struct pmap *read = NULL;
	GByteArray *bytes;
	uint32_t value;

	pmap_add_word(pmap, word, &value, NULL);
	pmap_put_word(pmap, 300000, "end", NULL);
	bytes = written(pmap);
	CU_ASSERT_EQUAL_FATAL(read_bytes(&read, bytes->data, bytes->len, NULL), ST_OK);
	UNIT_ASSERT_U64(pmap_word_limit(read), 300001);
	UNIT_ASSERT_U64(pmap_word_bytes_max(read), 200000);
	CU_ASSERT_STRING_EQUAL(pmap_word(read, 0), word);
	UNIT_ASSERT_STR(pmap_word(read, 300000), "end");
	g_byte_array_free(bytes, TRUE);
	pmap_free(read);
	pmap_free(pmap);
	g_free(word);
}

static void test_from_tree(void)
{
#define LEAF(value) (UINT32_C(0x80000000) | (value))
	static const struct {
		const char *name;
		enum pmap_kind kind;
		size_t count;
		uint32_t nodes[3][2];
		const char *ranges; /* NULL: refused */
	} cases[] = {
		{ "one node",
		  PMAP_IPV6,
		  1,
		  { { LEAF(1), LEAF(2) } },
		  "0:0-7fffffffffffffff:ffffffffffffffff=1 "
		  "8000000000000000:0-ffffffffffffffff:ffffffffffffffff=2 " },
		{ "a tail",
		  PMAP_IPV4,
		  2,
		  { { LEAF(1), LEAF(1) }, { 7, 0 } },
		  "0:ffff00000000-0:ffffffffffff=1 " },
		{ "nothing", PMAP_IPV4, 0, { { 0 } }, NULL },
		{ "a missing node", PMAP_IPV4, 1, { { 1, LEAF(1) } }, NULL },
		{ "a circle", PMAP_IPV6, 2, { { 1, LEAF(1) }, { LEAF(1), 0 } }, NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct pmap *pmap = NULL;
		struct err err = { 0 };
		int status =
			pmap_from_tree(&pmap, cases[i].kind, cases[i].nodes, cases[i].count, &err);

		unit_at("%s", cases[i].name);
		CU_ASSERT_EQUAL(status, cases[i].ranges ? ST_OK : ST_EFORMAT);
		CU_ASSERT_EQUAL(status != ST_OK, err.text[0] != '\0');
		CU_ASSERT_EQUAL(pmap == NULL, cases[i].ranges == NULL);
		if (pmap && cases[i].ranges) {
			char *ranges = ranges_of(pmap);

			UNIT_ASSERT_STR(ranges, cases[i].ranges);
			g_free(ranges);
		}
		pmap_free(pmap);
	}
}

static int stop_at(void *arg, const struct pmap_range *range)
{
	unsigned *left = arg;

	return --*left == 0 ? (int)range->value : 0;
}

static void test_stop(void)
{
	struct pmap *pmap = map_of(PMAP_IPV4, "0.0.0.0 9.255.255.255 7;10.0.0.0 10.0.0.0 8");

	for (unsigned at = 1; at <= 3; at++) {
		static const int expected[] = { 0, 7, 8, (int)PMAP_NO_VALUE };
		unsigned left = at;

		unit_at("range %u", at);
		CU_ASSERT_EQUAL(pmap_each_range(pmap, stop_at, &left), expected[at]);
	}
	pmap_free(pmap);
}

static void test_paths(void)
{
	char *path = g_build_filename(unit_scratch(), "a.pmap", NULL);
	struct pmap *pmap = map_of(PMAP_IPV4, "w a;10.0.0.0 10.0.0.0 0;n name");
	struct pmap *read = NULL;
	struct header header;
	struct header entries;
	struct pmap_write_opts opts = { .no_silk_version = true, .entries = &entries };
	struct err err = { 0 };
	size_t pos = 0;

	header_init(&entries);
	header_add_text(&entries, ENTRY_ANNOTATION, "a note");
	CU_ASSERT_EQUAL(pmap_write(pmap, path, &opts, &err), ST_OK);
	CU_ASSERT_EQUAL(pmap_write(pmap, path, &opts, &err), ST_EEXIST);
	opts.overwrite = true;
	CU_ASSERT_EQUAL(pmap_write(pmap, path, &opts, &err), ST_OK);
	CU_ASSERT_EQUAL_FATAL(pmap_read(&read, path, &header, &err), ST_OK);
	UNIT_ASSERT_STR(pmap_name(read), "name");
	CU_ASSERT_EQUAL(header.record_version, 2);
	CU_ASSERT_EQUAL(header.silk_version, 0);
	CU_ASSERT_PTR_NOT_NULL(header_next(&header, ENTRY_ANNOTATION, &pos));
	pmap_free(read);
	header_release(&header);
	header_release(&entries);
	CU_ASSERT_EQUAL(pmap_read(&read, "/nope/x", &header, &err), ST_ENOENT);
	header_release(&header);
	pmap_free(pmap);
	g_free(path);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "vectors", test_vectors },
		{ "odd and damaged files", test_oddities },
		{ "truncated files", test_truncation },
		{ "bytes changed", test_damage },
		{ "random ranges", test_random },
		{ "keys", test_keys },
		{ "refused ranges", test_bad_ranges },
		{ "words", test_words },
		{ "long words and holes", test_long_words },
		{ "a tree from elsewhere", test_from_tree },
		{ "a walk that stops", test_stop },
		{ "paths and headers", test_paths },
		{ NULL, NULL },
	};

	return unit_run("pmap", cases);
}
