/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses as values, and their text forms. Parsing is in ipparse.c. */
#include "common/ip.h"

#include <string.h>
#include <glib.h>

#include "common/decimal.h"
#include "common/namelist.h"

static const char hex_digits[] = "0123456789abcdef";

static uint64_t load_be64(const uint8_t bytes[8])
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return GUINT64_FROM_BE(word);
}

static void store_be64(uint64_t word, uint8_t bytes[8])
{
	word = GUINT64_TO_BE(word);
	memcpy(bytes, &word, sizeof(word));
}

struct ip ip_from_bytes(const uint8_t bytes[16])
{
	return (struct ip){ .hi = load_be64(bytes), .lo = load_be64(bytes + 8) };
}

void ip_to_bytes(struct ip ip, uint8_t bytes[16])
{
	store_be64(ip.hi, bytes);
	store_be64(ip.lo, bytes + 8);
}

struct ip ip_next(struct ip ip)
{
	ip.lo++;
	ip.hi += ip.lo == 0;
	return ip;
}

struct ip ip_prev(struct ip ip)
{
	ip.hi -= ip.lo == 0;
	ip.lo--;
	return ip;
}

/* A word with ones in its last n bits, n 0..64. */
static uint64_t low_ones(unsigned n)
{
	return n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static struct ip host_mask(unsigned prefix_len)
{
	unsigned host_bits = 128 - MIN(prefix_len, 128);

	return (struct ip){
		.hi = low_ones(host_bits > 64 ? host_bits - 64 : 0),
		.lo = low_ones(MIN(host_bits, 64)),
	};
}

struct ip ip_block_first(struct ip ip, unsigned prefix_len)
{
	struct ip mask = host_mask(prefix_len);

	return (struct ip){ .hi = ip.hi & ~mask.hi, .lo = ip.lo & ~mask.lo };
}

struct ip ip_block_last(struct ip ip, unsigned prefix_len)
{
	struct ip mask = host_mask(prefix_len);

	return (struct ip){ .hi = ip.hi | mask.hi, .lo = ip.lo | mask.lo };
}

static char *print_dotted(char *p, uint32_t v4)
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		p += decimal_print(p, v4 >> shift & 0xff);
		*p++ = '.';
	}
	return p - 1;
}

static char *print_dotted_padded(char *p, uint32_t v4)
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		decimal_print_padded(p, v4 >> shift & 0xff, 3);
		p[3] = '.';
		p += 4;
	}
	return p - 1;
}

/* One 16-bit section without leading zeros. */
static char *print_section(char *p, unsigned section)
{
	if (section >= 0x1000) {
		*p++ = hex_digits[section >> 12];
	}
	if (section >= 0x100) {
		*p++ = hex_digits[section >> 8 & 15];
	}
	if (section >= 0x10) {
		*p++ = hex_digits[section >> 4 & 15];
	}
	*p++ = hex_digits[section & 15];
	return p;
}

static unsigned section_of(struct ip ip, int i)
{
	return (unsigned)((i < 4 ? ip.hi >> (48 - 16 * i) : ip.lo >> (112 - 16 * i)) & 0xffff);
}

/* The first of the longest runs of at least two zero sections (RFC 5952 4.2); *len 0: none. */
static int longest_zero_run(struct ip ip, int sections, int *len)
{
	int best = -1;
	int start = 0;

	*len = 1;
	for (int i = 0; i < sections; i++) {
		if (section_of(ip, i) != 0) {
			start = i + 1;
		} else if (i + 1 - start > *len) {
			best = start;
			*len = i + 1 - start;
		}
	}
	if (best < 0) {
		*len = 0;
	}
	return best;
}

