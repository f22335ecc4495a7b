/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwipfix2silk: files of IPFIX messages become flow records. */
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packer/ipfix.h"
#include "packer/tosilk.h"

#define PROGRAM       "rwipfix2silk"
#define MESSAGE_BYTES 65536

enum interface_values { INTERFACES_SNMP, INTERFACES_VLAN };
static const char *const interface_values[] = { "snmp", "vlan", NULL };

/* Bounds on what one file can make us hold. */
static const struct ipfix_limits limits = {
	.max_templates = 1024,
	.max_template_fields = 1024,
	.max_domains = 256,
};

struct ipfix2silk_opts {
	struct tosilk_opts common;
	int interface_values;
};

static const struct opt ipfix2silk_table[] = {
	OPT_GROUP(struct ipfix2silk_opts, common, tosilk_opt_table),
	OPT_CHOICE(struct ipfix2silk_opts, interface_values, "interface-values", 0, "KIND",
		   interface_values, "what goes into the fields in and out",
		   .default_text = "snmp"),
	OPT_END,
};

static bool is_damage(int status)
{
	return status == ST_EFORMAT || status == ST_ELIMIT;
}

/* What is told of the messages of one file that could not be decoded: why the first was not. */
static void tell_damaged(struct tosilk *self, const char *path, uint64_t damaged, const char *why)
{
	char *text;

	if (damaged == 0) {
		return;
	}
	text = g_strdup_printf("%" PRIu64 " messages cannot be decoded: %s", damaged, why);
	tosilk_complain(self, path, damaged == 1 ? why : text);
	g_free(text);
}

/*
 * A message that is damaged inside its frame does not end the file, bytes that are no message do;
 * both is told. ST_EIO: the output cannot be written.
 */
static int read_messages(struct tosilk *self, struct decoder *decoder, FILE *file, const char *path)
{
	uint8_t *bytes = g_malloc(MESSAGE_BYTES);
	uint64_t damaged = 0;
	struct err err, first = { 0 };
	size_t len = 0;
	int status;

	while ((status = ipfix_read_message(file, bytes, &len, &err)) == ST_OK) {
		const struct decoder_message message = { .bytes = bytes, .len = len };

		status = decoder_take(decoder, &message, &err);
		if (is_damage(status) && damaged++ == 0) {
			first = err;
		} else if (status != ST_OK && !is_damage(status)) {
			break;
		}
	}
	g_free(bytes);
	tell_damaged(self, path, damaged, first.text);
	if (status != ST_END && status != ST_EIO) {
		tosilk_complain(self, path, err.text);
	}
	return status == ST_EIO ? ST_EIO : ST_OK;
}

static int read_file(struct tosilk *self, const void *arg, const char *path,
		     const struct decoder_sink *sink)
{
	const struct ipfix2silk_opts *opts = arg;
	const struct decoder_opts decoder_opts = {
		.limits = limits,
		.mapping = { .vlan_interfaces = opts->interface_values == INTERFACES_VLAN },
	};
	FILE *file = tosilk_is_stdin(path) ? stdin : fopen(path, "rbe");
	struct decoder *decoder;
	uint64_t counts[DECODER_COUNTERS];
	int status;

	if (!file) {
		tosilk_complain(self, path, strerror(errno));
		return ST_ENOENT;
	}
	decoder = decoder_new(&decoder_opts, sink);
	status = read_messages(self, decoder, file, path);
	decoder_get_counts(decoder, counts);
	tosilk_log(self, "forward %" PRIu64 ", reverse %" PRIu64 ", ignored %" PRIu64,
		   counts[DECODER_FORWARD], counts[DECODER_REVERSE], counts[DECODER_IGNORED]);
	decoder_free(decoder);
	if (file != stdin) {
		fclose(file);
	}
	return status;
}

static const struct tosilk_program program = {
	.tool = {
		.name = PROGRAM,
		.usage = "[SWITCHES] [IPFIX-FILES]",
		.summary = "Convert IPFIX records to flow records",
		.table = ipfix2silk_table,
		.standins = compressionopt_standins,
		.getenv = getenv,
	},
	.offset = offsetof(struct ipfix2silk_opts, common),
	.reads_stdin = true,
	.read = read_file,
};

int main(int argc, char **argv)
{
	struct ipfix2silk_opts opts = { .interface_values = INTERFACES_SNMP };

	return tosilk_main(&program, &opts, argc, argv);
}
