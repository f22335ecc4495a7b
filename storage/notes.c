/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/notes.h"

#include <glib.h>

/* A header holds no more than this anyway. */
#define NOTE_BYTES_MAX (1u << 20)

struct notes {
	GPtrArray *texts; /* char *, as long as the process */
};

static void add_note(struct notes **notes, char *text)
{
	if (!*notes) {
		*notes = g_new(struct notes, 1);
		(*notes)->texts = g_ptr_array_new();
	}
	g_ptr_array_add((*notes)->texts, text);
}

static int parse_note(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	add_note(dest, g_strdup(text));
	return ST_OK;
}

static int parse_note_file(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	GError *error = NULL;
	char *content = NULL;
	gsize len = 0;

	if (!g_file_get_contents(text, &content, &len, &error)) {
		int st = err_set(err, ST_EIO, "%s", error->message);

		g_error_free(error);
		return st;
	}
	if (len > NOTE_BYTES_MAX) {
		g_free(content);
		return err_set(err, ST_ELIMIT, "larger than %u bytes", NOTE_BYTES_MAX);
	}
	add_note(dest, content);
	return ST_OK;
}

/* The member that the table is a group for. */
struct notes_member {
	struct notes *notes;
};

const struct opt notes_opt_table[] = {
	OPT_CALL(struct notes_member, notes, "note-add", 0, "TEXT", parse_note, 0,
		 "write this text into the header of the output"),
	OPT_CALL(struct notes_member, notes, "note-file-add", 0, "FILE", parse_note_file, 0,
		 "write the content of this file into the header of the output"),
	OPT_END,
};

void notes_add_to(const struct notes *notes, struct header *header)
{
	for (guint i = 0; notes && i < notes->texts->len; i++) {
		header_add_text(header, ENTRY_ANNOTATION, g_ptr_array_index(notes->texts, i));
	}
}
