/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TCP flags out of a subTemplateMultiList (RFC 6313 4.5.3), where YAF puts them.
 *
 *	st = templatelist_flags(templates, &values.list, &flags, err);
 */
#ifndef TUSSAH_PACKER_TEMPLATELIST_H
#define TUSSAH_PACKER_TEMPLATELIST_H

#include "packer/ipfixmap.h"
#include "packer/template.h"

/*
 * Look through a list, whose entries are checked as far as they may hold flags. The flags are those
 * of the first record of such an entry. A list that holds nothing else is emptied. ST_OK,
 * ST_EFORMAT.
 */
int templatelist_flags(const struct templates *templates, struct template_bytes *list,
		       struct ipfix_list_flags *flags, struct err *err);

#endif
