/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/snort.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/numlist.h"

#define NESTING_MAX 32 /* of variables and lists */
#define PORT_MAX    65535

struct snort_vars {
	GHashTable *values; /* names to texts */
};

static void free_predicate(gpointer at)
{
	struct snort_predicate *predicate = at;

	g_free(predicate->value);
	g_free(predicate);
}

GPtrArray *snort_predicates_new(void)
{
	return g_ptr_array_new_with_free_func(free_predicate);
}

/* value is taken. */
static void add(GPtrArray *predicates, const char *name, char *value)
{
	struct snort_predicate *predicate = g_new(struct snort_predicate, 1);

	*predicate = (struct snort_predicate){ name, value };
	g_ptr_array_add(predicates, predicate);
}

/* --- variables --- */

int snort_vars_read(struct snort_vars **out, const char *path, struct err *err)
{
	struct snort_vars *vars;
	GError *error = NULL;
	char *text = NULL;
	char **lines;

	if (!g_file_get_contents(path, &text, NULL, &error)) {
		err_set(err, ST_EIO, "%s", error->message);
		g_error_free(error);
		return ST_EIO;
	}
	vars = g_new0(struct snort_vars, 1);
	vars->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		char kind[16];
		char name[128];
		int at = 0;

		if (sscanf(*line, " %15s %127s %n", kind, name, &at) == 2 && at > 0 &&
		    (strcmp(kind, "var") == 0 || strcmp(kind, "ipvar") == 0 ||
		     strcmp(kind, "portvar") == 0)) {
			g_hash_table_replace(vars->values, g_strdup(name),
					     g_strstrip(g_strdup(*line + at)));
		}
	}
	g_strfreev(lines);
	g_free(text);
	*out = vars;
	return ST_OK;
}

void snort_vars_free(struct snort_vars *vars)
{
	if (vars) {
		g_hash_table_destroy(vars->values);
		g_free(vars);
	}
}

/* --- addresses and ports of rules --- */

/* What an expression is made of, handed to fn: single words, and whether they are excluded. */
typedef int (*word_fn)(void *arg, const char *word, bool excluded, struct err *err);

struct expression {
	const struct snort_vars *vars;
	word_fn fn;
	void *arg;
};

static int walk(const struct expression *expression, const char *text, bool excluded,
		unsigned depth, struct err *err);

/* The parts of "[a,[b,c],!d]", at the outermost commas. */
static int walk_list(const struct expression *expression, const char *text, bool excluded,
		     unsigned depth, struct err *err)
{
	GString *part = g_string_new(NULL);
	int nesting = 0;
	int status = ST_OK;

	for (text++; status == ST_OK && *text; text++) {
		nesting += (*text == '[') - (*text == ']');
		if (nesting < 0 || (nesting == 0 && *text == ',')) {
			status = walk(expression, part->str, excluded, depth + 1, err);
			g_string_truncate(part, 0);
			if (nesting < 0) {
				break;
			}
		} else {
			g_string_append_c(part, *text);
		}
	}
	if (status == ST_OK && nesting >= 0) {
		status = err_set(err, ST_EFORMAT, "a list without its end");
	}
	g_string_free(part, TRUE);
	return status;
}

static int walk(const struct expression *expression, const char *text, bool excluded,
		unsigned depth, struct err *err)
{
	char *word = g_strstrip(g_strdup(text));
	const char *at = word;
	const char *value;
	int status;

	if (depth > NESTING_MAX) {
		g_free(word);
		return err_set(err, ST_EFORMAT, "lists or variables within each other without end");
	}
	for (; *at == '!'; at++) {
		excluded = !excluded;
	}
	if (*at == '[') {
		status = walk_list(expression, at, excluded, depth, err);
	} else if (*at == '$') {
		value = expression->vars ? g_hash_table_lookup(expression->vars->values, at + 1)
					 : NULL;
		status = value ? walk(expression, value, excluded, depth + 1, err)
			       : err_set(err, ST_ENOENT, "the variable %s is not known", at);
	} else {
		status = *at ? expression->fn(expression->arg, at, excluded, err) : ST_OK;
	}
	g_free(word);
	return status;
}

struct addresses {
	GString *included;
	GString *excluded;
	unsigned count; /* of the included */
	bool any;
};

static int take_address(void *arg, const char *word, bool excluded, struct err *err)
{
	struct addresses *addresses = arg;
	GString *list = excluded ? addresses->excluded : addresses->included;

	if (strcmp(word, "any") == 0) {
		addresses->any = true;
		return excluded ? err_set(err, ST_EFORMAT, "no address is left by '!any'") : ST_OK;
	}
	g_string_append_printf(list, "%s%s", list->len > 0 ? "," : "", word);
	addresses->count += !excluded;
	return ST_OK;
}

