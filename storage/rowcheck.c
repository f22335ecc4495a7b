/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which records a format has to refuse (silk-flow-files.md 4.0, 4.1). */
#include "storage/rowcodec.h"

#define REFUSE(err, ...) err_set((err), ST_ERANGE, __VA_ARGS__)

/* One row of a view; hour_ns: of the file. */
struct checked {
	const struct rowview *view;
	uint32_t row;
	int64_t hour_ns;
};

static int check_ipv4(const struct checked *c, struct err *err)
{
	return c->view->state[c->row] & RECORD_IPV6
		       ? REFUSE(err, "an IPv6 record does not fit an IPv4 format")
		       : ST_OK;
}

static int check_tcp(const struct checked *c, struct err *err)
{
	return c->view->protocol[c->row] != ROWCODEC_PROTOCOL_TCP
		       ? REFUSE(err, "protocol %u does not fit a format for TCP alone",
				c->view->protocol[c->row])
		       : ST_OK;
}

static int check_interface8(uint32_t value, struct err *err)
{
	return value > UINT8_MAX ? REFUSE(err, "interface %u is above 255", value) : ST_OK;
}

static int check_input8(const struct checked *c, struct err *err)
{
	return check_interface8(c->view->input[c->row], err);
}

static int check_output8(const struct checked *c, struct err *err)
{
	return check_interface8(c->view->output[c->row], err);
}

static int check_sensor(const struct checked *c, unsigned max, struct err *err)
{
	return c->view->sensor[c->row] > max
		       ? REFUSE(err, "sensor %u is above %u", c->view->sensor[c->row], max)
		       : ST_OK;
}

static int check_sensor8(const struct checked *c, struct err *err)
{
	return check_sensor(c, 255, err);
}

static int check_sensor6(const struct checked *c, struct err *err)
{
	return check_sensor(c, 63, err);
}

static int check_duration(const struct checked *c, uint32_t limit_ms, struct err *err)
{
	uint32_t ms = rowcodec_duration_ms(c->view->duration_ns[c->row]);

	return ms >= limit_ms ? REFUSE(err, "duration of %u ms is not below %u", ms, limit_ms)
			      : ST_OK;
}

static int check_duration_30bit(const struct checked *c, struct err *err)
{
	return check_duration(c, UINT32_C(1) << 30, err);
}

static int check_duration_11bit(const struct checked *c, struct err *err)
{
	return check_duration(c, 2048 * 1000, err);
}

static int check_duration_12bit(const struct checked *c, struct err *err)
{
	return check_duration(c, 4096 * 1000, err);
}

static int check_start(const struct checked *c, struct err *err)
{
	int64_t offset_ms =
		rowcodec_start_ms(c->view->start_ns[c->row]) - rowcodec_start_ms(c->hour_ns);

	if (offset_ms < 0) {
		return REFUSE(err, "starts before the hour of the file");
	}
	return offset_ms >= 4096 * 1000 ? REFUSE(err, "starts after the hour of the file") : ST_OK;
}

/* Packets = 0, packets > bytes, packets too big, bytes per packet too big: SiLK's order. */
static int check_bpp(const struct checked *c, struct err *err)
{
	uint32_t packets = rowcodec_volume(c->view->packets[c->row]);
	uint32_t bytes = rowcodec_volume(c->view->bytes[c->row]);

	if (packets == 0) {
		return REFUSE(err, "no packets");
	}
	if (packets > bytes) {
		return REFUSE(err, "more packets (%u) than bytes (%u)", packets, bytes);
	}
	if (packets / 64 >= UINT32_C(1) << 20) {
		return REFUSE(err, "%u packets are too many", packets);
	}
	if (bytes / packets > 16383) {
		return REFUSE(err, "%u bytes per packet are too many", bytes / packets);
	}
	return ST_OK;
}

static int (*const checks[])(const struct checked *c, struct err *err) = {
	[ROWCHECK_IPV4] = check_ipv4,
	[ROWCHECK_TCP] = check_tcp,
	[ROWCHECK_DURATION_30BIT] = check_duration_30bit,
	[ROWCHECK_INPUT8] = check_input8,
	[ROWCHECK_OUTPUT8] = check_output8,
	[ROWCHECK_SENSOR8] = check_sensor8,
	[ROWCHECK_DURATION_11BIT] = check_duration_11bit,
	[ROWCHECK_DURATION_12BIT] = check_duration_12bit,
	[ROWCHECK_START] = check_start,
	[ROWCHECK_BPP] = check_bpp,
	[ROWCHECK_SENSOR6] = check_sensor6,
};

int rowformat_check(const struct rowformat *format, const struct rowview *view, uint32_t row,
		    int64_t hour_ns, struct err *err)
{
	struct checked c = { .view = view, .row = row, .hour_ns = hour_ns };

	for (const enum rowcheck *check = format->checks; *check != ROWCHECK_END; check++) {
		int rc = checks[*check](&c, err);

		if (rc != ST_OK) {
			return rc;
		}
	}
	return ST_OK;
}
