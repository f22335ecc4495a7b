/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A statement is known by its first token and read from left to right. What a wrong statement has
 * done before its fault stays done: it may have fixed the mode, made the default word, or brought
 * in its own word. The bytes of files made in spite of faults depend on that.
 */
#include "query/pmaptext.h"

#include <glib.h>
#include <stdarg.h>
#include <string.h>

#include "common/cidr.h"
#include "common/numlist.h"

#define BLANKS       " \t\r"
#define DIGITS       "0123456789"
#define HEX_DIGITS   DIGITS "abcdefABCDEF"
#define DEFAULT_WORD "UNKNOWN"

struct pmaptext {
	struct pmap *pmap;
	pmaptext_warn_fn warn;
	void *arg;
	unsigned line;
	unsigned faults;
	bool mode_from_switch;
	bool mode_given;
	bool mode_frozen;   /* it has decided what something means */
	bool labels_frozen; /* a statement with a word of theirs has been read */
	bool has_name;
	bool has_default;
	bool label_seen;
	uint32_t label_max; /* highest value of a good label */
};

/* A range as far as it has been read. */
struct range {
	const struct range_form *form;
	struct ip ends[2];
};

/* What begins a range. */
struct range_form {
	size_t (*scan)(const char *text); /* bytes of the token; 0: not this form */
	int (*take)(struct pmaptext *text, const char *token, struct range *range, int end);
	bool both_ends; /* a second token of the same form follows */
	bool of_ips;
	bool of_ports;
};

struct pmaptext *pmaptext_new(pmaptext_warn_fn warn, void *arg)
{
	struct pmaptext *text = g_new0(struct pmaptext, 1);

	text->pmap = pmap_new(PMAP_IPV4);
	text->warn = warn;
	text->arg = arg;
	return text;
}

struct pmap *pmaptext_finish(struct pmaptext *text, unsigned *faults)
{
	struct pmap *pmap = text->pmap;

	*faults = text->faults;
	g_free(text);
	return pmap;
}

