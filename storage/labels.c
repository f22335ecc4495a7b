/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Labels live in a sorted array, made anew when it is looked at after a change; a hash finds them
 * while they are set. Lookups go through a second hash, by sensor, kind and id.
 */
#include "storage/labels.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "storage/lockedfile.h"
#include "storage/newfile.h"

#define HEADING        "# tussah labels 1\n"
#define FILE_BYTES_MAX (256u << 20)
#define ENGINE_SHIFT   56
#define SELECTOR_BYTES 7
#define ANY_SENSOR     "-"

struct entry {
	char *sensor;
	char *exporter;
	enum label_kind kind;
	uint64_t id;
	char *name;
	bool ours; /* set, not read */
};

/* What a lookup asks for; name: of all exporters. */
struct answer {
	const char *sensor; /* of an entry */
	enum label_kind kind;
	uint64_t id;
	GString *names;
};

struct labels {
	GHashTable *entries; /* struct entry, as a set */
	GPtrArray *sorted;   /* the same in order; NULL: to be made */
	GHashTable *answers; /* struct answer, as a set; NULL: to be made */
	bool changed;
};

static const char *const kind_names[LABEL_KINDS] = {
	[LABEL_INTERFACE] = "interface",
	[LABEL_APPLICATION] = "application",
	[LABEL_VRF] = "vrf",
	[LABEL_SAMPLER] = "sampler",
};

uint64_t label_application_id(const uint8_t *bytes, size_t len)
{
	uint64_t selector = 0;

	if (len == 0) {
		return 0;
	}
	for (size_t i = len > 1 + SELECTOR_BYTES ? len - SELECTOR_BYTES : 1; i < len; i++) {
		selector = selector << 8 | bytes[i];
	}
	return (uint64_t)bytes[0] << ENGINE_SHIFT | selector;
}

/* ---- entries ---- */

static guint entry_hash(gconstpointer pointer)
{
	const struct entry *entry = pointer;

	return g_str_hash(entry->sensor) ^ g_str_hash(entry->exporter) * 31 ^
	       g_int64_hash(&entry->id) ^ (guint)entry->kind << 24;
}

static int compare_entries(const struct entry *a, const struct entry *b)
{
	int order = strcmp(a->sensor, b->sensor);

	order = order ? order : strcmp(a->exporter, b->exporter);
	order = order ? order : (a->kind > b->kind) - (a->kind < b->kind);
	return order ? order : (a->id > b->id) - (a->id < b->id);
}

static gboolean entry_equal(gconstpointer a, gconstpointer b)
{
	return compare_entries(a, b) == 0;
}

static gint compare_places(gconstpointer a, gconstpointer b)
{
	return compare_entries(*(struct entry *const *)a, *(struct entry *const *)b);
}

static void entry_free(gpointer pointer)
{
	struct entry *entry = pointer;

	g_free(entry->sensor);
	g_free(entry->exporter);
	g_free(entry->name);
	g_free(entry);
}

struct labels *labels_new(void)
{
	struct labels *labels = g_new0(struct labels, 1);

	labels->entries = g_hash_table_new_full(entry_hash, entry_equal, entry_free, NULL);
	return labels;
}

static void forget_order(struct labels *labels)
{
	g_clear_pointer(&labels->sorted, g_ptr_array_unref);
	g_clear_pointer(&labels->answers, g_hash_table_unref);
}

void labels_free(struct labels *labels)
{
	if (labels == NULL) {
		return;
	}
	forget_order(labels);
	g_hash_table_unref(labels->entries);
	g_free(labels);
}

/* A copy that fits between two tabs. */
static char *clean_text(const char *text)
{
	char *copy = g_strndup(text, LABELS_NAME_BYTES);

	for (char *at = copy; *at; at++) {
		if (g_ascii_iscntrl(*at)) {
			*at = ' ';
		}
	}
	return g_strstrip(copy);
}

static int check_label(const struct label *label, struct err *err)
{
	if ((unsigned)label->kind >= LABEL_KINDS) {
		return err_set(err, ST_EINVAL, "label: no kind %u", (unsigned)label->kind);
	}
	if (strlen(label->sensor) > LABELS_NAME_BYTES ||
	    strlen(label->exporter) > LABELS_NAME_BYTES) {
		return err_set(err, ST_EINVAL, "label '%s': name of sensor or exporter too long",
			       label->name);
	}
	return ST_OK;
}

