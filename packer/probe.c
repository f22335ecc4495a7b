/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/probe.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/numlist.h"

/* What a type can do (silk-packing.md 2.2, second table). */
static const struct probe_type_row {
	const char *name;
	const char *alias;
	const char *reader;
	unsigned versions; /* bits 1 << version word */
	bool udp, tcp;
	bool poll_directory;
	bool file;
	bool vlan;
} probe_types[PROBE_TYPES] = {
	/* clang-format off */
	[PROBE_NETFLOW_V5] = { "netflow-v5", "netflow", "PDU",
			       1 << 1 | 1 << 5 | 1 << 7 | 1 << 8, true, false, true, true, false },
	[PROBE_NETFLOW_V9] = { "netflow-v9", NULL, "NetFlowV9", 1 << 9, true, false, false, false, true },
	[PROBE_IPFIX] = { "ipfix", NULL, "IPFIX", 1 << 10, true, true, true, true, true },
	[PROBE_SFLOW] = { "sflow", NULL, "sFlow", 1 << 0, true, false, false, false, true },
	[PROBE_SILK] = { "silk", NULL, "FlowCap Files", 0, false, false, true, false, true },
	/* clang-format on */
};

struct probe_word {
	const char *name;
	unsigned value;
};

int probe_type_parse(const char *name)
{
	for (int type = 0; type < PROBE_TYPES; type++) {
		if (strcmp(name, probe_types[type].name) == 0 ||
		    g_strcmp0(name, probe_types[type].alias) == 0) {
			return type;
		}
	}
	return -1;
}

const char *probe_type_name(enum probe_type type)
{
	return probe_types[type].name;
}

const char *probe_type_reader(enum probe_type type)
{
	return probe_types[type].reader;
}

int probe_type_of_version(unsigned version)
{
	for (int type = 0; version < 32 && type < PROBE_TYPES; type++) {
		if (probe_types[type].versions & (1U << version)) {
			return type;
		}
	}
	return -1;
}

struct probe *probe_new(const char *name, enum probe_type type)
{
	struct probe *probe = g_new0(struct probe, 1);

	probe->name = g_strdup(name);
	probe->type = type;
	probe->log_flags = PROBE_LOG_DEFAULT;
	probe->tls_names = g_ptr_array_new_with_free_func(g_free);
	probe->listen_addresses = g_array_new(FALSE, FALSE, sizeof(struct ip));
	probe->accept_names = g_ptr_array_new_with_free_func(g_free);
	probe->accept_addresses = g_array_new(FALSE, FALSE, sizeof(struct ip));
	probe->sensors = g_ptr_array_new();
	return probe;
}

void probe_free(struct probe *probe)
{
	if (probe) {
		g_free(probe->name);
		g_ptr_array_free(probe->tls_names, TRUE);
		g_free(probe->listen_host);
		g_array_free(probe->listen_addresses, TRUE);
		g_ptr_array_free(probe->accept_names, TRUE);
		g_array_free(probe->accept_addresses, TRUE);
		g_free(probe->poll_directory);
		g_free(probe->file);
		g_free(probe->unix_socket);
		g_ptr_array_free(probe->sensors, TRUE);
		g_free(probe);
	}
}

bool probe_name_ok(const char *name)
{
	return name[0] && !strpbrk(name, "/ \t");
}

static bool probe_has_ip(const GArray *addresses, struct ip ip)
{
	for (guint i = 0; i < addresses->len; i++) {
		if (ip_equal(g_array_index(addresses, struct ip, i), ip)) {
			return true;
		}
	}
	return false;
}

