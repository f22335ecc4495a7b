/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets of any link type through decode, reassembly and flow table. The first octet of the input
 * chooses the link type and how much is cut off; then packets follow, each with a length octet.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/timestamp.h"
#include "sensor/meter.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const int linktypes[] = {
	1, 0, 9, 12, 50, 51, 101, 104, 108, 113, 178, 228, 229, 276, 1, 127, 105, 239,
};

static void ignore_flow(void *arg, const struct flow *flow)
{
	(void)arg;
	(void)flow;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct meter_opts opts = {
		.flows = { .max_flows = 4,
			   .idle_timeout_ns = 5,
			   .active_timeout_ns = 20,
			   .silk = true },
		.fragments = { .max_datagrams = 2, .timeout_ns = 10 },
	};
	const struct decode_link *link;
	struct meter *meter;
	int64_t now_ns = NS_PER_S;

	if (size < 1) {
		return 0;
	}
	link = decode_link_find(linktypes[bytes[0] % (sizeof(linktypes) / sizeof(linktypes[0]))]);
	meter = meter_new(&opts, ignore_flow, NULL);
	for (size_t at = 1; at < size;) {
		uint32_t len = bytes[at] + (bytes[at] == 255 ? 1200u : 0);
		uint8_t *copy;

		at++;
		len = len < size - at ? len : (uint32_t)(size - at);
		copy = malloc(len > 0 ? len : 1);
		memcpy(copy, bytes + at, len);
		meter_packet(meter, link, copy, len, len + (bytes[0] >> 4), now_ns++);
		free(copy);
		at += len;
	}
	meter_flush(meter);
	meter_free(meter);
	return 0;
}
