/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random numbers that are the same everywhere for the same seed, and the distributions that traffic
 * is made of.
 */
#ifndef TUSSAH_TESTS_PERF_RNG_H
#define TUSSAH_TESTS_PERF_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state[4]; /* xoshiro256** */
};

void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
double rng_unit(struct rng *rng);                                  /* in [0, 1) */
uint64_t rng_below(struct rng *rng, uint64_t count);               /* in [0, count); 0 of 0 */
uint64_t rng_between(struct rng *rng, uint64_t low, uint64_t top); /* both included */
bool rng_chance(struct rng *rng, double probability);
double rng_exponential(struct rng *rng, double mean);
double rng_lognormal(struct rng *rng, double median, double sigma);
/* 1 and up, of this mean. */
uint64_t rng_geometric(struct rng *rng, double mean);

/* A rank in [0, count) whose probability falls as rank^-exponent; from a uniform in [0, 1). */
uint64_t rng_zipf(double unit, uint64_t count, double exponent);

/* A number that depends on both and on nothing else: a trait of a thing that is not stored. */
uint64_t rng_mix(uint64_t a, uint64_t b);
/* The same as a uniform in [0, 1). */
double rng_mix_unit(uint64_t a, uint64_t b);

#endif
