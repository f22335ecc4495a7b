/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/templatelist.h"

#include "common/bigendian.h"

#define LIST_ENTRY_HEADER_BYTES 4
#define LIST_SEMANTIC_BYTES     1
#define LIST_MULTI_LIST         293

static const struct {
	uint16_t number;
	size_t offset;
} list_elements[] = {
	{ 14, offsetof(struct ipfix_list_flags, initial_flags) },
	{ 15, offsetof(struct ipfix_list_flags, union_flags) },
	{ IPFIX_CERT_REVERSE + 14, offsetof(struct ipfix_list_flags, rev_initial_flags) },
	{ IPFIX_CERT_REVERSE + 15, offsetof(struct ipfix_list_flags, rev_union_flags) },
};

static bool list_has_list(const struct template *tmpl)
{
	for (uint16_t i = 0; i < tmpl->count; i++) {
		if (tmpl->fields[i].enterprise == 0 && tmpl->fields[i].number == LIST_MULTI_LIST) {
			return true;
		}
	}
	return false;
}

/* bytes hold a whole record */
static void list_read_flags(const struct template *tmpl, struct template_bytes bytes,
			    struct ipfix_list_flags *flags)
{
	flags->found = true;
	for (uint16_t i = 0; i < tmpl->count; i++) {
		const struct template_field *field = &tmpl->fields[i];
		struct template_bytes content = { bytes.at, field->len };

		if (field->len != TEMPLATE_VARLEN) {
			template_eat(&bytes, field->len);
		} else if (template_eat_varlen(&bytes, &content, NULL) != ST_OK) {
			return;
		}
		for (size_t k = 0; k < G_N_ELEMENTS(list_elements); k++) {
			if (field->enterprise == IPFIX_PEN_CERT && content.left > 0 &&
			    field->number == list_elements[k].number) {
				/* the flags are in the low byte */
				((uint8_t *)flags)[list_elements[k].offset] =
					content.at[content.left - 1];
			}
		}
	}
}

static int list_entry(const struct templates *templates, struct template_bytes *list,
		      struct ipfix_list_flags *flags, bool *others, struct err *err)
{
	const uint8_t *p = template_eat(list, LIST_ENTRY_HEADER_BYTES);
	struct template_bytes entry;
	const struct template *tmpl;

	if (!p || get_be16(p + 2) < LIST_ENTRY_HEADER_BYTES) {
		return err_set(err, ST_EFORMAT, "a list entry without its header");
	}
	entry.left = (size_t)get_be16(p + 2) - LIST_ENTRY_HEADER_BYTES;
	entry.at = template_eat(list, entry.left);
	if (!entry.at) {
		return err_set(err, ST_EFORMAT, "a list entry goes beyond its list");
	}
	tmpl = templates_find(templates, get_be16(p));
	if (!tmpl || !tmpl->tcp_flags) {
		*others |= entry.left > 0;
		return ST_OK;
	}
	while (entry.left > 0) {
		struct template_bytes record = entry;

		if (template_skip_record(tmpl, &entry, err) != ST_OK) {
			return ST_EFORMAT;
		}
		if (!flags->found && !list_has_list(tmpl)) {
			list_read_flags(tmpl, record, flags);
		}
	}
	return ST_OK;
}

int templatelist_flags(const struct templates *templates, struct template_bytes *list,
		       struct ipfix_list_flags *flags, struct err *err)
{
	struct template_bytes bytes = *list;
	bool others = false;

	*flags = (struct ipfix_list_flags){ .found = false };
	if (!template_eat(&bytes, LIST_SEMANTIC_BYTES)) {
		return ST_OK;
	}
	while (bytes.left > 0) {
		if (list_entry(templates, &bytes, flags, &others, err) != ST_OK) {
			return ST_EFORMAT;
		}
	}
	if (!others) {
		list->left = 0;
	}
	return ST_OK;
}