/* names: of the switch for one address, for several, and for what is not to be. */
static int parse_addresses(const char *text, const struct snort_vars *vars,
			   const char *const names[3], GPtrArray *predicates, struct err *err)
{
	struct addresses addresses = { g_string_new(NULL), g_string_new(NULL), 0, false };
	const struct expression expression = { vars, take_address, &addresses };
	int status = walk(&expression, text, false, 0, err);

	if (status == ST_OK && !addresses.any && addresses.count > 0) {
		add(predicates, addresses.count == 1 ? names[0] : names[1],
		    g_strdup(addresses.included->str));
	}
	if (status == ST_OK && addresses.excluded->len > 0) {
		add(predicates, names[2], g_strdup(addresses.excluded->str));
	}
	g_string_free(addresses.included, TRUE);
	g_string_free(addresses.excluded, TRUE);
	return status;
}

struct ports {
	struct numset included;
	struct numset excluded;
	bool some; /* are included */
};

/* "N", "N:M", "N:", ":M" or "any". */
static int take_ports(void *arg, const char *word, bool excluded, struct err *err)
{
	struct ports *ports = arg;
	char **ends = g_strsplit(word, ":", 2);
	uint64_t first = 0;
	uint64_t last = PORT_MAX;
	int status = ST_OK;

	ports->some |= !excluded;
	if (strcmp(word, "any") != 0) {
		if (*ends[0]) {
			status = number_parse(ends[0], 0, PORT_MAX, &first, err);
		}
		if (status == ST_OK && !ends[1]) {
			last = first;
		} else if (status == ST_OK && *ends[1]) {
			status = number_parse(ends[1], first, PORT_MAX, &last, err);
		}
	}
	for (uint64_t port = first; status == ST_OK && port <= last; port++) {
		numset_add(excluded ? &ports->excluded : &ports->included, (uint16_t)port);
	}
	if (status != ST_OK) {
		err_prefix(err, "port '%s'", word);
	}
	g_strfreev(ends);
	return status;
}

static bool ports_contain(const struct ports *ports, unsigned port)
{
	return (!ports->some || numset_contains(&ports->included, (uint16_t)port)) &&
	       !numset_contains(&ports->excluded, (uint16_t)port);
}

/* As rwfilter takes them: "22,80-90". */
static char *print_ports(const struct ports *ports)
{
	GString *text = g_string_new(NULL);

	for (unsigned port = 0; port <= PORT_MAX; port++) {
		unsigned first = port;

		if (!ports_contain(ports, port)) {
			continue;
		}
		while (port < PORT_MAX && ports_contain(ports, port + 1)) {
			port++;
		}
		g_string_append_printf(text, "%s%u", text->len > 0 ? "," : "", first);
		if (port > first) {
			g_string_append_printf(text, "-%u", port);
		}
	}
	return g_string_free(text, FALSE);
}

static int parse_ports(const char *text, const struct snort_vars *vars, const char *name,
		       GPtrArray *predicates, struct err *err)
{
	struct ports *ports = g_new0(struct ports, 1);
	const struct expression expression = { vars, take_ports, ports };
	int status = walk(&expression, text, false, 0, err);

	if (status == ST_OK) {
		char *list = print_ports(ports);

		if (!*list) {
			status = err_set(err, ST_EFORMAT, "no port is left by '%s'", text);
		} else if (strcmp(list, "0-65535") != 0) {
			add(predicates, name, g_strdup(list));
		}
		g_free(list);
	}
	g_free(ports);
	return status;
}

/* --- rules --- */

