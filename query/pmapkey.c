/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/pmapkey.h"

#include "common/text.h"
#include "storage/country.h"

#include <stdio.h>

#define PORT_WIDTH 9 /* 255/65535 */

static bool is_v6(const struct pmapkey *key)
{
	return pmap_kind(key->pmap) == PMAP_IPV6;
}

int pmapkey_width(const struct pmapkey *key)
{
	return pmap_kind(key->pmap) == PMAP_PROTO_PORT ? PORT_WIDTH
						       : ip_print_width(key->ip_format, is_v6(key));
}

int pmapkey_block_width(const struct pmapkey *key)
{
	int width = pmapkey_width(key);

	if (pmap_kind(key->pmap) == PMAP_PROTO_PORT) {
		return 2 * width + 1;
	}
	return width + (is_v6(key) || (key->ip_format & IP_MAP_V4) ? 4 : 3);
}

size_t pmapkey_print(const struct pmapkey *key, char *out, struct ip ip)
{
	if (pmap_kind(key->pmap) == PMAP_PROTO_PORT) {
		return (size_t)snprintf(out, TEXT_CELL_MAX, "%u/%u", (unsigned)(ip.lo >> 16 & 0xff),
					(unsigned)(ip.lo & 0xffff));
	}
	return ip_print(out, ip, is_v6(key), key->ip_format);
}

/* Is an address of the map shown as IPv4? */
static bool shown_as_v4(const struct pmapkey *key, struct ip ip, unsigned prefix)
{
	if (is_v6(key)) {
		return (key->ip_format & IP_UNMAP_V6) && ip_is_mapped(ip) && prefix >= 96;
	}
	return !(key->ip_format & IP_MAP_V4);
}

size_t pmapkey_print_block(const struct pmapkey *key, char *out, struct ip first, unsigned prefix)
{
	bool v4 = shown_as_v4(key, first, prefix);
	int digits = !(key->ip_format & IP_ZERO_PADDED) ? 1 : v4 ? 2 : 3;
	size_t len = pmapkey_print(key, out, first);

	return len + (size_t)snprintf(out + len, TEXT_CELL_MAX - len, "/%0*u", digits,
				      v4 ? prefix - 96 : prefix);
}

const char *pmapkey_value(const struct pmapkey *key, uint32_t value, char digits[PMAP_TEXT_MAX])
{
	if (key->countries) {
		country_print(digits, value);
		return digits;
	}
	return pmap_text(key->pmap, value, digits);
}