static int fault(struct pmaptext *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int fault(struct pmaptext *text, const char *fmt, ...)
{
	char *reason;
	char *whole;
	va_list ap;

	va_start(ap, fmt);
	reason = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	whole = g_strdup_printf("line %u: %s", text->line, reason);
	text->warn(text->arg, whole);
	text->faults++;
	g_free(whole);
	g_free(reason);
	return ST_EINVAL;
}

/* --- tokens --- */

static size_t scan_number(const char *text)
{
	return strspn(text, DIGITS);
}

static size_t scan_ports(const char *text)
{
	size_t protocol = scan_number(text);
	size_t port = protocol && text[protocol] == '/' ? scan_number(text + protocol + 1) : 0;

	return port ? protocol + 1 + port : 0;
}

static size_t scan_ip(const char *text)
{
	size_t digits = strspn(text, HEX_DIGITS);
	size_t rest = text[digits] == '.' || text[digits] == ':'
			      ? strspn(text + digits + 1, HEX_DIGITS ".:")
			      : 0;

	return rest ? digits + 1 + rest : 0;
}

static size_t scan_cidr(const char *text)
{
	size_t ip = scan_ip(text);
	size_t prefix = ip && text[ip] == '/' ? scan_number(text + ip + 1) : 0;

	return prefix ? ip + 1 + prefix : 0;
}

/* End the token of len bytes at *pos and go behind the blanks after it; NULL: there are none. */
static char *cut_token(char **pos, size_t len)
{
	char *token = *pos;
	size_t blanks = len ? strspn(token + len, BLANKS) : 0;

	if (!blanks) {
		return NULL;
	}
	token[len] = '\0';
	*pos = token + len + blanks;
	return token;
}

/* The rest of the line up to a comment or carriage return, without blanks around it; NULL: nothing
 * is there. *extra: something follows that is no comment. */
static char *cut_word(char *pos, bool *extra)
{
	size_t len = strcspn(pos, "#\r");
	const char *rest = pos + len + strspn(pos + len, BLANKS);

	*extra = *rest && *rest != '#';
	while (len && strchr(BLANKS, pos[len - 1])) {
		len--;
	}
	pos[len] = '\0';
	return len ? pos : NULL;
}

/* --- words and values --- */

/* Without a default statement before the first range. */
static int make_default(struct pmaptext *text)
{
	uint32_t value;
	struct err err;

	if (text->has_default) {
		return ST_OK;
	}
	text->has_default = true;
	if (pmap_add_word(text->pmap, DEFAULT_WORD, &value, &err) != ST_OK) {
		return fault(text, "%s", err.text);
	}
	pmap_set_default(text->pmap, value);
	return ST_OK;
}

/* After a label statement only known words and numbers will do; the highest number is not checked
 * if it is 0. */
static int label_value(const struct pmaptext *text, const char *word, uint32_t *value)
{
	uint64_t number;

	if (number_parse(word, 0, text->label_max ? text->label_max : UINT32_MAX, &number, NULL) ==
	    ST_OK) {
		*value = (uint32_t)number;
		return ST_OK;
	}
	return pmap_find_word(text->pmap, word, value) ? ST_OK : ST_ENOENT;
}

static int word_value(struct pmaptext *text, const char *word, uint32_t *value)
{
	struct err err;

	if (text->label_seen) {
		return label_value(text, word, value) == ST_OK
			       ? ST_OK
			       : fault(text, "no label statement for '%s'", word);
	}
	return pmap_add_word(text->pmap, word, value, &err) == ST_OK ? ST_OK
								     : fault(text, "%s", err.text);
}

/* All label statements so far were wrong: what uses them must be wrong too. */
static bool labels_failed(struct pmaptext *text)
{
	if (text->label_seen && !pmap_word_limit(text->pmap)) {
		fault(text, "none of the label statements is right, giving up");
		return true;
	}
	return false;
}

/* --- statements with keywords --- */

static const struct mode {
	const char *name;
	enum pmap_kind kind;
} modes[] = {
	{ "ip", PMAP_IPV4 },
	{ "ipv4", PMAP_IPV4 },
	{ "ipv6", PMAP_IPV6 },
	{ "proto-port", PMAP_PROTO_PORT },
};

static const struct mode *find_mode(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
		if (strcmp(modes[i].name, name) == 0) {
			return &modes[i];
		}
	}
	return NULL;
}

int pmaptext_set_mode(struct pmaptext *text, const char *name, struct err *err)
{
	const struct mode *mode = find_mode(name);

	if (!mode) {
		return err_set(err, ST_EINVAL, "invalid mode '%s'", name);
	}
	pmap_set_kind(text->pmap, mode->kind);
	text->mode_given = text->mode_from_switch = true;
	return ST_OK;
}

/* Cut one argument that is the whole rest of the statement; NULL: there is none. *extra: something
 * else follows. */
static char *cut_argument(char *pos, bool *extra)
{
	size_t len = strcspn(pos, BLANKS "#:,");
	size_t blanks = strspn(pos + len, BLANKS);

	*extra = pos[len + blanks] && pos[len + blanks] != '#';
	pos[len] = '\0';
	return len ? pos : NULL;
}

static int incomplete(struct pmaptext *text)
{
	return fault(text, "the statement is incomplete");
}

static int trailing(struct pmaptext *text, bool extra)
{
	return extra ? fault(text, "too many words in the statement") : ST_OK;
}

static int take_mode(struct pmaptext *text, char *pos)
{
	bool extra;
	const char *name = cut_argument(pos, &extra);
	const struct mode *mode = name ? find_mode(name) : NULL;

	if (!name) {
		return incomplete(text);
	}
	if (!mode) {
		fault(text, "invalid mode '%s'", name);
		return ST_END;
	}
	if (mode->kind != pmap_kind(text->pmap) && (text->mode_given || text->mode_frozen)) {
		fault(text, "mode '%s' conflicts with %s", name,
		      text->mode_from_switch ? "the one of the command line"
		      : text->mode_given     ? "an earlier one"
					     : "the ranges before it");
		return ST_END;
	}
	if (!text->mode_frozen) {
		pmap_set_kind(text->pmap, mode->kind);
	}
	text->mode_given = true;
	return trailing(text, extra);
}