/* Takes entry. */
static int put_entry(struct labels *labels, struct entry *entry, struct err *err)
{
	struct entry *old = g_hash_table_lookup(labels->entries, entry);
	bool same = old != NULL && strcmp(old->name, entry->name) == 0;

	if (*entry->name == '\0' || same) {
		if (same) {
			old->ours |= entry->ours;
		}
		entry_free(entry);
		return ST_OK;
	}
	if (old == NULL && g_hash_table_size(labels->entries) >= LABELS_MAX) {
		entry_free(entry);
		return err_set(err, ST_ELIMIT, "more than %u labels", LABELS_MAX);
	}
	labels->changed |= entry->ours;
	forget_order(labels);
	g_hash_table_replace(labels->entries, entry, entry);
	return ST_OK;
}

int labels_set(struct labels *labels, const struct label *label, struct err *err)
{
	struct entry *entry;
	int rc = check_label(label, err);

	if (rc != ST_OK) {
		return rc;
	}
	entry = g_new0(struct entry, 1);
	entry->sensor = clean_text(label->sensor);
	entry->exporter = clean_text(label->exporter);
	entry->kind = label->kind;
	entry->id = label->id;
	entry->name = clean_text(label->name);
	entry->ours = true;
	if (*entry->sensor == '\0' || *entry->exporter == '\0' || *entry->sensor == '#') {
		entry_free(entry);
		return err_set(err, ST_EINVAL, "label '%s': sensor or exporter is not a name",
			       label->name);
	}
	return put_entry(labels, entry, err);
}

bool labels_changed(const struct labels *labels)
{
	return labels->changed;
}

size_t labels_count(const struct labels *labels)
{
	return g_hash_table_size(labels->entries);
}

static const GPtrArray *sorted_entries(struct labels *labels)
{
	if (labels->sorted == NULL) {
		GHashTableIter iter;
		gpointer entry;

		labels->sorted = g_ptr_array_new();
		g_hash_table_iter_init(&iter, labels->entries);
		while (g_hash_table_iter_next(&iter, &entry, NULL)) {
			g_ptr_array_add(labels->sorted, entry);
		}
		g_ptr_array_sort(labels->sorted, compare_places);
	}
	return labels->sorted;
}

struct label labels_at(struct labels *labels, size_t i)
{
	const struct entry *entry = g_ptr_array_index(sorted_entries(labels), i);

	return (struct label){ .sensor = entry->sensor,
			       .exporter = entry->exporter,
			       .kind = entry->kind,
			       .id = entry->id,
			       .name = entry->name };
}

/* ---- lookup ---- */

static guint answer_hash(gconstpointer pointer)
{
	const struct answer *answer = pointer;

	return g_str_hash(answer->sensor) ^ g_int64_hash(&answer->id) ^ (guint)answer->kind << 24;
}

static gboolean answer_equal(gconstpointer a, gconstpointer b)
{
	const struct answer *x = a;
	const struct answer *y = b;

	return x->id == y->id && x->kind == y->kind && strcmp(x->sensor, y->sensor) == 0;
}

static void answer_free(gpointer pointer)
{
	struct answer *answer = pointer;

	g_string_free(answer->names, TRUE);
	g_free(answer);
}

/* Is name one of those between the ';' of names? */
static bool is_listed(const GString *names, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = names->str; at != NULL; at = strchr(at, ';')) {
		at += *at == ';';
		if (strncmp(at, name, len) == 0 && (at[len] == ';' || at[len] == '\0')) {
			return true;
		}
	}
	return false;
}

static void add_answer(GHashTable *answers, const struct entry *entry)
{
	struct answer key = { .sensor = entry->sensor, .kind = entry->kind, .id = entry->id };
	struct answer *answer = g_hash_table_lookup(answers, &key);

	if (answer == NULL) {
		answer = g_memdup2(&key, sizeof(key));
		answer->names = g_string_new(entry->name);
		g_hash_table_add(answers, answer);
	} else if (!is_listed(answer->names, entry->name)) {
		g_string_append_printf(answer->names, ";%s", entry->name);
	}
}

static void make_answers(struct labels *labels)
{
	const GPtrArray *sorted = sorted_entries(labels);

	labels->answers = g_hash_table_new_full(answer_hash, answer_equal, answer_free, NULL);
	for (guint i = 0; i < sorted->len; i++) {
		add_answer(labels->answers, g_ptr_array_index(sorted, i));
	}
}

