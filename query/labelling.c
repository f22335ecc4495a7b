/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/labelling.h"

#include <glib.h>

#include "storage/labels.h"

struct labelling {
	const struct site *site;
	struct labels *labels;
};

static const char *find(void *arg, const struct extfield_question *question)
{
	static const enum label_kind kinds[] = {
		[EXTFIELD_INTERFACE] = LABEL_INTERFACE,
		[EXTFIELD_APPLICATION] = LABEL_APPLICATION,
	};
	const struct labelling *labelling = arg;
	const char *sensor = site_sensor_name(labelling->site, question->sensor);
	uint64_t id = question->label == EXTFIELD_APPLICATION
			      ? label_application_id(question->bytes.bytes, question->bytes.len)
			      : question->number;

	return labels_find(labelling->labels, sensor != NULL ? sensor : "-", kinds[question->label],
			   id);
}

struct labelling *labelling_new(struct extfields *ext, struct tool_env *env,
				const struct site_opts *opts)
{
	struct labelling *labelling;
	struct err err;

	if (!extfields_need_labels(ext)) {
		return NULL;
	}
	labelling = g_new0(struct labelling, 1);
	labelling->site = tool_site(env, opts, false);
	if (labels_load(&labelling->labels, tool_rootdir(env, opts), &err) != ST_OK) {
		tool_warn_err(&err);
		labelling->labels = labels_new();
	}
	extfields_set_labels(ext, find, labelling);
	return labelling;
}

void labelling_free(struct labelling *labelling)
{
	if (labelling != NULL) {
		labels_free(labelling->labels);
		g_free(labelling);
	}
}