/* Add every address of host, once each. */
static int probe_resolve(const char *host, GArray *addresses, struct err *err)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	int failure = getaddrinfo(host, NULL, &hints, &found);

	if (failure) {
		return err_set(err, ST_EINVAL, "Unable to resolve '%s': %s", host,
			       gai_strerror(failure));
	}
	for (const struct addrinfo *at = found; at; at = at->ai_next) {
		struct ip ip;

		if (at->ai_family == AF_INET) {
			struct sockaddr_in v4;

			memcpy(&v4, at->ai_addr, sizeof(v4));
			ip = ip_from_v4(ntohl(v4.sin_addr.s_addr));
		} else if (at->ai_family == AF_INET6) {
			struct sockaddr_in6 v6;

			memcpy(&v6, at->ai_addr, sizeof(v6));
			ip = ip_from_bytes(v6.sin6_addr.s6_addr);
		} else {
			continue;
		}
		if (!probe_has_ip(addresses, ip)) {
			g_array_append_val(addresses, ip);
		}
	}
	freeaddrinfo(found);
	return ST_OK;
}

/* ---- statements: each gets the whole line, words[0] being the keyword ---- */

static void probe_protocol_statement(struct probe *probe, const struct confline *line,
				     struct confreport *report)
{
	static const struct {
		const char *name;
		enum probe_protocol protocol;
		bool tls;
	} protocols[] = {
		{ "tcp", PROBE_TCP, false },   { "udp", PROBE_UDP, false },
		{ "sctp", PROBE_SCTP, false }, { "tls", PROBE_TCP, true },
		{ "6", PROBE_TCP, false },     { "17", PROBE_UDP, false },
		{ "132", PROBE_SCTP, false },
	};
	const char *value = line->words[1].text;

	for (size_t i = 0; i < G_N_ELEMENTS(protocols); i++) {
		if (strcmp(value, protocols[i].name) == 0) {
			probe->protocol = protocols[i].protocol;
			probe->tls = protocols[i].tls;
			return;
		}
	}
	confreport_at(report, line, "Do not recognize protocol '%s'", value);
}

static void probe_port_statement(struct probe *probe, const struct confline *line,
				 struct confreport *report)
{
	struct err err;
	uint64_t port;

	if (number_parse(line->words[1].text, 1, UINT16_MAX, &port, &err) != ST_OK) {
		confreport_at(report, line, "Invalid %s '%s': %s", line->words[0].text,
			      line->words[1].text, err.text);
		return;
	}
	probe->port = (uint16_t)port;
}

/* "*" is every address, as without the statement. */
static void probe_host_statement(struct probe *probe, const struct confline *line,
				 struct confreport *report)
{
	struct err err;

	g_array_set_size(probe->listen_addresses, 0);
	g_clear_pointer(&probe->listen_host, g_free);
	if (strcmp(line->words[1].text, "*") == 0) {
		return;
	}
	if (probe_resolve(line->words[1].text, probe->listen_addresses, &err) != ST_OK) {
		confreport_at(report, line, "Invalid listen-as-host '%s': %s", line->words[1].text,
			      err.text);
		return;
	}
	probe->listen_host = g_strdup(line->words[1].text);
}

/* As probe_resolve(), but an address may stand in brackets; a number alone is taken for a port. */
static int probe_resolve_peer(const char *host, GArray *addresses, struct err *err)
{
	size_t len = strlen(host);
	char *bare;
	int st;

	if (strspn(host, "0123456789") == len) {
		return err_set(err, ST_EINVAL, "Expected a host name or IP address");
	}
	if (host[0] != '[' || host[len - 1] != ']') {
		return probe_resolve(host, addresses, err);
	}
	bare = g_strndup(host + 1, len - 2);
	st = probe_resolve(bare, addresses, err);
	g_free(bare);
	return st;
}

static void probe_accept_statement(struct probe *probe, const struct confline *line,
				   struct confreport *report)
{
	for (size_t i = 1; i < line->count; i++) {
		const char *host = line->words[i].text;
		struct err err;

		if (probe_resolve_peer(host, probe->accept_addresses, &err) != ST_OK) {
			confreport_at(report, line,
				      "Unable to resolve accept-from-host value '%s': %s", host,
				      err.text);
		} else {
			g_ptr_array_add(probe->accept_names, g_strdup(host));
		}
	}
}

