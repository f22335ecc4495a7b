/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bounded reader of sFlow: numbers and byte strings in the encoding of RFC 4506. Reading past
 * the end gives zeros and sets bad, which stays.
 *
 *	struct xdr xdr = { bytes, len, false };
 *	uint32_t count = xdr_u32(&xdr);
 *	struct xdr part = xdr_part(&xdr, xdr_u32(&xdr));
 *	if (xdr.bad) ...
 */
#ifndef TUSSAH_PACKER_XDR_H
#define TUSSAH_PACKER_XDR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/bigendian.h"
#include "common/ip.h"

struct xdr {
	const uint8_t *at;
	size_t left;
	bool bad;
};

/* The next len bytes and their padding to a multiple of four; NULL: there are not so many. */
static inline const uint8_t *xdr_bytes(struct xdr *xdr, uint32_t len)
{
	const uint8_t *at = xdr->at;
	uint64_t padded = ((uint64_t)len + 3) & ~UINT64_C(3);

	if (len > xdr->left) {
		xdr->bad = true;
		xdr->left = 0;
		return NULL;
	}
	padded = padded < xdr->left ? padded : xdr->left; /* the last padding may be missing */
	xdr->at += padded;
	xdr->left -= padded;
	return at;
}

static inline uint32_t xdr_u32(struct xdr *xdr)
{
	const uint8_t *at = xdr_bytes(xdr, 4);

	return at ? get_be32(at) : 0;
}

static inline uint64_t xdr_u64(struct xdr *xdr)
{
	const uint8_t *at = xdr_bytes(xdr, 8);

	return at ? get_be64(at) : 0;
}

static inline void xdr_skip(struct xdr *xdr, uint64_t len)
{
	if (len > UINT32_MAX) {
		xdr->bad = true;
		xdr->left = 0;
	} else {
		xdr_bytes(xdr, (uint32_t)len);
	}
}

/* A string or array of bytes: its length, then that many. */
static inline const uint8_t *xdr_opaque(struct xdr *xdr, uint32_t *len)
{
	*len = xdr_u32(xdr);
	return xdr_bytes(xdr, *len);
}

/* The next len bytes as something to read on its own. */
static inline struct xdr xdr_part(struct xdr *xdr, uint32_t len)
{
	const uint8_t *at = xdr_bytes(xdr, len);

	return (struct xdr){ at ? at : xdr->at, at ? len : 0, at == NULL };
}

enum xdr_family { XDR_NO_ADDRESS = 0, XDR_IPV4 = 1, XDR_IPV6 = 2 };

static inline struct ip xdr_ipv4(struct xdr *xdr)
{
	return ip_from_v4(xdr_u32(xdr));
}

static inline struct ip xdr_ipv6(struct xdr *xdr)
{
	const uint8_t *at = xdr_bytes(xdr, 16);

	return at ? ip_from_bytes(at) : (struct ip){ 0, 0 };
}

/* sFlow's address: its family (enum xdr_family), then the address. */
static inline struct ip xdr_address(struct xdr *xdr, uint32_t *family)
{
	*family = xdr_u32(xdr);
	if (*family == XDR_IPV4) {
		return xdr_ipv4(xdr);
	}
	if (*family == XDR_IPV6) {
		return xdr_ipv6(xdr);
	}
	xdr->bad |= *family != XDR_NO_ADDRESS;
	return ip_from_v4(0);
}

#endif
