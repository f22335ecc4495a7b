/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A place where peers come in, by its key: which probes listen there, and which of them a peer may
 * write through.
 */
#ifndef TUSSAH_PACKER_DOOR_H
#define TUSSAH_PACKER_DOOR_H

#include "common/ip.h"
#include "packer/sensorconf.h"

struct door_peer {           /* all borrowed */
	const char *address; /* for messages */
	struct ip ip;
	char **names; /* of the certificate, NULL behind the last; NULL without TLS */
	bool relay;   /* sends what others said, for probes that are relayed */
};

/* Names the place: equal for probes that share a door. Returned: g_free(). */
char *door_key(const struct probe *probe);
/* Does the probe, if it is used, listen there? */
bool door_has_probe(const char *key, const struct probe *probe);
bool door_accepts(const struct probe *probe, const struct door_peer *peer);
/* The first of the peer's names that the probe accepts; NULL: none. Borrowed. */
const char *door_name(const struct probe *probe, const struct door_peer *peer);

/*
 * The probe behind the door that accepts the peer: the first of this type (enum probe_type; -1:
 * any), else the first. ST_OK; ST_EAUTH with the reason: *refused_by (NULL: no probe listens there)
 * may count it.
 */
int door_choose(const char *key, const struct door_peer *peer, const struct sensorconf *conf,
		int type, const struct probe **out, const struct probe **refused_by,
		struct err *err);
/* The probe of this name, for a relay that accepts the peer; as door_choose(). */
int door_find(const char *key, const struct door_peer *peer, const struct sensorconf *conf,
	      const char *name, const struct probe **out, struct err *err);

#endif