const char *labels_find(struct labels *labels, const char *sensor, enum label_kind kind,
			uint64_t id)
{
	struct answer key = { .sensor = sensor, .kind = kind, .id = id };
	const struct answer *answer;

	if (labels->answers == NULL) {
		make_answers(labels);
	}
	answer = g_hash_table_lookup(labels->answers, &key);
	if (answer == NULL) {
		key.sensor = ANY_SENSOR;
		answer = g_hash_table_lookup(labels->answers, &key);
	}
	return answer != NULL ? answer->names->str : NULL;
}

/* ---- the file ---- */

static int parse_id(const char *text, uint64_t *out)
{
	gchar *end = NULL;

	errno = 0;
	*out = g_ascii_strtoull(text, &end, 10);
	return g_ascii_isdigit(*text) && *end == '\0' && errno == 0 ? ST_OK : ST_EFORMAT;
}

static int parse_kind(const char *text, enum label_kind *out)
{
	for (unsigned kind = 0; kind < LABEL_KINDS; kind++) {
		if (strcmp(text, kind_names[kind]) == 0) {
			*out = (enum label_kind)kind;
			return ST_OK;
		}
	}
	return ST_END;
}

/* "SENSOR\tEXPORTER\tKIND\tID\tNAME". A kind of a later release is passed over. */
static int take_line(struct labels *labels, const char *line, bool ours, struct err *err)
{
	char **parts = g_strsplit(line, "\t", 5);
	struct entry *entry = NULL;
	enum label_kind kind;
	uint64_t id;
	int rc = ST_EFORMAT;

	if (g_strv_length(parts) != 5 || *parts[0] == '\0' || *parts[1] == '\0' ||
	    parse_id(parts[3], &id) != ST_OK) {
		goto done;
	}
	rc = parse_kind(parts[2], &kind);
	if (rc == ST_OK) {
		entry = g_new0(struct entry, 1);
		entry->sensor = clean_text(parts[0]);
		entry->exporter = clean_text(parts[1]);
		entry->kind = kind;
		entry->id = id;
		entry->name = clean_text(parts[4]);
		entry->ours = ours;
		rc = put_entry(labels, entry, err);
	}
done:
	g_strfreev(parts);
	return rc == ST_END ? ST_OK : rc;
}

int labels_take_line(struct labels *labels, const char *line, struct err *err)
{
	int rc = take_line(labels, line, true, err);

	return rc == ST_EFORMAT ? err_set(err, rc, "'%s' is no label", line) : rc;
}

static int parse_text(struct labels *labels, const char *text, const char *path, struct err *err)
{
	char **lines;
	int rc = ST_OK;

	/* made by the lock, or by a process that ended before it wrote */
	if (*text == '\0') {
		return ST_OK;
	}
	if (!g_str_has_prefix(text, HEADING)) {
		return err_set(err, ST_EFORMAT, "%s: is no file of labels", path);
	}
	lines = g_strsplit(text, "\n", -1);
	for (size_t i = 1; rc == ST_OK && lines[i] != NULL; i++) {
		if (*lines[i] == '\0' || *lines[i] == '#') {
			continue;
		}
		rc = take_line(labels, lines[i], false, err);
		if (rc == ST_EFORMAT) {
			err_set(err, rc, "%s: line %zu is no label", path, i + 1);
		}
	}
	g_strfreev(lines);
	return rc;
}

static int read_fd(int fd, const char *path, char **out, struct err *err)
{
	struct stat st;
	char *text;
	size_t have = 0;

	if (fstat(fd, &st) != 0) {
		return err_errno(err, ST_EIO, errno, "%s", path);
	}
	if (st.st_size > (off_t)FILE_BYTES_MAX) {
		return err_set(err, ST_ELIMIT, "%s: larger than %u bytes", path, FILE_BYTES_MAX);
	}
	text = g_malloc((size_t)st.st_size + 1);
	while (have < (size_t)st.st_size) {
		ssize_t n = pread(fd, text + have, (size_t)st.st_size - have, (off_t)have);

		if (n < 0 && errno != EINTR) {
			int rc = err_errno(err, ST_EIO, errno, "%s", path);

			g_free(text);
			return rc;
		}
		if (n == 0) {
			break;
		}
		have += n > 0 ? (size_t)n : 0;
	}
	text[have] = '\0';
	*out = text;
	return ST_OK;
}

static int load_fd(struct labels *labels, int fd, const char *path, struct err *err)
{
	char *text = NULL;
	int rc = read_fd(fd, path, &text, err);

	if (rc == ST_OK) {
		rc = parse_text(labels, text, path, err);
	}
	g_free(text);
	return rc;
}