static const char *protocol_number(const char *name)
{
	static const char *const known[][2] = {
		{ "tcp", "6" },
		{ "udp", "17" },
		{ "icmp", "1" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
		if (g_ascii_strcasecmp(known[i][0], name) == 0) {
			return known[i][1];
		}
	}
	return NULL;
}

/* "N", ">N", "<N" or "N<>M" (what lies between) of ICMP. */
static void add_byte_range(GPtrArray *predicates, const char *name, const char *text)
{
	unsigned low = 0;
	unsigned high = 0;

	if (sscanf(text, "%u <> %u", &low, &high) == 2 && high > low + 1) {
		add(predicates, name, g_strdup_printf("%u-%u", low + 1, high - 1));
	} else if (sscanf(text, "> %u", &low) == 1 && low < 255) {
		add(predicates, name, g_strdup_printf("%u-255", low + 1));
	} else if (sscanf(text, "< %u", &high) == 1 && high > 0 && high <= 256) {
		add(predicates, name, g_strdup_printf("0-%u", high - 1));
	} else if (sscanf(text, "%u", &low) == 1 && low <= 255) {
		add(predicates, name, g_strdup_printf("%u", low));
	}
}

static void add_icmp_type(GPtrArray *predicates, const char *text)
{
	add_byte_range(predicates, "icmp-type", text);
}

static void add_icmp_code(GPtrArray *predicates, const char *text)
{
	add_byte_range(predicates, "icmp-code", text);
}

/* The flags before the comma; "1" and "2" are names of CWR and ECE. A flow cannot tell which were
 * not set in one of its packets. */
static void add_flags(GPtrArray *predicates, const char *text)
{
	GString *flags = g_string_new(NULL);

	for (; *text && *text != ',' && *text != '!'; text++) {
		char flag = (char)toupper((unsigned char)*text);

		flag = flag == '1' ? 'C' : flag == '2' ? 'E' : flag;
		if (strchr("FSRPAUEC", flag)) {
			g_string_append_c(flags, flag);
		}
	}
	if (flags->len > 0 && *text != '!') {
		add(predicates, "tcp-flags", g_strdup(flags->str));
	}
	g_string_free(flags, TRUE);
}

static void add_protocol(GPtrArray *predicates, const char *text)
{
	const char *number = protocol_number(text);

	if (number || isdigit((unsigned char)*text)) {
		add(predicates, "protocol", g_strdup(number ? number : text));
	}
}

/* Of "(msg:"..."; flags:S; ...)". */
static void parse_options(const char *text, GPtrArray *predicates)
{
	static const struct {
		const char *name;
		void (*add)(GPtrArray *predicates, const char *text);
	} known[] = {
		{ "flags", add_flags },
		{ "icode", add_icmp_code },
		{ "itype", add_icmp_type },
		{ "ip_proto", add_protocol },
	};
	char **options;
	char *content = g_strdup(text);

	content[strcspn(content, ")")] = '\0';
	options = g_strsplit(content, ";", -1);
	for (char **option = options; *option; option++) {
		char *name = g_strstrip(*option);
		char *value = strchr(name, ':');

		if (!value) {
			continue;
		}
		*value++ = '\0';
		for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
			if (strcmp(known[i].name, name) == 0) {
				known[i].add(predicates, g_strstrip(value));
			}
		}
	}
	g_strfreev(options);
	g_free(content);
}

/* The words before the options; lists may have blanks in them. */
static GPtrArray *split_rule(const char *text, size_t len)
{
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
	GString *word = g_string_new(NULL);
	int nesting = 0;

	for (size_t i = 0; i <= len; i++) {
		char c = i < len ? text[i] : ' ';

		nesting += (c == '[') - (c == ']');
		if (nesting > 0 || !isspace((unsigned char)c)) {
			g_string_append_c(word, c);
		} else if (word->len > 0) {
			g_ptr_array_add(words, g_strdup(word->str));
			g_string_truncate(word, 0);
		}
	}
	g_string_free(word, TRUE);
	return words;
}

enum rule_word {
	RULE_ACTION,
	RULE_PROTOCOL,
	RULE_SIP,
	RULE_SPORT,
	RULE_DIRECTION,
	RULE_DIP,
	RULE_DPORT,
	RULE_WORDS
};

static bool is_rule(const GPtrArray *words)
{
	static const char *const protocols[] = { "tcp", "udp", "icmp", "ip", NULL };

	return words->len == RULE_WORDS &&
	       g_strv_contains(protocols, g_ptr_array_index(words, RULE_PROTOCOL)) &&
	       (strcmp(g_ptr_array_index(words, RULE_DIRECTION), "->") == 0 ||
		strcmp(g_ptr_array_index(words, RULE_DIRECTION), "<>") == 0);
}

static int parse_rule_words(const GPtrArray *words, const struct snort_vars *vars,
			    GPtrArray *predicates, struct err *err)
{
	static const char *const sources[] = { "saddress", "scidr", "not-scidr" };
	static const char *const destinations[] = { "daddress", "dcidr", "not-dcidr" };
	char **word = (char **)words->pdata;
	int status = parse_addresses(word[RULE_SIP], vars, sources, predicates, err);

	if (status == ST_OK) {
		status = parse_ports(word[RULE_SPORT], vars, "sport", predicates, err);
	}
	if (status == ST_OK) {
		status = parse_addresses(word[RULE_DIP], vars, destinations, predicates, err);
	}
	if (status == ST_OK) {
		status = parse_ports(word[RULE_DPORT], vars, "dport", predicates, err);
	}
	return status;
}

int snort_parse_rule(const char *text, const struct snort_vars *vars, GPtrArray *predicates,
		     struct err *err)
{
	const char *options;
	GPtrArray *words;
	int status;

