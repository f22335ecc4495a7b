/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One flow sample of sFlow to a record and extension columns (silk-packing.md 11.7): the sampled
 * packet's header is decoded, what the switch or router adds becomes columns. Pure.
 *
 *	struct sflowrecord flow;
 *	sflowrecord_begin(&flow, &extras, arrival_ns);
 *	sflowrecord_element(&flow, format, &part);		// each flow record of the sample
 *	if (sflowrecord_finish(&flow, &mapping))
 *		... flow.rec and extras ...
 */
#ifndef TUSSAH_PACKER_SFLOWRECORD_H
#define TUSSAH_PACKER_SFLOWRECORD_H

#include "common/record.h"
#include "packer/extras.h"
#include "packer/ipfixmap.h"
#include "packer/xdr.h"

struct sflowrecord {
	struct record rec;
	struct extras *extras; /* borrowed */
	bool found;            /* addresses are known */
	bool from_header;      /* from the packet itself, which is believed most */
	uint8_t tos;
	bool tagged; /* the switch told VLANs */
	uint32_t vlan, post_vlan;
	uint32_t source_mask, destination_mask;
	uint32_t next_hop_family;
	struct ip next_hop;
	uint8_t source_mac[6], destination_mac[6];
};

void sflowrecord_begin(struct sflowrecord *flow, struct extras *extras, int64_t arrival_ns);

/* Interfaces and sampling rate, from the head of the sample. */
void sflowrecord_head(struct sflowrecord *flow, uint32_t rate, uint32_t input, uint32_t output);

/*
 * Take in one flow record of version 5 (format: enterprise and number in one). Those not known are
 * passed over. False: damaged.
 */
bool sflowrecord_element(struct sflowrecord *flow, uint32_t format, struct xdr *part);

/*
 * The same for versions 2 and 4, whose records do not tell their length: part is left behind the
 * record. False: damaged, or a type that is not known, and all that follows is lost.
 */
bool sflowrecord_packet4(struct sflowrecord *flow, uint32_t type, struct xdr *part);
bool sflowrecord_extended4(struct sflowrecord *flow, uint32_t version, uint32_t type,
			   struct xdr *part);

/* Put the record together. False: the sampled packet was no IP. */
bool sflowrecord_finish(struct sflowrecord *flow, const struct ipfix_mapping *mapping);

#endif
