/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/perf/rng.h"

#include <math.h>

/* splitmix64's step and finisher. */
static uint64_t scramble(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t rng_mix(uint64_t a, uint64_t b)
{
	return scramble(scramble(a) ^ b);
}

static double unit_of(uint64_t bits)
{
	return (double)(bits >> 11) * 0x1p-53;
}

double rng_mix_unit(uint64_t a, uint64_t b)
{
	return unit_of(rng_mix(a, b));
}

void rng_init(struct rng *rng, uint64_t seed)
{
	for (unsigned i = 0; i < 4; i++) {
		rng->state[i] = rng_mix(seed, i);
	}
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

uint64_t rng_next(struct rng *rng)
{
	uint64_t *s = rng->state;
	uint64_t out = rotate(s[1] * 5, 7) * 9;
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate(s[3], 45);
	return out;
}

double rng_unit(struct rng *rng)
{
	return unit_of(rng_next(rng));
}

uint64_t rng_below(struct rng *rng, uint64_t count)
{
	return (uint64_t)((unsigned __int128)rng_next(rng) * count >> 64);
}

uint64_t rng_between(struct rng *rng, uint64_t low, uint64_t top)
{
	return low + rng_below(rng, top - low + 1);
}

bool rng_chance(struct rng *rng, double probability)
{
	return rng_unit(rng) < probability;
}

double rng_exponential(struct rng *rng, double mean)
{
	return -mean * log(1.0 - rng_unit(rng));
}

double rng_lognormal(struct rng *rng, double median, double sigma)
{
	double radius = sqrt(-2.0 * log(1.0 - rng_unit(rng)));

	return median * exp(sigma * radius * cos(2.0 * M_PI * rng_unit(rng)));
}

uint64_t rng_geometric(struct rng *rng, double mean)
{
	return 1 + (uint64_t)rng_exponential(rng, mean - 1.0);
}

/* By inversion of the integral of x^-exponent from 1 to count + 1. */
uint64_t rng_zipf(double unit, uint64_t count, double exponent)
{
	double top = (double)count + 1.0;
	double slope = 1.0 - exponent;
	double x = fabs(slope) < 1e-9 ? pow(top, unit)
				      : pow(1.0 + unit * (pow(top, slope) - 1.0), 1.0 / slope);
	uint64_t rank = x < 1.0 ? 0 : (uint64_t)x - 1;

	return rank < count ? rank : count - 1;
}
