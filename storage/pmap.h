/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A prefix map: every address (IPv4 or IPv6), or every pair of protocol and port, has one value,
 * and a value may have a word; and SiLK's files of them (silk-set-bag-pmap-files.md section 4).
 * Immutable once read or built, and then any number of threads may ask.
 *
 *	struct pmap *pmap = pmap_new(PMAP_IPV4);
 *	uint32_t value;
 *	pmap_add_word(pmap, "office", &value, err);
 *	pmap_add_range(pmap, ip_from_v4(0x0a000000), ip_from_v4(0x0affffff), value, err);
 *	puts(pmap_text(pmap, pmap_lookup_ip(pmap, ip), digits));
 *	pmap_free(pmap);
 *
 * A country map is one without words whose values are codes of storage/country.h.
 */
#ifndef TUSSAH_STORAGE_PMAP_H
#define TUSSAH_STORAGE_PMAP_H

#include "common/ip.h"
#include "storage/header.h"

enum pmap_kind {
	PMAP_IPV4,
	PMAP_IPV6,
	PMAP_PROTO_PORT,
};

/* Values are 0..PMAP_VALUE_MAX; PMAP_NO_VALUE is what a key has that nobody gave one. */
#define PMAP_VALUE_MAX UINT32_C(0x7ffffffe)
#define PMAP_NO_VALUE  UINT32_C(0x7fffffff)
#define PMAP_TEXT_MAX  12 /* a value as a decimal number, with its NUL */

/* A run of keys with one value. Keys of PMAP_PROTO_PORT are those of pmap_port_key(). */
struct pmap_range {
	struct ip first; /* inclusive */
	struct ip last;  /* inclusive */
	uint32_t value;
};

struct pmap;

/* Everything has PMAP_NO_VALUE. */
struct pmap *pmap_new(enum pmap_kind kind);
void pmap_free(struct pmap *pmap);

enum pmap_kind pmap_kind(const struct pmap *pmap);
/* Turn a map without ranges into one of another kind. */
void pmap_set_kind(struct pmap *pmap, enum pmap_kind kind);
/* The name of the map; NULL: it has none. Borrowed. */
const char *pmap_name(const struct pmap *pmap);
void pmap_set_name(struct pmap *pmap, const char *name); /* copied; NULL: none */

static inline struct ip pmap_port_key(uint8_t protocol, uint16_t port)
{
	return (struct ip){ 0, (uint64_t)protocol << 16 | port };
}

/* --- asking --- */

/*
 * The value of an address, IPv4 in mapped form. PMAP_NO_VALUE: it has none, it is an IPv6 address
 * and the map of IPv4, or the map is of PMAP_PROTO_PORT.
 */
uint32_t pmap_lookup_ip(const struct pmap *pmap, struct ip ip);
/* PMAP_NO_VALUE also in a map of addresses. */
uint32_t pmap_lookup_port(const struct pmap *pmap, uint8_t protocol, uint16_t port);
/*
 * The block of 2^n keys around key that the tree knows as one, of PMAP_PROTO_PORT up to 255/65535
 * only; neighbours may have the same value. false: the map cannot hold the key; *out is then unset.
 */
bool pmap_lookup_block(const struct pmap *pmap, struct ip key, struct pmap_range *out);

/*
 * Walk all keys in ascending order as ranges, neighbours with the same value joined; of
 * PMAP_PROTO_PORT up to 255/65535 only. Stops when fn returns non-zero, and returns that.
 */
typedef int (*pmap_range_fn)(void *arg, const struct pmap_range *range);
int pmap_each_range(const struct pmap *pmap, pmap_range_fn fn, void *arg);

/* --- words --- */

/* Values below have a word or are a hole among the words; 0: the map has no words. */
uint32_t pmap_word_limit(const struct pmap *pmap);
/* The word of a value; NULL: it has none. Borrowed. */
const char *pmap_word(const struct pmap *pmap, uint32_t value);
/* The value of a word, upper and lower case being the same; false: not there. */
bool pmap_find_word(const struct pmap *pmap, const char *word, uint32_t *value);
/* Bytes of the longest word. */
size_t pmap_word_bytes_max(const struct pmap *pmap);
/*
 * A value as SiLK shows it: its word, "" for a hole among the words, "UNKNOWN" for PMAP_NO_VALUE,
 * else the number, written into digits.
 */
const char *pmap_text(const struct pmap *pmap, uint32_t value, char digits[PMAP_TEXT_MAX]);

/* --- building --- */

/*
 * Later ranges overwrite earlier ones. The nodes of the file tell the order in which ranges came.
 * Returns ST_OK, ST_EINVAL (first behind last, a key that the map cannot hold, a value over
 * PMAP_NO_VALUE) or ST_ELIMIT (more nodes than a file can have; some of the range may be in).
 */
int pmap_add_range(struct pmap *pmap, struct ip first, struct ip last, uint32_t value,
		   struct err *err);
/* What all keys have before the first range. */
void pmap_set_default(struct pmap *pmap, uint32_t value);
/*
 * The value of the word, which becomes the next value when it is new.
 * Returns ST_OK or ST_ELIMIT.
 */
int pmap_add_word(struct pmap *pmap, const char *word, uint32_t *value, struct err *err);
/*
 * Give the word, not "", to a value up to PMAP_NO_VALUE. Returns ST_OK, also when it has it,
 * ST_EEXIST (one of both is taken) or ST_EINVAL.
 */
int pmap_put_word(struct pmap *pmap, uint32_t value, const char *word, struct err *err);

/*
 * A map without words from count nodes as files have them: children for the key bits 0 and 1, each
 * the index of a node or, with bit 31 set, a value. Nodes are copied; those behind the first that
 * names a missing one do not count if none before needs them. Returns ST_OK, or ST_EFORMAT: not a
 * tree that a file of this kind can have.
 */
int pmap_from_tree(struct pmap **out, enum pmap_kind kind, const uint32_t (*nodes)[2], size_t count,
		   struct err *err);

/* --- files --- */

/*
 * Read a file of any record version (1 to 5); "-" or "stdin" allowed. header (may be NULL): filled
 * with the file's header; header_release() it, also after a failure. Errors name the path.
 * *out: pmap_free(); untouched on failure. Returns ST_OK, ST_ENOENT, ST_EIO, ST_EFORMAT (not a
 * prefix map, or damaged), ST_ETRUNC, ST_EVERSION. Memory taken is bounded by the bytes there are.
 */
int pmap_read(struct pmap **out, const char *path, struct header *header, struct err *err);
/* As pmap_read, from where src stands; src is kept by the caller. */
int pmap_read_from(struct pmap **out, struct bytesource *src, struct header *header,
		   struct err *err);

struct pmap_write_opts {
	bool no_silk_version;
	const struct header *entries; /* notes and invocations; borrowed; may be NULL */
	bool overwrite;
};
/*
 * Write the same bytes as SiLK for the same building: version 2, 3 or 4, or without words 1 or 5.
 * "-" or "stdout" allowed. Returns ST_OK, ST_ELIMIT (words too large for a file), ST_EEXIST,
 * ST_EIO.
 */
int pmap_write(const struct pmap *pmap, const char *path, const struct pmap_write_opts *opts,
	       struct err *err);
/* As pmap_write, into sink, which stays open. */
int pmap_write_to(const struct pmap *pmap, struct bytesink *sink,
		  const struct pmap_write_opts *opts, struct err *err);

#endif