/* The first sections of ip, eight or six, as of RFC 5952. */
static char *print_sections(char *p, struct ip ip, int sections)
{
	int run_len;
	int run = longest_zero_run(ip, sections, &run_len);

	for (int i = 0; i < sections; i++) {
		if (i == run) {
			*p++ = ':';
			*p++ = ':';
			i += run_len - 1;
			continue;
		}
		if (i > 0 && i != run + run_len) {
			*p++ = ':';
		}
		p = print_section(p, section_of(ip, i));
	}
	return p;
}

/* IPv4-mapped addresses, and IPv4-compatible ones that do not look like small numbers. */
static bool shown_mixed(struct ip ip)
{
	return ip_is_mapped(ip) || (ip.hi == 0 && ip.lo >> 32 == 0 && ip.lo >> 16 != 0);
}

static char *print_v6(char *p, struct ip ip)
{
	if (shown_mixed(ip)) {
		p = print_sections(p, ip, 6);
		if (p[-1] != ':') {
			*p++ = ':';
		}
		return print_dotted(p, (uint32_t)ip.lo);
	}
	return print_sections(p, ip, 8);
}

static char *print_v6_padded(char *p, struct ip ip)
{
	for (int i = 0; i < 8; i++) {
		unsigned section = section_of(ip, i);

		*p++ = hex_digits[section >> 12];
		*p++ = hex_digits[section >> 8 & 15];
		*p++ = hex_digits[section >> 4 & 15];
		*p++ = hex_digits[section & 15];
		*p++ = ':';
	}
	return p - 1;
}

static char *print_hexadecimal(char *p, struct ip ip, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		*p++ = hex_digits[(i >= 16 ? ip.hi >> (4 * i - 64) : ip.lo >> (4 * i)) & 15];
	}
	return p;
}

static int hexadecimal_digits(struct ip ip)
{
	int bits = ip.hi ? 128 - __builtin_clzll(ip.hi) : ip.lo ? 64 - __builtin_clzll(ip.lo) : 1;

	return (bits + 3) / 4;
}

/* 2^128 has 39 digits: at most two chunks of 19 digits and one more digit in front. */
static char *print_decimal(char *p, struct ip ip)
{
	const uint64_t chunk = UINT64_C(10000000000000000000);
	unsigned __int128 number = ip_number(ip);
	unsigned __int128 head = number / chunk;
	char digits[DECIMAL_U64_MAX];
	size_t len;

	if (head == 0) {
		return p + decimal_print(p, (uint64_t)number);
	}
	p = print_decimal(p, (struct ip){ (uint64_t)(head >> 64), (uint64_t)head });
	len = decimal_print(digits, (uint64_t)(number % chunk));
	memset(p, '0', 19 - len);
	memcpy(p + 19 - len, digits, len);
	return p + 19;
}

/* Move text of len bytes to the right so that it is width wide, zeros in front. */
static char *pad_zeros(char *start, char *end, size_t width)
{
	size_t len = (size_t)(end - start);

	if (len < width) {
		memmove(start + width - len, start, len);
		memset(start, '0', width - len);
		end = start + width;
	}
	return end;
}

size_t ip_print(char *out, struct ip ip, bool is_v6, unsigned format)
{
	bool padded = format & IP_ZERO_PADDED;
	char *end;

	if (is_v6) {
		is_v6 = !(format & IP_UNMAP_V6) || !ip_is_mapped(ip);
	} else {
		is_v6 = format & IP_MAP_V4;
	}
	if (!is_v6) {
		/* as a number, without ::ffff:0:0/96 */
		ip.lo &= UINT32_MAX;
	}
	switch (format & IP_BASE_MASK) {
	case IP_DECIMAL:
		end = print_decimal(out, ip);
		if (padded) {
			end = pad_zeros(out, end, is_v6 ? 39 : 10);
		}
		break;
	case IP_HEXADECIMAL:
		end = print_hexadecimal(out, ip,
					padded ? (is_v6 ? 32 : 8) : hexadecimal_digits(ip));
		break;
	default:
		if (!is_v6) {
			end = padded ? print_dotted_padded(out, (uint32_t)ip.lo)
				     : print_dotted(out, (uint32_t)ip.lo);
		} else if (padded) {
			end = print_v6_padded(out, ip);
		} else if ((format & IP_BASE_MASK) == IP_NO_MIXED) {
			end = print_sections(out, ip, 8);
		} else {
			end = print_v6(out, ip);
		}
		break;
	}
	*end = '\0';
	return (size_t)(end - out);
}

