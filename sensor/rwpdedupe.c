/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwpdedupe: one of the packets that several capture files have. */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/numlist.h"
#include "common/optmain.h"
#include "common/timestamp.h"
#include "sensor/capture.h"
#include "sensor/ip4frame.h"
#include "sensor/pcapfile.h"

#define PROGRAM          "rwpdedupe"
#define THRESHOLD_MAX_MS 1000000

struct random_choice {
	bool given;
	bool seeded;
	uint64_t seed;
};

struct dedupe_opts {
	uint64_t threshold_ms;
	bool first;
	struct random_choice random;
};

static int parse_random(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct random_choice *random = dest;

	random->given = true;
	random->seeded = text != NULL;
	return text ? number_parse(text, 0, UINT32_MAX, &random->seed, err) : ST_OK;
}

static const struct opt dedupe_table[] = {
	OPT_U64(struct dedupe_opts, threshold_ms, "threshold", 0, "MS", 0, THRESHOLD_MAX_MS,
		"packets are duplicates when they are no more milliseconds apart",
		.default_text = "0"),
	OPT_FLAG(struct dedupe_opts, first, "first-duplicate", 0, "of duplicates keep the earliest",
		 .flags = OPT_ONCE),
	OPT_CALL(struct dedupe_opts, random, "random-duplicate", 0, "SEED", parse_random,
		 OPT_ARG_OPTIONAL | OPT_ONCE, "of duplicates keep one drawn at random"),
	OPT_END,
};

static const struct optmain program = {
	.name = PROGRAM,
	.usage = "{--first-duplicate | --random-duplicate[=SEED]} [SWITCHES] CAPTURE-FILE...",
	.summary = "Write one of the packets that several capture files have",
	.table = dedupe_table,
};

/* Of one input: where the next packet is. */
struct input {
	const char *name;
	struct capture *capture;
	GQueue packets; /* of struct saved *, read ahead */
};

struct saved {
	int64_t time_ns;
	uint32_t captured, wire_len;
	uint8_t bytes[];
};

struct dedupe {
	const struct dedupe_opts *opts;
	struct input *inputs;
	size_t count;
	struct pcapfile *out;
};

static void save_packet(void *arg, int64_t time_ns, const uint8_t *bytes, uint32_t captured,
			uint32_t wire_len)
{
	struct input *input = arg;
	struct saved *saved = g_malloc(sizeof(*saved) + captured);

	*saved = (struct saved){ time_ns, captured, wire_len };
	memcpy(saved->bytes, bytes, captured);
	g_queue_push_tail(&input->packets, saved);
}

/* The next packet, which stays; NULL: no more. A damaged file ends at its damage, which is told. */
static struct saved *input_head(struct input *input)
{
	struct err err;
	int status = ST_OK;

	while (g_queue_is_empty(&input->packets) && input->capture) {
		status = capture_read(input->capture, save_packet, input, &err);
		if (status != ST_OK) {
			if (status != ST_END) {
				fprintf(stderr, PROGRAM ": %s\n", err.text);
			}
			capture_close(input->capture);
			input->capture = NULL;
		}
	}
	return g_queue_peek_head(&input->packets);
}

/* What both have of the IP packet behind its header. */
static size_t payload_bytes(const struct saved *packet, const struct ip4frame *frame)
{
	size_t header = (size_t)(frame->payload - packet->bytes) - IP4FRAME_ETHERNET_BYTES;

	return MIN(frame->payload_bytes, frame->bytes > header ? frame->bytes - header : 0);
}

/* Ethernet headers alike, and addresses, protocol and payload, or all of what is no IPv4. */
static bool is_same(const struct saved *a, const struct saved *b)
{
	struct ip4frame frame_a;
	struct ip4frame frame_b;

	if (a->captured < IP4FRAME_ETHERNET_BYTES || b->captured < IP4FRAME_ETHERNET_BYTES ||
	    memcmp(a->bytes, b->bytes, IP4FRAME_ETHERNET_BYTES) != 0 ||
	    ip4frame_parse(a->bytes, a->captured, &frame_a) != IP4FRAME_OK ||
	    ip4frame_parse(b->bytes, b->captured, &frame_b) != IP4FRAME_OK || !frame_a.payload ||
	    !frame_b.payload) {
		return a->captured == b->captured && memcmp(a->bytes, b->bytes, a->captured) == 0;
	}
	return frame_a.sip == frame_b.sip && frame_a.dip == frame_b.dip &&
	       frame_a.protocol == frame_b.protocol &&
	       payload_bytes(a, &frame_a) == payload_bytes(b, &frame_b) &&
	       memcmp(frame_a.payload, frame_b.payload, payload_bytes(a, &frame_a)) == 0;
}

/* The input with the earliest next packet; NULL: all are at their ends. */
static struct input *find_earliest(const struct dedupe *dedupe)
{
	struct input *earliest = NULL;