static void probe_tls_name_statement(struct probe *probe, const struct confline *line,
				     struct confreport *report)
{
	if (probe->relayed) {
		confreport_at(report, line, "Cannot mix tls-name and relayed-by on probe '%s'",
			      probe->name);
	}
	for (size_t i = 1; i < line->count; i++) {
		const struct confword *word = &line->words[i];

		if (!word->quoted && strcmp(word->text, "any") == 0) {
			probe->tls_any = true;
		} else {
			g_ptr_array_add(probe->tls_names, g_strdup(word->text));
		}
	}
	if (probe->tls_any && probe->tls_names->len > 0) {
		confreport_at(report, line,
			      "Cannot mix tls-name 'any' with other values on probe '%s'",
			      probe->name);
	}
}

static void probe_relayed_statement(struct probe *probe, const struct confline *line,
				    struct confreport *report)
{
	if (probe->tls_any || (!probe->relayed && probe->tls_names->len > 0)) {
		confreport_at(report, line, "Cannot mix tls-name and relayed-by on probe '%s'",
			      probe->name);
	}
	probe->relayed = true;
	for (size_t i = 1; i < line->count; i++) {
		g_ptr_array_add(probe->tls_names, g_strdup(line->words[i].text));
	}
}

static void probe_poll_statement(struct probe *probe, const struct confline *line,
				 struct confreport *report)
{
	(void)report;
	g_free(probe->poll_directory);
	probe->poll_directory = g_strdup(line->words[1].text);
}

static void probe_file_statement(struct probe *probe, const struct confline *line,
				 struct confreport *report)
{
	(void)report;
	g_free(probe->file);
	probe->file = g_strdup(line->words[1].text);
}

static void probe_unix_statement(struct probe *probe, const struct confline *line,
				 struct confreport *report)
{
	(void)report;
	g_free(probe->unix_socket);
	probe->unix_socket = g_strdup(line->words[1].text);
}

static void probe_interface_statement(struct probe *probe, const struct confline *line,
				      struct confreport *report)
{
	const char *value = line->words[1].text;

	if (strcmp(value, "snmp") != 0 && strcmp(value, "vlan") != 0) {
		confreport_at(report, line, "Invalid interface-values value '%s'", value);
		return;
	}
	probe->vlan_interfaces = value[0] == 'v';
}

static void probe_priority_statement(struct probe *probe, const struct confline *line,
				     struct confreport *report)
{
	struct err err;

	if (number_parse(line->words[1].text, 0, UINT16_MAX, &probe->priority, &err) != ST_OK) {
		confreport_at(report, line, "Invalid priority '%s': %s", line->words[1].text,
			      err.text);
	}
}

static const struct probe_word *probe_find_word(const struct probe_word *words, const char *name)
{
	while (words->name && strcmp(words->name, name) != 0) {
		words++;
	}
	return words->name ? words : NULL;
}

static void probe_quirks_statement(struct probe *probe, const struct confline *line,
				   struct confreport *report)
{
	static const struct probe_word quirks[] = {
		{ "none", 0 },
		{ "firewall-event", PROBE_QUIRK_FIREWALL_EVENT },
		{ "zero-packets", PROBE_QUIRK_ZERO_PACKETS },
		{ "missing-ips", PROBE_QUIRK_MISSING_IPS },
		{ "nf9-out-is-reverse", PROBE_QUIRK_NF9_OUT_IS_REVERSE },
		{ "nf9-sysuptime-seconds", PROBE_QUIRK_NF9_SYSUPTIME_SECONDS },
		{ NULL, 0 },
	};
	bool cleared = false;

	probe->quirks = 0;
	for (size_t i = 1; i < line->count; i++) {
		const struct probe_word *word = probe_find_word(quirks, line->words[i].text);

		if (!word) {
			confreport_at(report, line, "Invalid quirks value '%s'",
				      line->words[i].text);
			return;
		}
		if (cleared && word->value) {
			confreport_at(report, line, "Invalid quirks combination");
			return;
		}
		cleared |= !word->value;
		probe->quirks = word->value ? probe->quirks | word->value : 0;
	}
}