static int take_name(struct pmaptext *text, char *pos)
{
	bool extra;
	const char *name = cut_argument(pos, &extra);

	if (!name) {
		return incomplete(text);
	}
	if (text->has_name) {
		return fault(text, "the map has a name already");
	}
	text->has_name = true;
	pmap_set_name(text->pmap, name);
	return trailing(text, extra);
}

static int take_label(struct pmaptext *text, char *pos)
{
	const char *number = cut_token(&pos, scan_number(pos));
	const char *word;
	bool extra;
	uint64_t value;
	struct err err;

	if (text->labels_frozen) {
		return fault(text, "labels must come before the default and all ranges");
	}
	text->label_seen = true;
	if (!number) {
		return incomplete(text);
	}
	if (number_parse(number, 0, PMAP_NO_VALUE, &value, &err) != ST_OK) {
		return fault(text, "invalid label '%s': %s", number, err.text);
	}
	word = cut_word(pos, &extra);
	if (!word) {
		return incomplete(text);
	}
	if (pmap_put_word(text->pmap, (uint32_t)value, word, &err) != ST_OK) {
		return fault(text, "invalid label '%s %s': %s", number, word, err.text);
	}
	text->label_max = MAX(text->label_max, (uint32_t)value);
	return trailing(text, extra);
}

static int take_default(struct pmaptext *text, char *pos)
{
	bool extra;
	const char *word = cut_word(pos, &extra);
	uint32_t value;

	if (!word) {
		return incomplete(text);
	}
	if (text->has_default) {
		return fault(text, "the default must come once, before all ranges");
	}
	text->labels_frozen = true;
	if (labels_failed(text)) {
		return ST_EFORMAT;
	}
	if (word_value(text, word, &value) != ST_OK) {
		return ST_EINVAL;
	}
	if (value >= pmap_word_limit(text->pmap)) {
		return fault(text, "no label statement for the default '%s'", word);
	}
	text->has_default = true;
	pmap_set_default(text->pmap, value);
	return trailing(text, extra);
}

/* --- ranges --- */

static int check_family(struct pmaptext *text, bool is_v6)
{
	return is_v6 && pmap_kind(text->pmap) != PMAP_IPV6
		       ? fault(text, "an IPv6 address in a map of something else")
		       : ST_OK;
}

static int take_ip(struct pmaptext *text, const char *token, struct range *range, int end)
{
	bool is_v6;
	struct err err;

	if (ip_parse(token, &range->ends[end], &is_v6, &err) != ST_OK) {
		return fault(text, "invalid address '%s': %s", token, err.text);
	}
	return check_family(text, is_v6);
}

static int take_block(struct pmaptext *text, const char *token, struct range *range, int end)
{
	struct cidr block;
	struct err err;

	if (cidr_parse_min(token, 1, &block, &err) != ST_OK) {
		return fault(text, "invalid block '%s': %s", token, err.text);
	}
	range->ends[0] = block.first;
	range->ends[1] = block.last;
	return check_family(text, block.is_v6);
}

/* An address or a protocol: from here on the mode must be known. */
static int take_number(struct pmaptext *text, const char *token, struct range *range, int end)
{
	bool of_ports = pmap_kind(text->pmap) == PMAP_PROTO_PORT;
	uint64_t number;
	struct err err;

	text->mode_frozen = true;
	if (number_parse(token, 0, of_ports ? UINT8_MAX : UINT32_MAX, &number, &err) != ST_OK) {
		return fault(text, "invalid %s '%s': %s", of_ports ? "protocol" : "address", token,
			     err.text);
	}
	range->ends[end] = of_ports ? pmap_port_key((uint8_t)number, end ? UINT16_MAX : 0)
				    : ip_from_v4((uint32_t)number);
	return ST_OK;
}

