/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/extensionlist.h"

#include <glib.h>

#include "common/iemodel.h"

/* One column, of the blocks where it has this type. */
struct listed {
	struct column_key key;
	uint8_t type;
	size_t blocks;
};

struct extensionlist {
	GArray *columns;  /* struct listed, ascending */
	GPtrArray *texts; /* char * */
};

static int compare(const struct listed *a, const struct listed *b)
{
	int order = column_key_compare(&a->key, &b->key);

	return order != 0 ? order : (a->type > b->type) - (a->type < b->type);
}

static void add_column(GArray *columns, const struct flowblock_column *column)
{
	const struct listed added = { .key = column->key, .type = column->type, .blocks = 1 };
	guint at = 0;

	while (at < columns->len) {
		struct listed *listed = &g_array_index(columns, struct listed, at);
		int order = compare(&added, listed);

		if (order == 0) {
			listed->blocks++;
			return;
		}
		if (order < 0) {
			break;
		}
		at++;
	}
	g_array_insert_val(columns, at, added);
}

static char *make_text(const struct iemodel *model, const struct listed *listed, size_t blocks)
{
	const struct ie *ie = iemodel_by_id(model, listed->key.pen, listed->key.id);

	return g_strdup_printf("%s%s%u/%u %s, in %zu of %zu blocks", ie != NULL ? ie->name : "",
			       ie != NULL ? " " : "", listed->key.pen, listed->key.id,
			       ie_type_name(listed->type), listed->blocks, blocks);
}

struct extensionlist *extensionlist_new(const struct blockfile *blocks)
{
	struct extensionlist *list = g_new0(struct extensionlist, 1);
	struct iemodel *model = NULL;

	list->columns = g_array_new(FALSE, FALSE, sizeof(struct listed));
	list->texts = g_ptr_array_new_with_free_func(g_free);
	for (size_t i = 0; i < blockfile_count(blocks); i++) {
		const struct flowblock *block = blockfile_block(blocks, i);

		for (size_t n = 0; n < block->column_count; n++) {
			if (column_find(&block->columns[n].key) == COLUMN_COUNT) {
				add_column(list->columns, &block->columns[n]);
			}
		}
	}
	if (list->columns->len > 0) {
		model = iemodel_new();
	}
	for (guint i = 0; i < list->columns->len; i++) {
		const struct listed *listed = &g_array_index(list->columns, struct listed, i);

		g_ptr_array_add(list->texts, make_text(model, listed, blockfile_count(blocks)));
	}
	iemodel_free(model);
	return list;
}

void extensionlist_free(struct extensionlist *list)
{
	if (list != NULL) {
		g_array_unref(list->columns);
		g_ptr_array_unref(list->texts);
		g_free(list);
	}
}

size_t extensionlist_count(const struct extensionlist *list)
{
	return list->texts->len;
}

const char *extensionlist_text(const struct extensionlist *list, size_t i)
{
	return g_ptr_array_index(list->texts, i);
}
