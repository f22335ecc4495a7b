/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shared runner of unit tests: CUnit suites, printed as TAP.
 *
 *	static void test_open(void) { CU_ASSERT_EQUAL(thing_open(..), ST_OK); }
 *	static const struct unit_case cases[] = { { "open", test_open }, { NULL, NULL } };
 *	int main(void) { return unit_run("thing", cases); }
 *
 * Inside a test that loops over a table, name the case before asserting: unit_at("%s", c->name);
 * the last name is printed beside each failure.
 */
#ifndef TUSSAH_TESTS_UNIT_H
#define TUSSAH_TESTS_UNIT_H

#include <CUnit/CUnit.h>

struct unit_case {
	const char *name;
	void (*run)(void);
};

int unit_run(const char *suite, const struct unit_case *cases);
void unit_at(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A file of the source tree ("tests/data/x"), whatever the working folder; static buffer. */
const char *unit_path(const char *relative);
/* A fresh folder for scratch files, removed at exit; the same one on every call. */
const char *unit_scratch(void);

/* CUnit's equality of strings, printing both on failure. */
#define UNIT_ASSERT_STR(actual, expected) unit_assert_str(actual, expected, __FILE__, __LINE__)
void unit_assert_str(const char *actual, const char *expected, const char *file, int line);
#define UNIT_ASSERT_U64(actual, expected) unit_assert_u64(actual, expected, __FILE__, __LINE__)
void unit_assert_u64(unsigned long long actual, unsigned long long expected, const char *file,
		     int line);

#endif