static const struct probe_word probe_log_flags[] = {
	{ "none", 0 },
	{ "all", PROBE_LOG_ALL },
	{ "default", PROBE_LOG_DEFAULT },
	{ "bad", PROBE_LOG_BAD },
	{ "missing", PROBE_LOG_MISSING },
	{ "sampling", PROBE_LOG_SAMPLING },
	{ "firewall-event", PROBE_LOG_FIREWALL_EVENT },
	{ "record-timestamps", PROBE_LOG_RECORD_TIMESTAMPS },
	{ "show-templates", PROBE_LOG_SHOW_TEMPLATES },
	{ NULL, 0 },
};

int probe_log_flags_parse(const char *list, unsigned *out, struct err *err)
{
	char **names = g_strsplit(list, ",", -1);
	unsigned count = 0;
	bool none = false;
	int st = ST_OK;

	*out = 0;
	for (char **name = names; st == ST_OK && *name; name++) {
		const struct probe_word *word = probe_find_word(probe_log_flags, g_strstrip(*name));

		if (**name == '\0') {
			continue;
		}
		if (!word) {
			st = err_set(err, ST_EINVAL, "there is no log flag '%s'", *name);
			break;
		}
		none |= !word->value;
		count++;
		*out |= word->value;
	}
	if (st == ST_OK && none && count > 1) {
		st = err_set(err, ST_EINVAL, "the log flag 'none' goes with no other");
	}
	g_strfreev(names);
	return st;
}

static void probe_log_statement(struct probe *probe, const struct confline *line,
				struct confreport *report)
{
	bool none = false;

	probe->log_flags = 0;
	for (size_t i = 1; i < line->count; i++) {
		const struct probe_word *word =
			probe_find_word(probe_log_flags, line->words[i].text);

		if (!word) {
			confreport_at(report, line,
				      "Do not recognize log-flags value '%s' on probe '%s'",
				      line->words[i].text, probe->name);
			return;
		}
		none |= !word->value;
		probe->log_flags |= word->value;
		if (none && probe->log_flags) {
			confreport_at(report, line,
				      "Cannot mix log-flags 'none' with other values on probe '%s'",
				      probe->name);
			return;
		}
	}
}

enum probe_arity { ARITY_ONE, ARITY_LIST, ARITY_STRINGS };

static const struct probe_statement_row {
	const char *name;
	enum probe_arity arity;
	void (*parse)(struct probe *, const struct confline *, struct confreport *);
} probe_statements[] = {
	{ "accept-from-host", ARITY_LIST, probe_accept_statement },
	{ "interface-value", ARITY_ONE, probe_interface_statement },
	{ "interface-values", ARITY_ONE, probe_interface_statement },
	{ "listen-as-host", ARITY_ONE, probe_host_statement },
	{ "listen-on-port", ARITY_ONE, probe_port_statement },
	{ "listen-on-unix-domain-socket", ARITY_ONE, probe_unix_statement },
	{ "listen-on-unix-socket", ARITY_ONE, probe_unix_statement },
	{ "log-flags", ARITY_LIST, probe_log_statement },
	{ "poll-directory", ARITY_ONE, probe_poll_statement },
	{ "priority", ARITY_ONE, probe_priority_statement },
	{ "protocol", ARITY_ONE, probe_protocol_statement },
	{ "quirks", ARITY_LIST, probe_quirks_statement },
	{ "read-from-file", ARITY_ONE, probe_file_statement },
	{ "relayed-by", ARITY_STRINGS, probe_relayed_statement },
	{ "tls-name", ARITY_STRINGS, probe_tls_name_statement },
};

static bool probe_has_string(const struct confline *line)
{
	for (size_t i = 0; i < line->count; i++) {
		if (line->words[i].quoted) {
			return true;
		}
	}
	return false;
}