int ip_print_width(unsigned format, bool v6_possible)
{
	/* as SiLK: the longest text of IPv6, of IPv4, and of IPv4 mapped */
	static const struct {
		int v6, v4, mapped;
	} widths[] = {
		[IP_CANONICAL] = { 39, 15, 22 },
		[IP_NO_MIXED] = { 39, 15, 16 },
		[IP_DECIMAL] = { 39, 10, 15 },
		[IP_HEXADECIMAL] = { 32, 8, 12 },
	};
	unsigned base = format & IP_BASE_MASK;

	if (base > IP_HEXADECIMAL) {
		base = IP_CANONICAL;
	}
	if (v6_possible || (format & IP_MAP_V4 && format & IP_ZERO_PADDED)) {
		return widths[base].v6;
	}
	return format & IP_MAP_V4 ? widths[base].mapped : widths[base].v4;
}

/* Names of --ip-format. force-ipv6 stands for map-v4 and no-mixed together. */
static const char *const format_names[] = {
	"canonical", "no-mixed", "decimal",    "hexadecimal", "zero-padded",
	"map-v4",    "unmap-v6", "force-ipv6", NULL,
};
enum { NAME_ZERO_PADDED = 4, NAME_MAP_V4, NAME_UNMAP_V6, NAME_FORCE_IPV6 };

struct format_state {
	unsigned format;
	const char *base;    /* what the base was set by, for messages; NULL: not set */
	const char *mapping; /* the same for map-v4 and unmap-v6 */
};

static int set_choice(const char **chosen, const char *group, const char *name, struct err *err)
{
	if (*chosen && strcmp(*chosen, group) != 0) {
		return err_set(err, ST_EINVAL, "May not combine %s with %s", name, *chosen);
	}
	*chosen = group;
	return ST_OK;
}

static int set_base(struct format_state *state, unsigned base, const char *name, struct err *err)
{
	state->format = (state->format & ~(unsigned)IP_BASE_MASK) | base;
	return set_choice(&state->base,
			  base == IP_NO_MIXED ? "no-mixed,force-ipv6" : format_names[base], name,
			  err);
}

static int set_mapping(struct format_state *state, unsigned flag, const char *name, struct err *err)
{
	state->format |= flag;
	return set_choice(&state->mapping, flag == IP_MAP_V4 ? "map-v4,force-ipv6" : "unmap-v6",
			  name, err);
}

static int add_format_name(void *arg, unsigned index, struct err *err)
{
	struct format_state *state = arg;
	const char *name = format_names[index];
	int st;

	switch (index) {
	case NAME_ZERO_PADDED:
		state->format |= IP_ZERO_PADDED;
		return ST_OK;
	case NAME_MAP_V4:
		return set_mapping(state, IP_MAP_V4, name, err);
	case NAME_UNMAP_V6:
		return set_mapping(state, IP_UNMAP_V6, name, err);
	case NAME_FORCE_IPV6:
		st = set_mapping(state, IP_MAP_V4, name, err);
		return st != ST_OK ? st : set_base(state, IP_NO_MIXED, name, err);
	default:
		return set_base(state, index, name, err);
	}
}

int ip_format_parse(const char *text, unsigned *format, struct err *err)
{
	struct format_state state = { .format = IP_CANONICAL };
	int st = namelist_each(text, format_names, add_format_name, &state, err);

	if (st == ST_OK) {
		*format = state.format;
	}
	return st;
}
