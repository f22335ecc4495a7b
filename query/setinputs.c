/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/setinputs.h"

#include <pthread.h>
#include <string.h>

#include "common/processors.h"
#include "query/tool.h"
#include "storage/bytesource.h"

/* A file that is being read, perhaps by a thread. */
struct reading {
	const char *path;
	setinputs_read_fn read; /* NULL: with times */
	bool on_thread;
	pthread_t thread;
	int status;
	struct err err;
	struct header header;
	struct ipset *set;
	struct sightings *seen;
};

static void *read_file(void *arg)
{
	struct reading *file = arg;

	file->status = file->read
			       ? file->read(&file->set, file->path, &file->header, &file->err)
			       : sightings_read(&file->seen, file->path, &file->header, &file->err);
	return NULL;
}

/* On a thread if there is a processor for it. */
static void begin_file(struct reading *file)
{
	file->on_thread = !bytesource_is_stdin(file->path) && processors_count() > 1 &&
			  pthread_create(&file->thread, NULL, read_file, file) == 0;
}

static void end_file(struct reading *file)
{
	if (file->on_thread) {
		pthread_join(file->thread, NULL);
	} else {
		read_file(file);
	}
	if (file->status != ST_OK) {
		tool_die("Unable to read IPset from '%s': %s",
			 strcmp(file->path, "-") == 0 ? "stdin" : file->path, file->err.text);
	}
}

void setinputs_read(const struct setinputs *inputs)
{
	struct reading files[2]; /* in turn */

	for (int i = 0; i <= inputs->count; i++) {
		struct reading *next = &files[i % 2];
		struct reading *file = &files[(i + 1) % 2];

		if (i < inputs->count) {
			const char *path = inputs->paths[i];

			*next = (struct reading){ .path = path };
			if (!inputs->times) {
				next->read = inputs->choose(inputs->arg, path, i == 0);
			}
			if (i > 0) {
				begin_file(next);
			}
		}
		if (i > 0) {
			struct setinput input;

			end_file(file);
			input = (struct setinput){ &file->header, file->set, file->seen };
			inputs->take(inputs->arg, &input);
			header_release(&file->header);
		}
	}
}
