/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPset files into sets, and shown to visitors. */
#include "storage/ipset.h"

#include "storage/datafile.h"
#include "storage/ipsetform.h"
#include "storage/ipsetreading.h"

#include <glib.h>

/* What a set is read for: see ipset_read(), ipset_read_growing(), ipset_read_for_adding(). */
enum purpose { FOR_ASKING, FOR_GROWING, FOR_ADDING };

static void load_listed(struct ipset_reading *reading)
{
	for (uint32_t i = 0; i < reading->leaves.count; i++) {
		const struct setblock *leaf = &reading->leaves.at[i];

		ipset_load_range(reading->set, ip_block_first(leaf->ip, leaf->prefix),
				 ip_block_last(leaf->ip, leaf->prefix));
	}
	ipset_finish(reading->set);
}

/* The tree as it was read; if it is no tree of SiLK's, only what it holds. */
static void use_tree(struct ipset_reading *reading)
{
	struct iptree *tree = iptree_adopt(reading->leaves.at, reading->leaves.count,
					   reading->nodes.at, reading->nodes.count);

	if (tree) {
		ipset_use_tree(reading->set, tree);
		reading->leaves.at = NULL;
		return;
	}
	load_listed(reading);
	ipset_regrow_tree(reading->set);
}

static void use_leaves(struct ipset_reading *reading)
{
	if (setblock_are_leaves(reading->leaves.at, reading->leaves.count)) {
		ipset_use_blocks(reading->set, reading->leaves.at, reading->leaves.count);
		reading->leaves.at = NULL;
	} else {
		load_listed(reading);
	}
}

static int read_all(struct ipset_reading *reading, struct err *err)
{
	int status = ST_OK;

	while (status == ST_OK) {
		status = ipset_reading_step(reading, err);
	}
	return status == ST_END ? ST_OK : status;
}

static int read_content(struct ipset_reading *reading, enum purpose purpose, struct err *err)
{
	bool wide = ipset_reading_is_wide(reading);
	int status;

	reading->wants_leaves =
		purpose != FOR_ASKING && wide && reading->file->header->record_version == 3;
	reading->wants_nodes = reading->wants_leaves && purpose == FOR_GROWING;
	reading->set = wide ? ipset_new_wide() : ipset_new();
	status = read_all(reading, err);
	if (status != ST_OK) {
		return status;
	}
	if (reading->wants_nodes && reading->leaves.count) {
		use_tree(reading);
	} else if (reading->leaves.count) {
		use_leaves(reading);
	} else {
		ipset_finish(reading->set);
		if (purpose == FOR_GROWING && wide) {
			ipset_regrow_tree(reading->set);
		}
	}
	return ST_OK;
}

struct visit {
	const struct ipset_visitor *visitor;
	void *arg;
};

static int visit_ranges(struct datafile *file, void *out, struct err *err)
{
	const struct visit *visit = out;
	struct ipset_reading reading = { .visitor = visit->visitor, .arg = visit->arg };
	int status = ipset_reading_begin(&reading, file, err);

	if (status != ST_OK) {
		return status;
	}
	visit->visitor->begin(visit->arg, file->header, ipset_reading_is_wide(&reading));
	status = read_all(&reading, err);
	if (status == ST_OK && reading.lost_order) {
		status =
			err_set(err, ST_EFORMAT, "%s: address blocks are not in order", file->name);
	}
	return status;
}

static int read_set(struct datafile *file, enum purpose purpose, struct ipset **out,
		    struct err *err)
{
	struct ipset_reading reading = { .file = NULL };
	int status = ipset_reading_begin(&reading, file, err);

	if (status == ST_OK) {
		status = read_content(&reading, purpose, err);
	}
	if (status == ST_OK) {
		*out = reading.set;
		reading.set = NULL;
	}
	g_free(reading.nodes.at);
	g_free(reading.leaves.at);
	ipset_free(reading.set);
	return status;
}

static int read_plain(struct datafile *file, void *out, struct err *err)
{
	return read_set(file, FOR_ASKING, out, err);
}

static int read_growing(struct datafile *file, void *out, struct err *err)
{
	return read_set(file, FOR_GROWING, out, err);
}

static int read_for_adding(struct datafile *file, void *out, struct err *err)
{
	return read_set(file, FOR_ADDING, out, err);
}

int ipset_read_from(struct ipset **out, struct bytesource *src, struct header *header,
		    struct err *err)
{
	return datafile_read_from(src, header, read_plain, out, err);
}

int ipset_read_growing_from(struct ipset **out, struct bytesource *src, struct header *header,
			    struct err *err)
{
	return datafile_read_from(src, header, read_growing, out, err);
}

int ipset_read(struct ipset **out, const char *path, struct header *header, struct err *err)
{
	return datafile_read(path, header, read_plain, out, err);
}

int ipset_read_growing(struct ipset **out, const char *path, struct header *header, struct err *err)
{
	return datafile_read(path, header, read_growing, out, err);
}

int ipset_read_for_adding(struct ipset **out, const char *path, struct header *header,
			  struct err *err)
{
	return datafile_read(path, header, read_for_adding, out, err);
}

int ipset_visit(const char *path, const struct ipset_visitor *visitor, void *arg, struct err *err)
{
	struct visit visit = { visitor, arg };

	return datafile_read(path, NULL, visit_ranges, &visit, err);
}
