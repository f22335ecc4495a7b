/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A conversation of two hosts, and the records that the sensor at the border makes of it: one for
 * each direction, cut every 30 minutes when it lasts.
 */
#ifndef TUSSAH_TESTS_PERF_SESSION_H
#define TUSSAH_TESTS_PERF_SESSION_H

#include "tests/perf/hosts.h"
#include "tests/perf/timeline.h"

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
};

/* Flowtypes of tests/perf/silk.conf. */
enum flowtype {
	FLOWTYPE_IN,
	FLOWTYPE_OUT,
	FLOWTYPE_INWEB,
	FLOWTYPE_OUTWEB,
	FLOWTYPE_INNULL,
	FLOWTYPE_OUTNULL,
	FLOWTYPE_INT2INT,
	FLOWTYPE_EXT2EXT,
	FLOWTYPE_INICMP,
	FLOWTYPE_OUTICMP,
};

/* One direction. */
struct half {
	uint64_t packets; /* 0: nothing was sent */
	uint64_t bytes;
	uint8_t initial_flags;
	uint8_t session_flags;
};

struct session {
	struct host client;
	struct host server;
	uint8_t protocol;
	uint16_t sport; /* of the client */
	uint16_t dport; /* ICMP: type * 256 + code of the client's, reply_code of the server's */
	uint16_t reply_code;
	uint16_t application;
	int64_t start_ms;
	uint64_t duration_ms;
	uint32_t round_trip_ms;
	struct half there;
	struct half back;
	bool is_uniform;      /* all packets of a direction are of one size */
	bool is_fin_followed; /* something came after the FIN */
	bool is_dropped;      /* the border router let nothing through */
};

/* Where the records of sessions go. */
struct session_sink {
	struct timeline *timeline;
	struct rng *rng; /* for what the cuts of long sessions share out */
	uint64_t seed;
	bool with_routes;  /* next hops and interfaces are kept */
	bool one_flowtype; /* everything is "in" */
};

/* Make its records. */
void session_emit(const struct session_sink *sink, const struct session *session);

#endif
