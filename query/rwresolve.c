/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwresolve: addresses in columns of text become names of hosts. */
#include "query/tool.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <glib.h>

#include "common/ip.h"
#include "query/textcells.h"

#define COLUMN_WIDTH_MAX 2048

enum resolver { RESOLVER_GETNAMEINFO, RESOLVER_GETHOSTBYADDR };
static const char *const resolvers[] = { "getnameinfo", "gethostbyaddr", NULL };

struct resolve_opts {
	struct textcells cells;
	uint64_t column_width;
	uint64_t max_requests;
	int resolver;
};

/* No --column-width: cells keep their blanks. */
#define WIDTH_OF_CELLS UINT64_MAX

static const struct resolve_opts resolve_defaults = {
	.cells = { .delimiter = '|' },
	.column_width = WIDTH_OF_CELLS,
};

static int parse_fields(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	return textcells_parse_columns(text, dest, err);
}

static const struct opt resolve_opt_table[] = {
	OPT_CALL(struct resolve_opts, cells, "ip-fields", 0, "LIST", parse_fields, OPT_ONCE,
		 "resolve the addresses in these columns; the first one is 1",
		 .default_text = "1,2"),
	OPT_CALL(struct resolve_opts, cells.delimiter, "delimiter", 0, "CHAR",
		 textcells_parse_delimiter, 0, "columns end in this character",
		 .default_text = "|"),
	OPT_U64(struct resolve_opts, column_width, "column-width", 0, "N", 0, COLUMN_WIDTH_MAX,
		"print these columns at this width", .default_text = "that of the names"),
	OPT_CHOICE(struct resolve_opts, resolver, "resolver", 0, "NAME", resolvers,
		   "how names are found", .default_text = "getnameinfo"),
	OPT_U64(struct resolve_opts, max_requests, "max-requests", 0, "N", 1, INT32_MAX,
		"accepted for SiLK's: names are asked for one after the other"),
	OPT_END,
};

struct resolving {
	bool strip;
	int width; /* at least */
	enum resolver resolver;
	GHashTable *known; /* texts of addresses to names, or NULL: there is none */
};

static bool find_by_nameinfo(struct ip ip, bool is_v6, char *name, size_t size)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(ip_to_v4(ip)) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	const struct sockaddr *address =
		is_v6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4;

	ip_to_bytes(ip, v6.sin6_addr.s6_addr);
	return getnameinfo(address, is_v6 ? sizeof(v6) : sizeof(v4), name, (socklen_t)size, NULL, 0,
			   NI_NAMEREQD) == 0;
}

static bool find_by_hostent(struct ip ip, bool is_v6, char *name, size_t size)
{
	struct in_addr address = { .s_addr = htonl(ip_to_v4(ip)) };
	struct hostent *host = is_v6 ? NULL : gethostbyaddr(&address, sizeof(address), AF_INET);

	return host && g_strlcpy(name, host->h_name, size) < size;
}

/* The name of a text that is an address and has one; NULL: it stays what it is. Asked for once. */
static const char *find_name(struct resolving *resolving, const char *text)
{
	char name[NI_MAXHOST];
	gpointer known = NULL;
	struct ip ip;
	bool is_v6;
	bool found;

	if (g_hash_table_lookup_extended(resolving->known, text, NULL, &known)) {
		return known;
	}
	if (ip_parse(text, &ip, &is_v6, NULL) != ST_OK) {
		return NULL;
	}
	found = resolving->resolver == RESOLVER_GETNAMEINFO
			? find_by_nameinfo(ip, is_v6, name, sizeof(name))
			: find_by_hostent(ip, is_v6, name, sizeof(name));
	known = found ? g_strdup(name) : NULL;
	g_hash_table_insert(resolving->known, g_strdup(text), known);
	return known;
}

static void print_cell(void *arg, char *cell)
{
	struct resolving *resolving = arg;
	const char *name;

	name = find_name(resolving, cell);
	if (!name) {
		name = resolving->strip ? cell + strspn(cell, " \t") : cell;
	}
	printf("%*s", resolving->width, name);
}

static int resolve_run(struct tool_env *env, void *base, int argc, char **argv)
{
	struct resolve_opts *opts = base;
	struct resolving resolving = {
		.strip = opts->column_width != WIDTH_OF_CELLS,
		.width = opts->column_width != WIDTH_OF_CELLS ? (int)opts->column_width : 0,
		.resolver = (enum resolver)opts->resolver,
	};

	if (argc) {
		tool_usage("too many arguments: '%s'", argv[0]);
	}
	if (!opts->cells.given) {
		opts->cells.chosen[1] = opts->cells.chosen[2] = true;
	}
	resolving.known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	textcells_run(&opts->cells, print_cell, &resolving);
	g_hash_table_destroy(resolving.known);
	return TOOL_EXIT_OK;
}

const struct tool tool = {
	.name = "rwresolve",
	.summary = "Convert addresses in columns of text to names of hosts",
	.usage = "[SWITCHES] <INPUT",
	.opts = resolve_opt_table,
	.opts_size = sizeof(struct resolve_opts),
	.opts_default = &resolve_defaults,
	.run = resolve_run,
};
