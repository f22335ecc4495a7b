/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/door.h"

#include <glib.h>
#include <string.h>

char *door_key(const struct probe *probe)
{
	GString *key = g_string_new(probe->tls                     ? "tls"
				    : probe->protocol == PROBE_TCP ? "tcp"
								   : "udp");
	g_string_append_printf(key, " %u", probe->port);
	for (guint i = 0; i < probe->listen_addresses->len; i++) {
		char text[IP_TEXT_MAX];
		struct ip ip = g_array_index(probe->listen_addresses, struct ip, i);

		ip_print(text, ip, !ip_is_mapped(ip), IP_CANONICAL);
		g_string_append_printf(key, " %s", text);
	}
	return g_string_free(key, FALSE);
}

bool door_has_probe(const char *key, const struct probe *probe)
{
	char *own;
	bool same;

	if (probe->ephemeral || !probe->port || probe->sensors->len == 0) {
		return false;
	}
	own = door_key(probe);
	same = strcmp(own, key) == 0;
	g_free(own);
	return same;
}

const char *door_name(const struct probe *probe, const struct door_peer *peer)
{
	for (char **name = peer->names; name && *name; name++) {
		if (probe_accepts_name(probe, *name)) {
			return *name;
		}
	}
	return NULL;
}

bool door_accepts(const struct probe *probe, const struct door_peer *peer)
{
	return probe->relayed == peer->relay && probe_accepts_address(probe, peer->ip) &&
	       (!probe->tls || door_name(probe, peer));
}

static int door_refuse(const struct door_peer *peer, bool address_ok, struct err *err)
{
	if (!address_ok) {
		return err_set(err, ST_EAUTH, "Connection prohibited from %s", peer->address);
	}
	if (peer->names && peer->names[0]) {
		return err_set(err, ST_EAUTH, "no probe here is bound to certificate name '%s'",
			       peer->names[0]);
	}
	return err_set(err, ST_EAUTH, "the certificate carries no name");
}

int door_choose(const char *key, const struct door_peer *peer, const struct sensorconf *conf,
		int type, const struct probe **out, const struct probe **refused_by,
		struct err *err)
{
	const GPtrArray *probes = sensorconf_probes(conf);
	const struct probe *found = NULL;
	bool address_ok = false;

	*refused_by = NULL;
	for (guint i = 0; i < probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(probes, i);

		if (!door_has_probe(key, probe)) {
			continue;
		}
		if (door_accepts(probe, peer)) {
			if (!found || ((int)found->type != type && (int)probe->type == type)) {
				found = probe;
			}
			continue;
		}
		address_ok |= probe_accepts_address(probe, peer->ip);
		*refused_by = *refused_by ? *refused_by : probe;
	}
	if (!found) {
		return door_refuse(peer, address_ok, err);
	}
	*out = found;
	return ST_OK;
}

int door_find(const char *key, const struct door_peer *peer, const struct sensorconf *conf,
	      const char *name, const struct probe **out, struct err *err)
{
	const struct probe *probe = sensorconf_probe(conf, name);

	if (!probe || !door_has_probe(key, probe) || !door_accepts(probe, peer)) {
		return err_set(err, ST_EAUTH,
			       "no probe '%s' is relayed by certificate name '%s' here", name,
			       peer->names && peer->names[0] ? peer->names[0] : "");
	}
	*out = probe;
	return ST_OK;
}
