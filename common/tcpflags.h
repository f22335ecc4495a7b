/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP flags and SiLK attribute letters: parse and print. */
#ifndef TUSSAH_COMMON_TCPFLAGS_H
#define TUSSAH_COMMON_TCPFLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum tcpflag {
	TCPFLAG_FIN = 0x01,
	TCPFLAG_SYN = 0x02,
	TCPFLAG_RST = 0x04,
	TCPFLAG_PSH = 0x08,
	TCPFLAG_ACK = 0x10,
	TCPFLAG_URG = 0x20,
	TCPFLAG_ECE = 0x40,
	TCPFLAG_CWR = 0x80,
};

/* HIGH/MASK: matches when (flags & mask) == high. */
struct tcpflags_match {
	uint8_t high;
	uint8_t mask;
};

/* Letters FSRPAUEC, upper or lower case, any order, blanks ignored; "-" means all of them. */
int tcpflags_parse(const char *text, uint8_t *out, struct err *err);
/*
 * "S/SA". Without a slash: refused if mask_needed, else the mask is all eight flags. High must be
 * within the mask. An empty text is refused.
 */
int tcpflags_parse_match(const char *text, bool mask_needed, struct tcpflags_match *out,
			 struct err *err);
/* The letters of the flags that are set, in the order FSRPAUEC; padded: a blank for each that is
 * not, always eight bytes. out holds nine bytes. Returns the length. */
size_t tcpflags_print(char *out, uint8_t flags, bool padded);

/* The same of attribute letters T C F S, bits of a record's state byte (silk-flow-files.md section
 * 6), in that order; the slash is needed. padded is eight bytes wide, too. */
int attributes_parse(const char *text, uint8_t *out, struct err *err);
int attributes_parse_match(const char *text, struct tcpflags_match *out, struct err *err);
size_t attributes_print(char *out, uint8_t state, bool padded);

#endif