	while (*text == '#' || isspace((unsigned char)*text)) { /* comments and empty lines */
		text += *text == '#' ? strcspn(text, "\n") : 1;
	}
	options = text + strcspn(text, "(\n");
	words = split_rule(text, (size_t)(options - text));
	if (!is_rule(words)) {
		status = err_set(err, ST_EFORMAT, "this is no rule of Snort");
	} else {
		status = parse_rule_words(words, vars, predicates, err);
	}
	if (status == ST_OK) {
		guint before = predicates->len;

		parse_options(*options == '(' ? options + 1 : "", predicates);
		add_protocol(predicates, g_ptr_array_index(words, RULE_PROTOCOL));
		for (guint i = before; i + 1 < predicates->len; i++) {
			/* ip_proto says it already. */
			if (strcmp(((struct snort_predicate *)predicates->pdata[i])->name,
				   "protocol") == 0) {
				g_ptr_array_set_size(predicates, (gint)predicates->len - 1);
			}
		}
	}
	g_ptr_array_free(words, TRUE);
	return status;
}

/* --- alerts --- */

/* "2024/03/05:10", and minutes and seconds as well. */
static char *print_time(time_t seconds, bool whole)
{
	char text[64];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y/%m/%d:%H:%M:%S", &tm);
	if (!whole) {
		*strrchr(text, ':') = '\0';
		*strrchr(text, ':') = '\0';
	}
	return g_strdup(text);
}

static void add_times(GPtrArray *predicates, struct tm *tm, const struct snort_when *when)
{
	time_t alert;
	char *first;
	char *last;

	tm->tm_year = when->year - 1900;
	alert = timegm(tm);
	first = print_time(alert - (time_t)when->tolerance_s, true);
	last = print_time(alert + (time_t)when->tolerance_s, true);
	add(predicates, "start-date", print_time(alert - (time_t)when->tolerance_s, false));
	add(predicates, "end-date", print_time(alert + (time_t)when->tolerance_s, false));
	add(predicates, "stime", g_strdup_printf("%s-%s", first, last));
	g_free(first);
	g_free(last);
}

/* "1.2.3.4:80" or an address alone. */
static void add_end(GPtrArray *predicates, const char *end, const char *address, const char *port)
{
	const char *colon = strchr(end, ':');

	if (!colon || strchr(colon + 1, ':')) { /* none, or IPv6 */
		add(predicates, address, g_strdup(end));
		return;
	}
	add(predicates, address, g_strndup(end, (size_t)(colon - end)));
	add(predicates, port, g_strdup(colon + 1));
}

static void add_ends(GPtrArray *predicates, const char *source, const char *destination,
		     const char *protocol)
{
	add_end(predicates, source, "saddress", "sport");
	add_end(predicates, destination, "daddress", "dport");
	add_protocol(predicates, protocol);
}

int snort_parse_fast(const char *text, const struct snort_when *when, GPtrArray *predicates,
		     struct err *err)
{
	const char *end = text + strcspn(text, "\n");
	const char *brace = memchr(text, '{', (size_t)(end - text));
	struct tm tm = { 0 };
	char protocol[16];
	char source[64];
	char destination[64];

	for (const char *next = brace; next; /* the last one: messages may have braces */
	     next = memchr(next + 1, '{', (size_t)(end - next - 1))) {
		brace = next;
	}
	if (!strptime(text, " %b %d %H:%M:%S ", &tm) || !brace ||
	    sscanf(brace, "{%15[^}]} %63s -> %63s", protocol, source, destination) != 3) {
		return err_set(err, ST_EFORMAT, "this is no alert of Snort's format fast");
	}
	add_times(predicates, &tm, when);
	add_ends(predicates, source, destination, protocol);
	return ST_OK;
}

/* The line with the date, and the next, which begins with the protocol. */
int snort_parse_full(const char *text, const struct snort_when *when, GPtrArray *predicates,
		     struct err *err)
{
	while (text && *text) {
		const char *next = strchr(text, '\n');
		struct tm tm = { 0 };
		const char *rest = strptime(text, "%m/%d-%H:%M:%S", &tm);
		char protocol[16] = "";
		char source[64];
		char destination[64];

		next = next ? next + 1 : NULL;
		if (rest && sscanf(rest, "%*[.0-9] %63s -> %63s", source, destination) == 2) {
			if (next && sscanf(next, "%15s", protocol) != 1) {
				protocol[0] = '\0';
			}
			add_times(predicates, &tm, when);
			add_ends(predicates, source, destination, protocol);
			return ST_OK;
		}
		text = next;
	}
	return err_set(err, ST_EFORMAT, "this is no alert of Snort's format full");
}