int labels_load(struct labels **out, const char *root, struct err *err)
{
	char *path = g_build_filename(root, LABELS_FILE, NULL);
	struct labels *labels = labels_new();
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = ST_OK;

	if (fd >= 0) {
		rc = load_fd(labels, fd, path, err);
		close(fd);
	} else if (errno != ENOENT) {
		rc = err_errno(err, ST_EIO, errno, "%s", path);
	}
	g_free(path);
	if (rc != ST_OK) {
		labels_free(labels);
		return rc;
	}
	*out = labels;
	return ST_OK;
}

static void print_label(const struct entry *entry, GString *text)
{
	g_string_append_printf(text, "%s\t%s\t%s\t%" PRIu64 "\t%s", entry->sensor, entry->exporter,
			       kind_names[entry->kind], entry->id, entry->name);
}

static GString *print_labels(struct labels *labels)
{
	const GPtrArray *sorted = sorted_entries(labels);
	GString *text = g_string_new(HEADING);

	for (guint i = 0; i < sorted->len; i++) {
		print_label(g_ptr_array_index(sorted, i), text);
		g_string_append_c(text, '\n');
	}
	return text;
}

static int write_file(const char *path, int old_fd, const GString *text, struct err *err)
{
	struct stat st;
	char *name = NULL;
	int fd = -1;
	int rc;

	if (fstat(old_fd, &st) != 0) {
		return err_errno(err, ST_EIO, errno, "%s", path);
	}
	rc = lockedfile_temporary(path, &st, &name, &fd, err);
	if (rc != ST_OK) {
		return rc;
	}
	rc = newfile_write(fd, 0, text->str, text->len, err);
	if (rc == ST_OK && fsync(fd) != 0) {
		rc = err_errno(err, ST_EIO, errno, "%s", name);
	}
	close(fd);
	if (rc == ST_OK) {
		rc = lockedfile_replace(name, path, err);
	}
	if (rc != ST_OK) {
		unlink(name);
	}
	g_free(name);
	return rc;
}

/* What the file has and we were not told. */
static int merge(struct labels *labels, struct labels *file, struct err *err)
{
	const GPtrArray *sorted = sorted_entries(file);
	int rc = ST_OK;

	for (guint i = 0; rc == ST_OK && i < sorted->len; i++) {
		const struct entry *theirs = g_ptr_array_index(sorted, i);
		const struct entry *ours = g_hash_table_lookup(labels->entries, theirs);
		struct entry *copy;

		if (ours != NULL && ours->ours) {
			continue;
		}
		copy = g_memdup2(theirs, sizeof(*theirs));
		copy->sensor = g_strdup(theirs->sensor);
		copy->exporter = g_strdup(theirs->exporter);
		copy->name = g_strdup(theirs->name);
		rc = put_entry(labels, copy, err);
	}
	return rc;
}

static int save_locked(struct labels *labels, const char *path, int fd, struct err *err)
{
	struct labels *file = labels_new();
	GString *before = NULL;
	GString *after = NULL;
	int rc = load_fd(file, fd, path, err);

	if (rc == ST_OK) {
		rc = merge(labels, file, err);
	}
	if (rc == ST_OK) {
		before = print_labels(file);
		after = print_labels(labels);
		if (!g_string_equal(before, after)) {
			rc = write_file(path, fd, after, err);
		}
	}
	if (before != NULL) {
		g_string_free(before, TRUE);
		g_string_free(after, TRUE);
	}
	labels_free(file);
	return rc;
}

int labels_save(struct labels *labels, const char *root, struct err *err)
{
	char *path = g_build_filename(root, LABELS_FILE, NULL);
	int fd = -1;
	int rc = lockedfile_open(path, LOCKEDFILE_CREATE, &fd, err);

	if (rc == ST_OK) {
		rc = save_locked(labels, path, fd, err);
		close(fd);
	}
	if (rc == ST_OK) {
		labels->changed = false;
	}
	g_free(path);
	return rc;
}

int labels_put(struct labels *labels, const struct hourlines_place *place, struct err *err)
{
	const GPtrArray *sorted;
	GString *line;
	int rc = ST_OK;

	if (place->root) {
		return labels_save(labels, place->root, err);
	}
	sorted = sorted_entries(labels);
	line = g_string_new(NULL);
	for (guint i = 0; rc == ST_OK && i < sorted->len; i++) {
		g_string_truncate(line, 0);
		print_label(g_ptr_array_index(sorted, i), line);
		rc = place->put(place->arg, LABELS_FILE, line->str, err);
	}
	labels->changed &= rc != ST_OK;
	g_string_free(line, TRUE);
	return rc;
}
