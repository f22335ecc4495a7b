/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A row is taken as words of eight bytes, of each of which one run of bytes is kept, so that
 * packing is a shift and unpacking is a shift and a mask, without a branch. Where the processor can,
 * all words of 64 bytes are done at once (rowvector.h).
 */
#include "query/rowform.h"

#include <endian.h>
#include <string.h>

#include <glib.h>

#include "query/rowvector.h"

#define WORD 8
/* Rows looked at to choose a form. */
#define SAMPLE 128
/* A byte that more rows of a sample than this have another value for is kept. */
#define EXCEPTIONS_MAX (SAMPLE / 4)

struct word {
	uint64_t kept;   /* the bits that are in packed rows */
	uint64_t fixed;  /* the other bits of the row */
	uint64_t common; /* what those are */
	size_t at;       /* place in packed rows */
	unsigned shift;  /* bits below the kept ones */
};

struct rowform {
	int owners; /* atomic */
	size_t row_size;
	size_t size;
	size_t word_count;
	size_t vector_count; /* 0: go by words */
	struct rowvector *vectors;
	uint8_t *common; /* of them */
	struct word words[];
};

static uint64_t load_word(const uint8_t *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
	return le64toh(word);
}

static void store_word(uint8_t *to, uint64_t word)
{
	word = htole64(word);
	memcpy(to, &word, sizeof(word));
}

size_t rowform_size(const struct rowform *form)
{
	return form->size;
}

bool rowform_pack(const struct rowform *form, const uint8_t *row, uint8_t *packed)
{
	uint64_t differs = 0;

	if (form->vector_count > 0) {
		return rowvector_pack(form->vectors, form->vector_count, row, packed);
	}
	/* what is written too much is overwritten by the next word */
	for (size_t i = 0; i < form->word_count; i++, row += WORD) {
		const struct word *word = &form->words[i];
		uint64_t bits = load_word(row);

		differs |= (bits ^ word->common) & word->fixed;
		store_word(packed + word->at, bits >> word->shift);
	}
	return differs == 0;
}

static uint64_t unpack_word(const struct word *word, const uint8_t *packed)
{
	return (load_word(packed + word->at) << word->shift & word->kept) | word->common;
}

void rowform_unpack(const struct rowform *form, const uint8_t *packed, size_t begin, size_t end,
		    uint8_t *row)
{
	if (form->vector_count > 0) {
		rowvector_unpack(form->vectors, packed, begin, end, row);
		return;
	}
	for (size_t i = begin / WORD; i * WORD < end; i++) {
		store_word(row + i * WORD, unpack_word(&form->words[i], packed));
	}
}

void rowform_unpack_end(const struct rowform *form, const uint8_t *packed, size_t from,
			uint8_t *out)
{
	if (form->vector_count > 0) {
		rowvector_unpack_end(form->vectors, form->row_size, packed, from, out);
		return;
	}
	for (size_t i = from / WORD; i < form->word_count; i++, out += WORD) {
		store_word(out, unpack_word(&form->words[i], packed));
	}
}

/* ---- choosing ---- */

struct sample {
	const uint8_t *rows[SAMPLE];
	size_t count;
};

static void take_sample(struct sample *sample, const uint8_t *rows, size_t row_size, size_t count)
{
	sample->count = MIN(count, SAMPLE);
	for (size_t i = 0; i < sample->count; i++) {
		sample->rows[i] = rows + i * count / sample->count * row_size;
	}
}

static bool fits(const struct rowform *form, const uint8_t *row)
{
	uint64_t differs = 0;

	for (size_t i = 0; i < form->word_count; i++, row += WORD) {
		differs |= (load_word(row) ^ form->words[i].common) & form->words[i].fixed;
	}
	return differs == 0;
}

/* Bytes of a row, on the average. */
static double cost_of_sample(const struct rowform *form, const struct sample *sample)
{
	size_t fitting = 0;

	for (size_t i = 0; i < sample->count; i++) {
		fitting += fits(form, sample->rows[i]);
	}
	return (double)(fitting * form->size + (sample->count - fitting) * form->row_size) /
	       (double)sample->count;
}

double rowform_cost(const struct rowform *form, const uint8_t *rows, size_t count)
{
	struct sample sample;

	take_sample(&sample, rows, form->row_size, count);
	return cost_of_sample(form, &sample);
}

