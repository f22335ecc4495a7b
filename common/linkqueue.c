/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the link has to send: the messages given to it, or those of a spool, of which so many are
 * fetched as may be under way.
 */
#include "common/link_internal.h"

#include <inttypes.h>
#include <string.h>

#include "common/bigendian.h"

static struct link_message *link_message_new(const void *bytes, size_t len, uint64_t position,
					     uint32_t records)
{
	struct link_message *message = g_malloc(sizeof(*message) + LINKFRAME_HEADER_BYTES + len);

	*message = (struct link_message){ .position = position, .records = records, .len = len };
	memcpy(message->wire + LINKFRAME_HEADER_BYTES, bytes, len);
	return message;
}

static int link_check_len(size_t len, struct err *err)
{
	if (len < LINKFRAME_MESSAGE_MIN || len > LINKFRAME_MESSAGE_MAX) {
		return err_set(err, ST_EINVAL, "a message of %zu bytes", len);
	}
	return ST_OK;
}

int link_add_preamble(struct link *link, const void *message, size_t len, struct err *err)
{
	int rc = link_check_len(len, err);

	if (rc != ST_OK) {
		return rc;
	}
	if (link->preamble_bytes + len > LINK_PREAMBLE_MAX) {
		return err_set(err, ST_ELIMIT, "more than %d bytes of preamble", LINK_PREAMBLE_MAX);
	}
	link->preamble_bytes += len;
	g_ptr_array_add(link->preamble, link_message_new(message, len, link->next_position - 1, 0));
	return ST_OK;
}

static void link_push(struct link *link, struct link_message *added)
{
	if (link->tail) {
		link->tail->next = added;
	} else {
		link->head = added;
	}
	link->tail = added;
	if (!link->unsent) {
		link->unsent = added;
	}
	link->stats.queued_messages++;
	link->stats.queued_bytes += added->len;
}

int link_send(struct link *link, const void *message, size_t len, uint32_t records, struct err *err)
{
	struct link_message *added;
	int rc = link_check_len(len, err);

	if (rc != ST_OK) {
		return rc;
	}
	g_assert(link->spool == NULL);
	if (link->head && link->stats.queued_bytes + len > link->buffer_bytes) {
		return err_set(err, ST_EAGAIN, "the buffer is full");
	}
	added = link_message_new(message, len, link->next_position++, records);
	link_push(link, added);
	return ST_OK;
}

void link_remove(struct link *link, struct link_message *prev)
{
	struct link_message *gone = prev ? prev->next : link->head;

	if (prev) {
		prev->next = gone->next;
	} else {
		link->head = gone->next;
	}
	if (link->tail == gone) {
		link->tail = prev;
	}
	if (link->unsent == gone) {
		link->unsent = gone->next;
	}
	link->stats.queued_messages--;
	link->stats.queued_bytes -= gone->len;
	g_free(gone);
}

void link_drop_oldest(struct link *link)
{
	struct link_message *prev = link->head == link->writing ? link->head : NULL;
	struct link_message *victim = prev ? prev->next : link->head;

	if (victim) {
		link->stats.dropped_messages++;
		link->stats.dropped_records += victim->records;
		link_remove(link, prev);
	}
}

void link_acked_up_to(struct link *link, uint64_t position)
{
	link->done_position = MAX(link->done_position, position);
	while (link->head && link->head != link->writing && link->head->position <= position) {
		link_remove(link, NULL);
		link->stats.acked_messages++;
	}
}

/* --- from a spool --------------------------------------------------------------------------- */

static void link_clear_preamble(struct link *link)
{
	g_ptr_array_set_size(link->preamble, 0);
	link->preamble_bytes = 0;
	link->preamble_sent = 0;
	link->preamble_opening = 0;
}

