/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char unit_case_name[256];
static char unit_scratch_path[256];
static pid_t unit_scratch_owner;

void unit_at(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(unit_case_name, sizeof(unit_case_name), fmt, ap);
	va_end(ap);
}

const char *unit_path(const char *relative)
{
	static char path[4096];
	const char *root = getenv("TUSSAH_SRCDIR");

	snprintf(path, sizeof(path), "%s/%s", root ? root : ".", relative);
	return path;
}

static int unit_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* The way out of children, too: they leave it. */
static void unit_remove_scratch(void)
{
	if (unit_scratch_owner != getpid()) {
		return;
	}
	nftw(unit_scratch_path, unit_remove, 16, FTW_DEPTH | FTW_PHYS);
}

const char *unit_scratch(void)
{
	if (!unit_scratch_path[0]) {
		const char *tmp = getenv("TMPDIR");

		snprintf(unit_scratch_path, sizeof(unit_scratch_path), "%s/tussah-unit-XXXXXX",
			 tmp ? tmp : "/tmp");
		if (!mkdtemp(unit_scratch_path)) {
			perror(unit_scratch_path);
			exit(99);
		}
		unit_scratch_owner = getpid();
		atexit(unit_remove_scratch);
	}
	return unit_scratch_path;
}

void unit_assert_str(const char *actual, const char *expected, const char *file, int line)
{
	char text[1024];

	snprintf(text, sizeof(text), "\"%s\" instead of \"%s\"", actual ? actual : "(null)",
		 expected ? expected : "(null)");
	CU_assertImplementation(actual && expected && strcmp(actual, expected) == 0, (unsigned)line,
				text, file, "", CU_FALSE);
}

void unit_assert_u64(unsigned long long actual, unsigned long long expected, const char *file,
		     int line)
{
	char text[128];

	snprintf(text, sizeof(text), "%llu instead of %llu", actual, expected);
	CU_assertImplementation(actual == expected, (unsigned)line, text, file, "", CU_FALSE);
}

static void unit_print_failures(const CU_pFailureRecord failures)
{
	for (CU_pFailureRecord f = failures; f; f = f->pNext) {
		printf("# %s:%u: %s (case %s)\n", f->strFileName, f->uiLineNumber, f->strCondition,
		       unit_case_name[0] ? unit_case_name : "-");
	}
}

int unit_run(const char *suite_name, const struct unit_case *cases)
{
	unsigned number = 0;
	unsigned failed = 0;
	CU_pSuite suite;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (CU_initialize_registry() != CUE_SUCCESS) {
		return 99;
	}
	suite = CU_add_suite(suite_name, NULL, NULL);
	CU_set_error_action(CUEA_IGNORE);
	for (const struct unit_case *c = cases; c->name; c++) {
		CU_pTest test = CU_add_test(suite, c->name, c->run);
		unsigned bad;

		unit_case_name[0] = '\0';
		CU_run_test(suite, test);
		bad = CU_get_number_of_failures();
		printf("%s %u - %s: %s\n", bad ? "not ok" : "ok", ++number, suite_name, c->name);
		unit_print_failures(CU_get_failure_list());
		failed += bad != 0;
	}
	printf("1..%u\n", number);
	CU_cleanup_registry();
	return failed != 0;
}