static int take_ports(struct pmaptext *text, const char *token, struct range *range, int end)
{
	char **parts = g_strsplit(token, "/", 2);
	uint64_t protocol = 0;
	uint64_t port = 0;
	struct err err;
	int status = number_parse(parts[0], 0, UINT8_MAX, &protocol, &err);

	if (status == ST_OK) {
		status = number_parse(parts[1], 0, UINT16_MAX, &port, &err);
	}
	g_strfreev(parts);
	if (status != ST_OK) {
		return fault(text, "invalid protocol and port '%s': %s", token, err.text);
	}
	range->ends[end] = pmap_port_key((uint8_t)protocol, (uint16_t)port);
	return ST_OK;
}

static const struct range_form forms[] = {
	{ .scan = scan_cidr, .take = take_block, .of_ips = true },
	{ .scan = scan_ip, .take = take_ip, .both_ends = true, .of_ips = true },
	{ .scan = scan_ports, .take = take_ports, .both_ends = true, .of_ports = true },
	{ .scan = scan_number, .take = take_number, .both_ends = true },
};

/* The form of the token at pos, which blanks must follow. */
static const struct range_form *find_form(const char *pos)
{
	for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
		size_t len = forms[i].scan(pos);

		if (len && strspn(pos + len, BLANKS)) {
			return &forms[i];
		}
	}
	return NULL;
}

/* The tokens before the word; *pos is then at the word. */
static int take_ends(struct pmaptext *text, struct range *range, char **pos)
{
	int count = range->form->both_ends ? 2 : 1;

	for (int end = 0; end < count; end++) {
		const char *token = cut_token(pos, range->form->scan(*pos));

		if (!token) {
			return fault(text, "the range is not understood");
		}
		if (range->form->take(text, token, range, end) != ST_OK) {
			return ST_EINVAL;
		}
	}
	return ST_OK;
}

static int add_range(struct pmaptext *text, const struct range *range, uint32_t value)
{
	struct err err;

	if (range->form->of_ports && pmap_kind(text->pmap) != PMAP_PROTO_PORT) {
		return fault(text, "protocol and port in a map of addresses");
	}
	if (range->form->of_ips && pmap_kind(text->pmap) == PMAP_PROTO_PORT) {
		return fault(text, "an address in a map of protocols and ports");
	}
	if (ip_compare(range->ends[0], range->ends[1]) > 0) {
		return fault(text, "the start of the range is behind its end");
	}
	if (pmap_add_range(text->pmap, range->ends[0], range->ends[1], value, &err) != ST_OK) {
		return fault(text, "%s", err.text);
	}
	return ST_OK;
}

static int take_range(struct pmaptext *text, char *pos)
{
	struct range range = { .form = find_form(pos) };
	const char *word;
	bool extra;
	uint32_t value;

	if (!range.form) {
		return fault(text, "the statement is not understood");
	}
	if (take_ends(text, &range, &pos) != ST_OK) {
		return ST_EINVAL;
	}
	word = cut_word(pos, &extra);
	if (!word) {
		return incomplete(text);
	}
	text->mode_frozen = true;
	text->labels_frozen = true;
	if (labels_failed(text)) {
		return ST_EFORMAT;
	}
	if (make_default(text) != ST_OK || word_value(text, word, &value) != ST_OK) {
		return ST_EINVAL;
	}
	if (add_range(text, &range, value) != ST_OK) {
		return ST_EINVAL;
	}
	return trailing(text, extra);
}

/* --- lines --- */

static const struct keyword {
	const char *name;
	int (*take)(struct pmaptext *text, char *pos);
} keywords[] = {
	{ "default", take_default },
	{ "label", take_label },
	{ "map-name", take_name },
	{ "mode", take_mode },
};

int pmaptext_line(struct pmaptext *text, char *line, size_t len)
{
	char *pos = line + strspn(line, BLANKS);
	int status = ST_OK;
	bool known = false;

	text->line++;
	if (*pos == '#' || pos == line + len) {
		return ST_OK;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(keywords) && !known; i++) {
		size_t name_len = strlen(keywords[i].name);

		known = strncmp(pos, keywords[i].name, name_len) == 0 &&
			cut_token(&pos, name_len) != NULL;
		if (known) {
			status = keywords[i].take(text, pos);
		}
	}
	if (!known) {
		status = take_range(text, pos);
	}
	return status == ST_EINVAL ? ST_OK : status;
}
