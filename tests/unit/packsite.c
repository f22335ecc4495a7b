/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/packsite.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

const char *packsite_file(const char *name, const char *text)
{
	static char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", unit_scratch(), name);
	file = fopen(path, "w");
	if (!file || fputs(text, file) == EOF || fclose(file) != 0) {
		perror(path);
		exit(99);
	}
	return path;
}

struct site *packsite_load(void)
{
	struct site *site;
	struct err err;

	if (site_load(&site, unit_path("conf/silk.conf"), &err) != ST_OK) {
		fprintf(stderr, "%s\n", err.text);
		exit(99);
	}
	return site;
}

static void packsite_complain(void *arg, const char *text)
{
	(void)arg;
	printf("# %s\n", text);
}

struct sensorconf *packsite_sensorconf(const struct site *site, enum packlogic logic,
				       const char *text)
{
	struct sensorconf *conf = NULL;
	struct err err;

	if (sensorconf_load(&conf, packsite_file("sensor.conf", text), site, logic,
			    packsite_complain, NULL, &err) != ST_OK) {
		UNIT_ASSERT_STR(err.text, "");
	}
	return conf;
}
