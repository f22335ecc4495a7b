/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/sortkey.h"

#include <endian.h>
#include <string.h>

#include "common/value_kind.h"

#define ADDRESS_BYTES 16
#define IPV4_BYTES    4
/* The last eight bytes of a mapped address of IPv4 are this and the address. */
#define MAPPED UINT64_C(0xffff00000000)

/* In front of an address: all of IPv4 are between the others, as mapped ones. */
enum family {
	FAMILY_BELOW,
	FAMILY_IPV4,
	FAMILY_ABOVE,
};

static bool is_address(const struct field *field)
{
	return field->kind == &kind_ip;
}

void sortkey_init(struct sortkey *sort, const struct rowkey *key)
{
	sort->key = key;
	sort->addresses = 0;
	for (size_t i = 0; i < key->count; i++) {
		sort->addresses += is_address(key->fields[i]);
	}
	sort->size = key->size + sort->addresses;
}

static enum family family_of(const uint8_t *address)
{
	uint64_t high, low;

	memcpy(&high, address, sizeof(high));
	memcpy(&low, address + sizeof(high), sizeof(low));
	low = be64toh(low);
	if (high != 0 || low > (MAPPED | UINT32_MAX)) {
		return FAMILY_ABOVE;
	}
	return low < MAPPED ? FAMILY_BELOW : FAMILY_IPV4;
}

/* An address to where it belongs, which is before it, or just where it is but for the family. */
static uint8_t *move_address(uint8_t *to, const uint8_t *address)
{
	enum family family = family_of(address);

	if (family == FAMILY_IPV4) {
		memmove(to + 1, address + ADDRESS_BYTES - IPV4_BYTES, IPV4_BYTES);
	} else {
		memmove(to + 1, address, ADDRESS_BYTES);
	}
	*to = (uint8_t)family;
	return to + 1 + (family == FAMILY_IPV4 ? IPV4_BYTES : ADDRESS_BYTES);
}

/* Towards the beginning; mostly numbers of few sizes, and a call costs more than moving them. */
static void move_bytes(uint8_t *to, const uint8_t *from, size_t bytes)
{
	switch (bytes) {
	case 1:
		*to = *from;
		break;
	case 2:
		memmove(to, from, 2);
		break;
	case 8:
		memmove(to, from, 8);
		break;
	default:
		memmove(to, from, bytes);
	}
}

/* The key lies as many bytes too far behind as there are addresses. */
static void shorten(const struct sortkey *sort, uint8_t *row)
{
	const struct rowkey *key = sort->key;
	const uint8_t *from = row + sort->addresses;
	uint8_t *to = row;

	for (size_t i = 0; i < key->count; i++) {
		size_t bytes = key->fields[i]->kind->key_size;

		if (i == key->family_at) {
			*to++ = *from++;
		}
		if (is_address(key->fields[i])) {
			to = move_address(to, from);
		} else {
			move_bytes(to, from, bytes);
			to += bytes;
		}
		from += bytes;
	}
	memset(to, 0, (size_t)(row + sort->size - to));
}

/* The addresses of a field to where they belong, if all are IPv4. */
static bool pack_ipv4(const struct field *field, const struct batch *batch, uint8_t *out,
		      size_t stride)
{
	uint8_t addresses[BATCH_ROWS][ADDRESS_BYTES];
	bool all = true;

	field_pack(field, batch, addresses[0], ADDRESS_BYTES);
	for (uint32_t i = 0; i < batch->selected; i++, out += stride) {
		all &= family_of(addresses[i]) == FAMILY_IPV4;
		out[0] = FAMILY_IPV4;
		memcpy(out + 1, addresses[i] + ADDRESS_BYTES - IPV4_BYTES, IPV4_BYTES);
	}
	return all;
}

/* The keys, if all addresses are IPv4, so that each field is at the same place of all of them. */
static bool pack_alike(const struct sortkey *sort, const struct batch *batch, uint8_t *out,
		       size_t stride)
{
	const struct rowkey *key = sort->key;
	size_t at = 0;

	for (size_t i = 0; i < key->count; i++) {
		if (i == key->family_at) {
			rowkey_pack_family(batch, out + at++, stride);
		}
		if (!is_address(key->fields[i])) {
			at += rowkey_pack_field(key, i, batch, out + at, stride);
		} else if (pack_ipv4(key->fields[i], batch, out + at, stride)) {
			at += 1 + IPV4_BYTES;
		} else {
			return false;
		}
	}
	for (uint32_t i = 0; i < batch->selected; i++) {
		memset(out + i * stride + at, 0, sort->size - at);
	}
	return true;
}

void sortkey_pack(const struct sortkey *sort, const struct batch *batch, uint8_t *out,
		  size_t stride)
{
	if (sort->addresses > 0 && pack_alike(sort, batch, out, stride)) {
		return;
	}
	rowkey_pack(sort->key, batch, out + sort->addresses, stride);
	for (uint32_t i = 0; sort->addresses > 0 && i < batch->selected; i++) {
		shorten(sort, out + i * stride);
	}
}

size_t sortkey_extent(const struct sortkey *sort, const uint8_t *key, size_t fields)
{
	size_t at = 0;

	for (size_t i = 0; i < fields; i++) {
		const struct field *field = sort->key->fields[i];

		at += i == sort->key->family_at;
		if (is_address(field)) {
			at += 1 + (key[at] == FAMILY_IPV4 ? IPV4_BYTES : ADDRESS_BYTES);
		} else {
			at += field->kind->key_size;
		}
	}
	return at;
}
