/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Between predicate.c, which runs tests, and predicatetable.c, which lists the switches: one row
 * per switch, how its text is compiled and which loop narrows with the result.
 */
#ifndef TUSSAH_QUERY_PREDICATEROW_H
#define TUSSAH_QUERY_PREDICATEROW_H

#include <glib.h>

#include "common/cidr.h"
#include "common/timestamp.h"
#include "common/wildcard.h"
#include "query/conficker.h"
#include "query/predicate.h"
#include "query/tuple.h"
#include "storage/ipset.h"
#include "storage/pmap.h"

struct predicate;

/* Keep the rows of selection[0..count) that pass, in order; returns how many. */
typedef uint32_t (*predicate_narrow_fn)(const struct predicate *test, const struct batch *batch,
					uint16_t *selection, uint32_t count);

/* What the test says of all records of a summary. */
typedef enum predicates_verdict (*predicate_judge_fn)(const struct predicate *test,
						      const struct summary *summary);

/* What tests cost, cheapest first; the order in which they run. */
enum predicate_cost {
	PREDICATE_COST_BYTE,   /* a look into 256 bytes */
	PREDICATE_COST_NUMSET, /* a look into 8 kB, and short numbers to read */
	PREDICATE_COST_RANGE,  /* two comparisons of long ones */
	PREDICATE_COST_BLOCK,  /* two comparisons of addresses */
	PREDICATE_COST_RATIO,  /* a division */
	PREDICATE_COST_WILDCARD,
	PREDICATE_COST_IPSET,  /* a search */
	PREDICATE_COST_TUPLES, /* one or two, of wider keys */
	PREDICATE_COST_EXPR,   /* whatever an expression asks */
};

enum predicate_flags {
	PREDICATE_NEGATED = 1 << 0, /* the not- form */
	PREDICATE_MERGES = 1 << 1,  /* may be repeated: what passes one of them passes */
};

struct predicate_row {
	const char *name;
	int (*compile)(struct predicate *test, const char *text, struct err *err);
	enum column column; /* the first column that is looked at */
	enum column other;  /* the second; same as column when there is none */
	uint8_t bits;       /* flags of the single-flag switches */
	unsigned flags;
};

struct predicate {
	const struct predicate_row *row;
	struct predicate_row own_row; /* where row is no row of a table */
	predicate_narrow_fn narrow;
	predicate_judge_fn judge; /* since predicate_prepare() */
	uint64_t *hashes;         /* of its few addresses; owned; NULL: of others, or too many */
	size_t hash_count;
	struct number_range numbers; /* ends of a list of numbers, since predicate_prepare() */
	struct cidr bounds;          /* of a wildcard, since predicate_prepare() */
	struct cidr *ranges;         /* of a set that has not too many; owned; NULL: of others */
	size_t range_count;
	enum predicate_cost cost;
	uint32_t columns;
	uint64_t zero_ns; /* what a rate is divided by when the flow took no time */
	bool extensions;  /* the batch must hold extension columns */
	void (*release)(struct predicate *test); /* NULL: the kind is one that all know */
	union {
		uint8_t pass[256];     /* by the value of a byte column: 1 or 0 */
		struct numset *numset; /* owned */
		struct number_range range;
		struct real_range ratio;
		struct {
			int64_t first_ns;
			int64_t last_ns;
		};
		struct {
			struct conficker_seed seed;
			unsigned ends; /* enum conficker_ends */
		};
		struct cidr block;
		struct wildcard *wildcard; /* owned */
		struct ipset *ipset;       /* owned */
		struct tuples *tuples;     /* owned */
		uint8_t *ports;            /* owned; a bit by protocol and port */
		GHashTable *keys;          /* owned; numbers as pointers */
		struct wherenode *node;    /* owned; of an expression */
		struct wherevalue *value;  /* owned; a test of an expression that has no loop */
	};
};

extern const struct predicate_row predicate_row_table[];
extern const size_t predicate_row_count;

