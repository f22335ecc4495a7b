/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/err.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static void test_set_and_prefix(void)
{
	struct err err;

	CU_ASSERT_EQUAL(err_set(&err, ST_EFORMAT, "%s: bad", "f"), ST_EFORMAT);
	CU_ASSERT_EQUAL(err_prefix(&err, "line %d", 7), ST_EFORMAT);
	UNIT_ASSERT_STR(err.text, "line 7: f: bad");
	CU_ASSERT_EQUAL(err_errno(&err, ST_EIO, ENOENT, "open %s", "f"), ST_EIO);
	UNIT_ASSERT_STR(err.text, "open f: No such file or directory");
	CU_ASSERT_EQUAL(err_set(NULL, ST_EIO, "nobody listens"), ST_EIO);
}

static void test_long_text_is_cut(void)
{
	struct err err;
	char long_text[3 * ERR_TEXT_MAX];

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	err_set(&err, ST_EIO, "%s", long_text);
	CU_ASSERT_EQUAL(strlen(err.text), ERR_TEXT_MAX - 1);
	err_prefix(&err, "%s", long_text);
	CU_ASSERT(strlen(err.text) < ERR_TEXT_MAX);
}

static void test_every_status_has_a_text(void)
{
	for (int status = ST_EPIPE; status <= ST_END; status++) {
		unit_at("%d", status);
		CU_ASSERT_STRING_NOT_EQUAL(status_text(status), "unknown status");
	}
	UNIT_ASSERT_STR(status_text(-1000), "unknown status");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "set and prefix", test_set_and_prefix },
		{ "long text is cut", test_long_text_is_cut },
		{ "every status has a text", test_every_status_has_a_text },
		{ NULL, NULL },
	};

	return unit_run("err", cases);
}