void probe_statement(struct probe *probe, const struct confline *line, struct confreport *report)
{
	const struct probe_statement_row *row = probe_statements;
	const struct probe_statement_row *end = row + G_N_ELEMENTS(probe_statements);

	while (row < end && strcmp(row->name, line->words[0].text) != 0) {
		row++;
	}
	if (row == end) {
		confreport_at(report, line, "Unrecognized keyword '%s'", line->words[0].text);
	} else if (line->stray_comma || (probe_has_string(line) && row->arity != ARITY_STRINGS)) {
		confreport_at(
			report, line,
			"Error in probe %s: Missing \"end probe\" or invalid keyword or value",
			probe->name);
	} else if (line->count < 2) {
		confreport_at(report, line, "Missing arguments for %s statement", row->name);
	} else if (line->count > 2 && row->arity == ARITY_ONE) {
		confreport_at(report, line, "The %s clause takes a single argument", row->name);
	} else {
		row->parse(probe, line, report);
	}
}

/* ---- verification ---- */

bool probe_accepts_address(const struct probe *probe, struct ip ip)
{
	return probe->accept_addresses->len == 0 || probe_has_ip(probe->accept_addresses, ip);
}

static bool probe_has_name(const struct probe *probe, const char *name)
{
	for (guint i = 0; i < probe->tls_names->len; i++) {
		if (g_ascii_strcasecmp(g_ptr_array_index(probe->tls_names, i), name) == 0) {
			return true;
		}
	}
	return false;
}

bool probe_accepts_name(const struct probe *probe, const char *name)
{
	return probe->tls && (probe->tls_any || probe_has_name(probe, name));
}

bool probe_same_endpoint(const struct probe *a, const struct probe *b)
{
	if (!a->port || a->port != b->port || a->protocol != b->protocol ||
	    a->listen_addresses->len != b->listen_addresses->len) {
		return false;
	}
	for (guint i = 0; i < a->listen_addresses->len; i++) {
		if (!probe_has_ip(b->listen_addresses,
				  g_array_index(a->listen_addresses, struct ip, i))) {
			return false;
		}
	}
	return true;
}

/* Can every peer be told to belong to one of the two, by host or by certificate? */
static bool probe_are_distinct(const struct probe *a, const struct probe *b)
{
	bool hosts = a->accept_addresses->len > 0 && b->accept_addresses->len > 0;
	bool names = a->tls_names->len > 0 && b->tls_names->len > 0;

	for (guint i = 0; hosts && i < a->accept_addresses->len; i++) {
		hosts = !probe_has_ip(b->accept_addresses,
				      g_array_index(a->accept_addresses, struct ip, i));
	}
	for (guint i = 0; names && i < a->tls_names->len; i++) {
		names = !probe_has_name(b, g_ptr_array_index(a->tls_names, i));
	}
	return hosts || names;
}

static int probe_verify_sources(const struct probe *probe, struct err *err)
{
	int sources = (probe->port != 0) + (probe->poll_directory != NULL) +
		      (probe->unix_socket != NULL) + (probe->file != NULL);

	if (!probe->port && (probe->listen_host || probe->accept_names->len > 0)) {
		return err_set(err, ST_EINVAL,
			       "The listen-on-port clause is required when %s is specified",
			       probe->listen_host ? "listen-as-host" : "accept-from-host");
	}
	if (sources == 1) {
		return ST_OK;
	}
	return err_set(err, ST_EINVAL,
		       "%s of listen-on-port,\n"
		       "\tpoll-directory, listen-on-unix-socket, or read-from-file.",
		       sources ? "Multiple collection sources; must give only one"
			       : "Probe needs a collection source; must give one");
}

static bool probe_can_use_protocol(const struct probe *probe)
{
	const struct probe_type_row *row = &probe_types[probe->type];

	if (probe->relayed && probe->tls) {
		return row->udp || row->tcp; /* whatever the exporter speaks to the relay */
	}
	return (probe->protocol == PROBE_UDP && row->udp) ||
	       (probe->protocol == PROBE_TCP && row->tcp);
}

