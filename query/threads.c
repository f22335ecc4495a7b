/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/threads.h"

#include "common/processors.h"

const struct opt threads_opt_table[] = {
	OPT_U64(struct threads_opts, threads, "threads", 0, "N", 1, THREADS_MAX,
		"read and work with this many threads", .default_text = "processors",
		.flags = OPT_ADDED),
	OPT_END,
};

unsigned threads_wanted(const struct threads_opts *opts)
{
	return opts->threads > 0 ? (unsigned)opts->threads : processors_count();
}

unsigned threads_for_fields(unsigned threads, const struct field *const *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fields[i]->load_made) {
			return 1;
		}
	}
	return threads;
}
