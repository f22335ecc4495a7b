/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/compressionopt.h"

int compressionopt_parse(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct compressionopt *compression = dest;

	compression->given = true;
	return compression_parse(text, &compression->method, err);
}

static int check_method(const char *text, struct err *err)
{
	enum compression method;

	return compression_parse(text, &method, err);
}

const struct standin compressionopt_standins[] = {
	{ "compression-method", COMPRESSIONOPT_VARIABLE, check_method },
	{ NULL, NULL, NULL },
};

uint8_t compressionopt_choose(const struct compressionopt *opt, const char *variable)
{
	enum compression method = COMPRESSION_DEFAULT;

	if (opt->given) {
		return (uint8_t)opt->method;
	}
	return variable && *variable && compression_parse(variable, &method, NULL) == ST_OK
		       ? (uint8_t)method
		       : COMPRESSION_DEFAULT;
}