/* The source that this probe names and its type does not have; NULL: none. */
static const char *probe_lacks(const struct probe *probe)
{
	const struct probe_type_row *row = &probe_types[probe->type];

	if (probe->port && !row->udp && !row->tcp) {
		return "listening on the network";
	}
	if (probe->poll_directory && !row->poll_directory) {
		return "the poll-directory clause";
	}
	if (probe->file && !row->file) {
		return "the read-from-file clause";
	}
	return probe->unix_socket ? "the listen-on-unix-socket clause" : NULL;
}

static int probe_verify_type(const struct probe *probe, struct err *err)
{
	const struct probe_type_row *row = &probe_types[probe->type];
	const char *lacks = probe_lacks(probe);

	if (probe->port && !probe->protocol) {
		return err_set(err, ST_EINVAL,
			       "The protocol clause is required when listen-on-port is specified");
	}
	if (probe->vlan_interfaces && !row->vlan) {
		return err_set(err, ST_EINVAL,
			       "Type '%s' probes do not have access to vlan information",
			       row->name);
	}
	if (lacks) {
		return err_set(err, ST_EINVAL, "Type '%s' probes do not support %s", row->name,
			       lacks);
	}
	if (probe->port && !probe_can_use_protocol(probe)) {
		return err_set(err, ST_EINVAL, "Type '%s' probes only support the 'udp' %s",
			       row->name, row->tcp ? "and 'tcp' protocols" : "protocol");
	}
	return ST_OK;
}

static int probe_verify_tls(const struct probe *probe, struct err *err)
{
	bool named = probe->tls_any || probe->tls_names->len > 0;

	if (named && !probe->tls) {
		return err_set(err, ST_EINVAL,
			       "The %s clause is only for probes whose protocol is tls",
			       probe->relayed ? "relayed-by" : "tls-name");
	}
	if (probe->tls && probe->port && !named) {
		return err_set(
			err, ST_EINVAL,
			"The tls-name clause is required when protocol is tls; give the names\n"
			"\tof the certificates that may write through this probe, or any");
	}
	return ST_OK;
}

static int probe_verify_pair(const struct probe *probe, const struct probe *other, struct err *err)
{
	if (probe->poll_directory && g_strcmp0(probe->poll_directory, other->poll_directory) == 0) {
		return err_set(err, ST_EINVAL,
			       "The poll-directory must be unique, but probe '%s' is\n"
			       "\talso polling '%s'",
			       other->name, probe->poll_directory);
	}
	if (!probe_same_endpoint(probe, other)) {
		return ST_OK;
	}
	if (probe->tls != other->tls) {
		return err_set(err, ST_EINVAL,
			       "The listening port and address are the same as probe '%s'\n"
			       "\tand the probe protocols do not match",
			       other->name);
	}
	if (probe->type != other->type || probe->relayed || other->relayed) {
		return ST_OK; /* over UDP messages tell the type; a relay names the probe */
	}
	if (!probe_are_distinct(probe, other)) {
		return err_set(err, ST_EINVAL,
			       "The listening port and address are the same as probe '%s';\n"
			       "\tto distinguish each probe's traffic, a unique value for the\n"
			       "\t%s clause is required on each probe.",
			       other->name,
			       probe->tls ? "accept-from-host or tls-name" : "accept-from-host");
	}
	return ST_OK;
}

int probe_verify(const struct probe *probe, const GPtrArray *others, struct err *err)
{
	int st = probe_verify_sources(probe, err);

	if (st == ST_OK) {
		st = probe_verify_type(probe, err);
	}
	if (st == ST_OK) {
		st = probe_verify_tls(probe, err);
	}
	for (guint i = 0; st == ST_OK && i < others->len; i++) {
		st = probe_verify_pair(probe, g_ptr_array_index(others, i), err);
	}
	return st;
}