void link_use_opening(struct link *link)
{
	size_t len = 0;
	uint8_t *bytes = spool_opening(link->spool, link->done_position, &len);
	size_t at = 0;

	link_clear_preamble(link);
	while (len - at > 4) {
		const size_t one = get_be32(bytes + at);

		at += 4;
		g_assert(one >= LINKFRAME_MESSAGE_MIN && one <= LINKFRAME_MESSAGE_MAX &&
			 one <= len - at);
		g_ptr_array_add(link->preamble,
				link_message_new(bytes + at, one, link->done_position, 0));
		at += one;
	}
	g_free(bytes);
}

/* The templates of the epoch are the preamble from now on. */
static void link_use_epoch(struct link *link, const struct link_message *first)
{
	size_t len = 0;
	uint8_t *templates = spool_templates(link->spool, first->epoch, &len);
	size_t at = 0;

	link_clear_preamble(link);
	while (len - at >= LINKFRAME_MESSAGE_MIN) {
		const size_t one = get_be16(templates + at + 2);

		if (one < LINKFRAME_MESSAGE_MIN || one > len - at) {
			break;
		}
		g_ptr_array_add(link->preamble,
				link_message_new(templates + at, one, first->position - 1, 0));
		link->preamble_bytes += one;
		at += one;
	}
	if (link->preamble->len == 0) {
		link_add_event(link, ST_EFORMAT,
			       "%s: the templates of messages from position %" PRIu64
			       " on are lost: the collector cannot read them",
			       spool_directory(link->spool), first->position);
	}
	g_free(templates);
	link->epoch = first->epoch;
	spool_forget_before(link->spool, first->epoch);
}

/*
 * The message of another epoch becomes the first of the queue. True: a connection that has the
 * templates of the old one is there.
 */
static bool link_change_epoch(struct link *link)
{
	const bool again = link->epoch != 0 && link->state == LINK_OPEN;

	link_settle(link); /* before the old templates go */
	link_use_epoch(link, link->held);
	link_push(link, link->held);
	link->held = NULL;
	return again;
}

/* ST_OK, ST_END: nothing more now. What is damaged is passed over and told. */
static int link_fetch(struct link *link)
{
	struct spool_message from;
	struct link_message *message;
	struct err err;
	int rc = spool_next(link->spool, &from, &err);

	if (rc == ST_EFORMAT) {
		link_add_event(link, rc, "%s", err.text);
		return ST_OK;
	}
	if (rc == ST_OK &&
	    (from.position <= link->done_position || from.len > LINKFRAME_MESSAGE_MAX)) {
		return ST_OK;
	}
	if (rc == ST_OK) {
		message = link_message_new(from.bytes, from.len, from.position, from.records);
		message->epoch = from.epoch;
		if (from.epoch == link->epoch) {
			link_push(link, message);
		} else {
			link->held = message;
		}
	} else if (rc != ST_END) {
		link_add_event(link, rc, "%s", err.text);
	}
	return rc == ST_OK ? ST_OK : ST_END;
}

bool link_refill(struct link *link)
{
	int rc = ST_OK;

	if (link->spool == NULL) {
		return false;
	}
	while (rc == ST_OK && link->held == NULL && link->stats.queued_bytes < link->buffer_bytes) {
		rc = link_fetch(link);
	}
	if (link->head == NULL && link->out_len == 0) {
		/* What could not be read, or was dropped, is not waited for. */
		if (link->held == NULL && rc == ST_END) {
			link->done_position =
				MAX(link->done_position, spool_position(link->spool) - 1);
		}
		if (link->held != NULL) {
			return link_change_epoch(link);
		}
	}
	return false;
}

void link_settle(struct link *link)
{
	struct err err;

	if (link->spool != NULL && link->done_position > link->released) {
		link->released = link->done_position;
		if (spool_release(link->spool, link->released, &err) != ST_OK) {
			link_add_event(link, ST_EIO, "%s", err.text);
		}
	}
}

void link_clear_queue(struct link *link)
{
	link->writing = NULL;
	while (link->head) {
		link_remove(link, NULL);
	}
	g_free(link->held);
	link->held = NULL;
}
