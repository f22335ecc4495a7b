/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One address, 128 bits as two host-order words, so that comparing and masking are integer
 * operations. An IPv4 address a.b.c.d is kept in its mapped form ::ffff:a.b.c.d; whether a
 * *record* is of the IPv4 or IPv6 family is told by the record's state bit RECORD_IPV6, not by the
 * value (an IPv6 record may hold a mapped address).
 */
#ifndef TUSSAH_COMMON_IP_H
#define TUSSAH_COMMON_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct ip {
	uint64_t hi; /* first eight bytes, as a number */
	uint64_t lo; /* last eight bytes, as a number */
};

#define IP_V4_PREFIX UINT64_C(0x0000ffff00000000)

/* How addresses are printed (SiLK's --ip-format): one base form and any of two conversions. */
enum ip_format {
	IP_CANONICAL = 0,   /* 192.0.2.1, 2001:db8::1 (RFC 5952), ::ffff:192.0.2.1 */
	IP_NO_MIXED = 1,    /* as canonical, never a dotted quad inside IPv6: ::ffff:c000:201 */
	IP_DECIMAL = 2,     /* one decimal number */
	IP_HEXADECIMAL = 3, /* one lower-case hexadecimal number without 0x */
	IP_BASE_MASK = 0x0f,
	IP_ZERO_PADDED = 0x100, /* every part at its full width */
	IP_MAP_V4 = 0x200,      /* IPv4 as ::ffff:a.b.c.d before formatting */
	IP_UNMAP_V6 = 0x400,    /* mapped IPv6 as IPv4 before formatting */
};

#define IP_TEXT_MAX 48 /* longest text of any format, with its NUL */

static inline struct ip ip_from_v4(uint32_t host_order)
{
	return (struct ip){ 0, IP_V4_PREFIX | host_order };
}

static inline uint32_t ip_to_v4(struct ip ip)
{
	return (uint32_t)ip.lo;
}

/* In ::ffff:0:0/96? */
static inline bool ip_is_mapped(struct ip ip)
{
	return ip.hi == 0 && (ip.lo & UINT64_C(0xffffffff00000000)) == IP_V4_PREFIX;
}

static inline unsigned __int128 ip_number(struct ip ip)
{
	return (unsigned __int128)ip.hi << 64 | ip.lo;
}

static inline int ip_compare(struct ip a, struct ip b)
{
	return a.hi != b.hi ? (a.hi < b.hi ? -1 : 1) : (a.lo < b.lo ? -1 : a.lo > b.lo);
}

static inline bool ip_equal(struct ip a, struct ip b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

/* From and to sixteen bytes in network order. */
struct ip ip_from_bytes(const uint8_t bytes[16]);
void ip_to_bytes(struct ip ip, uint8_t bytes[16]);

/* Neighbours in numeric order; they wrap at the ends. */
struct ip ip_next(struct ip ip);
struct ip ip_prev(struct ip ip);

/* First and last address of the block of prefix_len bits (0..128, IPv4 counted as 96 + n). */
struct ip ip_block_first(struct ip ip, unsigned prefix_len);
struct ip ip_block_last(struct ip ip, unsigned prefix_len);

/*
 * Parse one address: dotted quad, a decimal integer below 2^32 (IPv4), or any RFC 4291 IPv6 form.
 * *is_v6 tells the family of the text. The text must be used up; leading and trailing blanks are
 * allowed. Returns ST_OK or ST_EINVAL.
 */
int ip_parse(const char *text, struct ip *out, bool *is_v6, struct err *err);

/* As ip_parse, of the address that *pos starts with (after blanks); *pos moves behind it. On
 * failure nothing is changed. */
int ip_scan(const char **pos, struct ip *out, bool *is_v6, struct err *err);

/*
 * Print in a format made of enum ip_format flags; is_v6 is the family of the value. Writes a
 * NUL-terminated text into out, which holds IP_TEXT_MAX bytes, and returns its length.
 * As SiLK 3.22.1 prints it; no locale, no allocation, safe in hot paths.
 */
size_t ip_print(char *out, struct ip ip, bool is_v6, unsigned format);

/* The column width SiLK reserves for this format. */
int ip_print_width(unsigned format, bool v6_possible);

/* Names as of --ip-format=LIST; returns ST_OK or ST_EINVAL. */
int ip_format_parse(const char *text, unsigned *format, struct err *err);

#endif
