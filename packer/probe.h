/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A probe: one source of flows, the probe block of sensor.conf (silk-packing.md 2.2), with
 * statements of our own:
 *
 *	protocol tls		TCP with TLS and certificates on both sides
 *	tls-name NAME ...	only peers whose certificate carries one of these names may write
 *	tls-name any		every peer with a certificate of the authority may
 *	relayed-by NAME ...	instead: only through flowcap --forward whose certificate has a name
 */
#ifndef TUSSAH_PACKER_PROBE_H
#define TUSSAH_PACKER_PROBE_H

#include <glib.h>

#include "common/ip.h"
#include "packer/confline.h"

enum probe_type {
	PROBE_NETFLOW_V5,
	PROBE_NETFLOW_V9,
	PROBE_IPFIX,
	PROBE_SFLOW,
	PROBE_SILK,
	PROBE_TYPES,
};

/* A probe may feed this many sensors, a record be stored this often. */
#define PROBE_SENSORS_MAX 15

/* The type with this name (or alias); -1: none. */
int probe_type_parse(const char *name);
const char *probe_type_name(enum probe_type type);
/* What reads a probe of this type from the network, as the log calls it. */
const char *probe_type_reader(enum probe_type type);
/* The type for messages that begin with this version word (16 bits; 0: sFlow); -1: none. */
int probe_type_of_version(unsigned version);

enum probe_protocol { /* numbers as of IP */
		      PROBE_PROTOCOL_NONE = 0,
		      PROBE_TCP = 6,
		      PROBE_UDP = 17,
		      PROBE_SCTP = 132,
};

enum probe_quirk {
	PROBE_QUIRK_FIREWALL_EVENT = 1 << 0,
	PROBE_QUIRK_ZERO_PACKETS = 1 << 1,
	PROBE_QUIRK_MISSING_IPS = 1 << 2,
	PROBE_QUIRK_NF9_OUT_IS_REVERSE = 1 << 3,
	PROBE_QUIRK_NF9_SYSUPTIME_SECONDS = 1 << 4,
};

enum probe_log_flag {
	PROBE_LOG_BAD = 1 << 0,
	PROBE_LOG_MISSING = 1 << 1,
	PROBE_LOG_SAMPLING = 1 << 2,
	PROBE_LOG_FIREWALL_EVENT = 1 << 3,
	PROBE_LOG_RECORD_TIMESTAMPS = 1 << 4,
	PROBE_LOG_SHOW_TEMPLATES = 1 << 5,
	PROBE_LOG_ALL = 0xff,
	PROBE_LOG_DEFAULT = PROBE_LOG_BAD | PROBE_LOG_MISSING | PROBE_LOG_SAMPLING,
};

/* A list of their names, separated by commas, to enum probe_log_flag. ST_OK, ST_EINVAL. */
int probe_log_flags_parse(const char *list, unsigned *out, struct err *err);

/* Immutable once the configuration is loaded. */
struct probe {
	char *name;
	enum probe_type type;
	uint16_t number; /* in the configuration, from 0 */
	bool ephemeral;  /* named by a sensor only; has no source */

	enum probe_protocol protocol;
	bool tls;
	GPtrArray *tls_names; /* of char * */
	bool tls_any;
	bool relayed;  /* those names are of relays */
	uint16_t port; /* 0: does not listen */
	char *listen_host;
	GArray *listen_addresses; /* of struct ip: what listen_host resolves to */
	GPtrArray *accept_names;  /* of char *, as written */
	GArray *accept_addresses; /* of struct ip; empty: all hosts */
	char *poll_directory;
	char *file;
	char *unix_socket;

	bool vlan_interfaces;
	unsigned quirks;
	unsigned log_flags;
	uint64_t priority;

	/* Filled by sensorconf. */
	GPtrArray *sensors; /* of const struct sensor *, in file order */
	bool short_formats; /* SiLK's short formats hold whatever comes for its sensor */
};

struct probe *probe_new(const char *name, enum probe_type type);
void probe_free(struct probe *probe);

/* Can this be a probe's name? */
bool probe_name_ok(const char *name);

/* Take in one statement of the block; complaints go to report. */
void probe_statement(struct probe *probe, const struct confline *line, struct confreport *report);

/*
 * Is it complete, and does it get along with the others (of struct probe *)? Probes of different
 * types may share a UDP port: the version of each datagram tells them apart. Returns ST_OK or
 * ST_EINVAL with the reason.
 */
int probe_verify(const struct probe *probe, const GPtrArray *others, struct err *err);

/* May a peer with this address write through the probe? */
bool probe_accepts_address(const struct probe *probe, struct ip ip);
/* May a peer whose certificate carries this name? Always false without TLS. */
bool probe_accepts_name(const struct probe *probe, const char *name);
/* Do the two listen at the same address? */
bool probe_same_endpoint(const struct probe *a, const struct probe *b);

#endif