/*
 * The loops. Each takes its columns from the row, so the same loop serves sport and dport; those
 * ending in _either look at two columns and pass when one of them does.
 */
uint32_t predicate_narrow_byte(const struct predicate *test, const struct batch *batch,
			       uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_u16(const struct predicate *test, const struct batch *batch,
			      uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_u16_either(const struct predicate *test, const struct batch *batch,
				     uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_u32(const struct predicate *test, const struct batch *batch,
			      uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_u32_either(const struct predicate *test, const struct batch *batch,
				     uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_u64(const struct predicate *test, const struct batch *batch,
			      uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_per_packet(const struct predicate *test, const struct batch *batch,
				     uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_per_second(const struct predicate *test, const struct batch *batch,
				     uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_start(const struct predicate *test, const struct batch *batch,
				uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_end(const struct predicate *test, const struct batch *batch,
			      uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_active(const struct predicate *test, const struct batch *batch,
				 uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_icmp_type(const struct predicate *test, const struct batch *batch,
				    uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_icmp_code(const struct predicate *test, const struct batch *batch,
				    uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_block(const struct predicate *test, const struct batch *batch,
				uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_wildcard(const struct predicate *test, const struct batch *batch,
				   uint16_t *selection, uint32_t count);
uint32_t predicate_narrow_ipset(const struct predicate *test, const struct batch *batch,
				uint16_t *selection, uint32_t count);

uint32_t predicate_narrow_tuples(const struct predicate *test, const struct batch *batch,
				 uint16_t *selection, uint32_t count);

/* Of query/predicateflow.c. */
int predicate_compile_payload(struct predicate *test, const char *text, struct err *err);
int predicate_compile_payload_rate(struct predicate *test, const char *text, struct err *err);
int predicate_compile_flowkey(struct predicate *test, const char *text, struct err *err);

/* Of query/predicatemap.c. */
int predicate_compile_country(struct predicate *test, const char *text, struct err *err);
int predicate_compile_address_type(struct predicate *test, const char *text, struct err *err);

/* Most addresses that an address filter is asked about; with more, one is found nearly always. */
#define PREDICATE_HASHES_MAX 32

/* Most ranges that are listed beside a set. */
#define PREDICATE_RANGES_MAX 65536

const struct predicate *predicates_at(const struct predicates *tests, size_t i);

/* Make ready for judging, once: sets judge, unless it is set, and the hashes, bounds and ranges. */
void predicate_prepare(struct predicate *test);

/* Append a test, compiled by the caller; row is kept. */
struct predicate *predicates_append(struct predicates **tests, const struct predicate_row *row);

/* The same of one that is made already; test is taken. */
void predicates_take(struct predicates **tests, struct predicate *test);

/* The batch is to hold this extension column when it is narrowed. */
void predicates_want_extension(struct predicates *tests, struct ie_key key);

/* The last nanosecond that a point in time of this precision, written text, stands for. */
int64_t predicate_window_end(int64_t ns, enum timestamp_precision precision, const char *text);

/* Whole milliseconds of a number of seconds; what a double lacks to 1.001 is forgiven. */
uint64_t predicate_floor_ms(double seconds);

/* The addresses that have one of these values, numbers as pointers, in a map. Returned. */
struct ipset *predicate_map_addresses(const struct pmap *pmap, GHashTable *values);
/* A bit by protocol and port; g_free(). And the test of ports by it, which takes it. */
uint8_t *predicate_map_ports(const struct pmap *pmap, GHashTable *values);
void predicate_set_ports(struct predicate *test, uint8_t *ports);

/* Zero by zero is in every range, as SiLK has it; what is divided by zero is in open ranges. */
static inline bool predicate_in_ratio(const struct real_range *range, double value)
{
	return !(value < range->first) && !(value > range->last);
}

/* Compile text for the row; test->row is set. Frees nothing on failure but what it made. */
int predicate_compile(struct predicate *test, const char *text, struct err *err);
/* Free what the test owns. */
void predicate_release(struct predicate *test);

#endif