	for (size_t i = 0; i < dedupe->count; i++) {
		struct saved *head = input_head(&dedupe->inputs[i]);

		if (head && (!earliest || head->time_ns < input_head(earliest)->time_ns)) {
			earliest = &dedupe->inputs[i];
		}
	}
	return earliest;
}

/* Take a packet and those at the heads of other inputs that are the same; write one. */
static int take_packet(struct dedupe *dedupe, struct input *input, struct err *err)
{
	const int64_t threshold_ns = (int64_t)dedupe->opts->threshold_ms * NS_PER_MS;
	struct saved *kept = g_queue_pop_head(&input->packets);
	GPtrArray *same = g_ptr_array_new_with_free_func(g_free);
	int status;

	g_ptr_array_add(same, kept);
	for (size_t i = 0; i < dedupe->count; i++) {
		struct input *other = &dedupe->inputs[i];
		struct saved *head = other != input ? input_head(other) : NULL;

		if (head && head->time_ns - kept->time_ns <= threshold_ns && is_same(kept, head)) {
			g_ptr_array_add(same, g_queue_pop_head(&other->packets));
		}
	}
	if (dedupe->opts->random.given && same->len > 1) {
		kept = g_ptr_array_index(same, (guint)random() % same->len);
	}
	status = pcapfile_write(dedupe->out, kept->time_ns, kept->bytes, kept->captured,
				kept->wire_len, err);
	g_ptr_array_free(same, TRUE);
	return status;
}

static int open_inputs(struct dedupe *dedupe, const struct opt_result *names, struct err *err)
{
	int status = ST_OK;

	dedupe->count = (size_t)names->nargs;
	dedupe->inputs = g_new0(struct input, dedupe->count);
	for (size_t i = 0; status == ST_OK && i < dedupe->count; i++) {
		struct input *input = &dedupe->inputs[i];

		input->name = strcmp(names->args[i], "stdin") == 0 ? "-" : names->args[i];
		g_queue_init(&input->packets);
		status = capture_open_file(&input->capture, input->name, NULL, err);
	}
	return status;
}

/* In a form that takes the packets of all inputs. */
static int create_output(struct dedupe *dedupe, struct err *err)
{
	struct pcapfile_form form = { 0 };
	int status = ST_OK;

	for (size_t i = 0; status == ST_OK && i < dedupe->count; i++) {
		const struct input *input = &dedupe->inputs[i];
		struct pcapfile_form own;

		status = capture_file_form(input->capture, i > 0 ? &own : &form, err);
		if (status == ST_OK && i > 0 && pcapfile_form_join(&form, &own, err) != ST_OK) {
			status = err_prefix(err, "%s", input->name);
		}
	}
	return status == ST_OK ? pcapfile_create(&dedupe->out, "stdout", false, &form, err)
			       : status;
}

static int run(struct dedupe *dedupe, const struct opt_result *names)
{
	struct err err;
	struct input *input;
	int status = open_inputs(dedupe, names, &err);
	int closed;

	if (status == ST_OK) {
		status = create_output(dedupe, &err);
	}
	while (status == ST_OK && (input = find_earliest(dedupe))) {
		status = take_packet(dedupe, input, &err);
	}
	closed = pcapfile_close(dedupe->out, status == ST_OK ? &err : NULL);
	if (status != ST_OK || closed != ST_OK) {
		fprintf(stderr, PROGRAM ": %s\n", err.text);
	}
	for (size_t i = 0; i < dedupe->count; i++) {
		capture_close(dedupe->inputs[i].capture);
		g_queue_clear_full(&dedupe->inputs[i].packets, g_free);
	}
	g_free(dedupe->inputs);
	return status == ST_OK && closed == ST_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const char *find_fault(const struct dedupe_opts *opts, int names)
{
	if (opts->first && opts->random.given) {
		return "--first-duplicate and --random-duplicate exclude each other";
	}
	if (!opts->first && !opts->random.given) {
		return "one of --first-duplicate and --random-duplicate must be given";
	}
	return names < 2 ? "two or more capture files must be named" : NULL;
}

static void seed_numbers(const struct random_choice *choice)
{
	unsigned seed = (unsigned)choice->seed;

	if (choice->given && !choice->seeded && getrandom(&seed, sizeof(seed), 0) < 0) {
		seed = 1; /* any choice is as good */
	}
	srandom(seed);
}

int main(int argc, char **argv)
{
	struct dedupe_opts opts = { 0 };
	struct dedupe dedupe = { .opts = &opts };
	struct opt_result names = { 0 };
	const char *fault;
	int status;

	if (!optmain_parse(&program, &opts, argc, argv, &names, &status)) {
		return status;
	}
	fault = find_fault(&opts, names.nargs);
	if (fault) {
		status = optmain_usage(&program, fault);
	} else {
		seed_numbers(&opts.random);
		status = run(&dedupe, &names);
	}
	g_free(names.args);
	return status;
}
