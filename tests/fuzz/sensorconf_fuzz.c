/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A sensor configuration, for both packing logics; what is accepted then classifies a record. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "packer/classify.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char site_text[] = "version 2\nsensor 0 S0\nsensor 1 S1\nsensor 2 S2\nclass all\n"
				"sensors S0 S1 S2\ntype 0 in in\nend class\n";

/* The bytes as a file, and its name. */
static int file_of(const void *bytes, size_t size, char *path, size_t path_size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) {
		abort();
	}
	snprintf(path, path_size, "/proc/self/fd/%d", fd);
	return fd;
}

static void use(const struct sensorconf *conf, enum packlogic logic)
{
	struct classify_output outputs[CLASSIFY_OUTPUTS_MAX];
	struct record rec;

	record_init(&rec);
	for (unsigned i = 0; i < sensorconf_probes(conf)->len; i++) {
		if (classify(logic, g_ptr_array_index(sensorconf_probes(conf), i), &rec, outputs) >
		    CLASSIFY_OUTPUTS_MAX) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char site_path[64];
	char path[64];
	int site_fd = file_of(site_text, sizeof(site_text) - 1, site_path, sizeof(site_path));
	int fd = file_of(bytes, size, path, sizeof(path));
	struct site *site = NULL;

	if (site_load(&site, site_path, NULL) != ST_OK) {
		abort();
	}
	for (int logic = 0; logic < PACKLOGICS; logic++) {
		struct sensorconf *conf = NULL;
		struct err err;

		if (sensorconf_load(&conf, path, site, (enum packlogic)logic, NULL, NULL, &err) ==
		    ST_OK) {
			sensorconf_check_supported(conf, &err);
			use(conf, (enum packlogic)logic);
			sensorconf_free(conf);
		}
	}
	site_free(site);
	close(fd);
	close(site_fd);
	return 0;
}