/* The value that most rows have in a byte, if any has a majority; returns how many have another. */
static size_t find_common(const struct sample *sample, size_t at, uint8_t *common)
{
	size_t lead = 0;
	size_t others = 0;

	for (size_t i = 0; i < sample->count; i++) {
		uint8_t value = sample->rows[i][at];

		if (lead == 0) {
			*common = value;
		}
		lead += value == *common ? 1 : (size_t)-1;
	}
	for (size_t i = 0; i < sample->count; i++) {
		others += sample->rows[i][at] != *common;
	}
	return others;
}

/* Bytes first..last of the word are kept; of those left out, common are the values. */
static void set_word(struct rowform *form, size_t i, const uint8_t *common, const size_t *others,
		     size_t exceptions)
{
	size_t bytes = MIN(form->row_size - i * WORD, WORD);
	size_t first = 0, end = bytes;
	struct word *word = &form->words[i];
	uint8_t values[WORD] = { 0 };

	while (first < end && others[i * WORD + first] <= exceptions) {
		first++;
	}
	while (end > first && others[i * WORD + end - 1] <= exceptions) {
		end--;
	}
	memcpy(values, common + i * WORD, bytes);
	word->shift = first < WORD ? 8 * (unsigned)first : 0;
	word->kept = end - first == WORD ? UINT64_MAX
					 : ((UINT64_C(1) << 8 * (end - first)) - 1) << word->shift;
	word->fixed = (bytes < WORD ? (UINT64_C(1) << 8 * bytes) - 1 : UINT64_MAX) & ~word->kept;
	word->common = load_word(values) & word->fixed;
	word->at = form->size;
	form->size += end - first;
}

static void set_words(struct rowform *form, const uint8_t *common, const size_t *others,
		      size_t exceptions)
{
	form->size = 0;
	for (size_t i = 0; i < form->word_count; i++) {
		set_word(form, i, common, others, exceptions);
	}
}

static void set_vectors(struct rowform *form)
{
	size_t count = (form->row_size + ROWVECTOR_BYTES - 1) / ROWVECTOR_BYTES;

	if (!rowvector_available()) {
		return;
	}
	form->vector_count = count;
	form->vectors = g_new0(struct rowvector, count + 1);
	form->common = g_malloc0((count + 1) * ROWVECTOR_BYTES);
	for (size_t i = 0; i < form->word_count; i++) {
		const struct word *word = &form->words[i];
		struct rowvector *vector = &form->vectors[i * WORD / ROWVECTOR_BYTES];

		for (unsigned b = 0; b < WORD; b++) {
			const uint64_t byte = UINT64_C(1) << (i * WORD + b) % ROWVECTOR_BYTES;

			vector->kept |= word->kept >> 8 * b & 1 ? byte : 0;
			vector->fixed |= word->fixed >> 8 * b & 1 ? byte : 0;
		}
		if (i * WORD % ROWVECTOR_BYTES == 0) {
			vector->at = (uint32_t)word->at;
			vector->common = form->common + i * WORD;
		}
		store_word(form->common + i * WORD, word->common);
	}
}

void rowform_use_words(struct rowform *form)
{
	form->vector_count = 0;
}

struct rowform *rowform_choose(const uint8_t *rows, size_t row_size, size_t count)
{
	size_t word_count = (row_size + WORD - 1) / WORD;
	struct rowform *form = g_malloc0(sizeof(struct rowform) + word_count * sizeof(struct word));
	uint8_t *common = g_malloc(row_size);
	size_t *others = g_new(size_t, row_size);
	size_t best = 0;
	double best_cost = 0;
	struct sample sample;

	form->owners = 1;
	form->row_size = row_size;
	form->word_count = word_count;
	take_sample(&sample, rows, row_size, count);
	for (size_t at = 0; at < row_size; at++) {
		others[at] = find_common(&sample, at, &common[at]);
	}
	for (size_t exceptions = 0; exceptions <= EXCEPTIONS_MAX; exceptions++) {
		double cost;

		set_words(form, common, others, exceptions);
		cost = cost_of_sample(form, &sample);
		if (exceptions == 0 || cost < best_cost) {
			best = exceptions;
			best_cost = cost;
		}
	}
	set_words(form, common, others, best);
	set_vectors(form);
	g_free(common);
	g_free(others);
	return form;
}

struct rowform *rowform_hold(struct rowform *form)
{
	__atomic_add_fetch(&form->owners, 1, __ATOMIC_RELAXED);
	return form;
}

void rowform_free(struct rowform *form)
{
	if (form && __atomic_sub_fetch(&form->owners, 1, __ATOMIC_ACQ_REL) == 0) {
		g_free(form->vectors);
		g_free(form->common);
		g_free(form);
	}
}
