/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/envelope.h"

#include <string.h>

#include "common/bigendian.h"

void envelope_head(uint8_t out[ENVELOPE_HEAD_BYTES], const struct envelope *envelope)
{
	memset(out, 0, ENVELOPE_HEAD_BYTES);
	out[0] = (uint8_t)envelope->kind;
	out[1] = (uint8_t)envelope->open.flags;
	put_be64(out + 8, envelope->session);
	put_be64(out + 16, envelope->position);
	put_be64(out + 24, (uint64_t)envelope->arrival_ns);
}

void envelope_print_open(GByteArray *out, const struct envelope_open *open)
{
	const char *const texts[] = { open->stream, open->probe, open->place, open->peer };
	const struct envelope envelope = { .kind = ENVELOPE_OPEN, .open = *open };
	uint8_t head[ENVELOPE_HEAD_BYTES];

	envelope_head(head, &envelope);
	g_byte_array_append(out, head, sizeof(head));
	g_byte_array_append(out, open->stream_id, sizeof(open->stream_id));
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_byte_array_append(out, (const guint8 *)texts[i], (guint)strlen(texts[i]) + 1);
	}
}

/* The text that begins at *at; NULL: it does not end. */
static const char *envelope_eat_text(const uint8_t **at, const uint8_t *end)
{
	const char *text = (const char *)*at;
	const uint8_t *nul = memchr(*at, 0, (size_t)(end - *at));

	if (!nul) {
		return NULL;
	}
	*at = nul + 1;
	return text;
}

static int envelope_parse_open(struct envelope *out, struct err *err)
{
	struct envelope_open *open = &out->open;
	const uint8_t *at = out->bytes;
	const uint8_t *end = at + out->len;

	if (out->len < sizeof(open->stream_id)) {
		return err_set(err, ST_EFORMAT, "the beginning of a session is cut short");
	}
	memcpy(open->stream_id, at, sizeof(open->stream_id));
	at += sizeof(open->stream_id);
	open->stream = envelope_eat_text(&at, end);
	open->probe = open->stream ? envelope_eat_text(&at, end) : NULL;
	open->place = open->probe ? envelope_eat_text(&at, end) : NULL;
	open->peer = open->place ? envelope_eat_text(&at, end) : NULL;
	if (!open->peer || at != end) {
		return err_set(err, ST_EFORMAT, "the beginning of a session is damaged");
	}
	return ST_OK;
}

void envelope_put_loss(uint8_t out[ENVELOPE_LOSS_BYTES], const struct envelope_loss *loss)
{
	put_be64(out, loss->kernel);
	put_be64(out + 8, loss->journal);
}

int envelope_parse_loss(const struct envelope *envelope, struct envelope_loss *out, struct err *err)
{
	if (envelope->len < ENVELOPE_LOSS_BYTES) {
		return err_set(err, ST_EFORMAT, "a note of what was dropped is cut short");
	}
	*out = (struct envelope_loss){ get_be64(envelope->bytes), get_be64(envelope->bytes + 8) };
	return ST_OK;
}

int envelope_parse(struct envelope *out, const uint8_t *bytes, size_t len, struct err *err)
{
	if (len < ENVELOPE_HEAD_BYTES || bytes[0] < ENVELOPE_OPEN || bytes[0] > ENVELOPE_LOSS) {
		return err_set(err, ST_EFORMAT, "not an envelope");
	}
	out->kind = (enum envelope_kind)bytes[0];
	out->open.flags = bytes[1];
	out->session = get_be64(bytes + 8);
	out->position = get_be64(bytes + 16);
	out->arrival_ns = (int64_t)get_be64(bytes + 24);
	out->bytes = bytes + ENVELOPE_HEAD_BYTES;
	out->len = len - ENVELOPE_HEAD_BYTES;
	return out->kind == ENVELOPE_OPEN ? envelope_parse_open(out, err) : ST_OK;
}
