/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values of the fields of aggregate bags as text, both ways, and lists of field names.
 *
 *	aggvalue_parse(site, id, "192.0.2.1", bytes, err);
 *	text_add_column(text, aggfield_name(id), aggvalue_width(id, &ctx), false);
 *	text_cell_done(text, aggvalue_print(text_cell(text), id, bytes, &ctx));
 */
#ifndef TUSSAH_QUERY_AGGVALUE_H
#define TUSSAH_QUERY_AGGVALUE_H

#include "common/field.h"
#include "storage/aggfield.h"

#define AGGVALUE_BYTES_MAX 16

/*
 * The bytes of a value, as they lie in a record. Text of sensors, classes, types and countries that
 * nobody knows is the value for that; TCP flags and attributes are checked but are 0, as SiLK
 * stores them. A type is looked for in the default class. ST_OK or ST_EINVAL.
 */
int aggvalue_parse(const struct site *site, uint16_t id, const char *text, uint8_t *out,
		   struct err *err);
/* As aggvalue_parse() of a type, in the class whose number lies at class_byte. */
uint8_t aggvalue_parse_type(const struct site *site, uint8_t class_byte, const char *text);
/* The value of a column that is empty. */
void aggvalue_empty(uint16_t id, uint8_t *out);

/* "NAME=VALUE": the field, and where VALUE begins. which as for aggfield_find(). */
int aggvalue_split(const char *text, unsigned which, uint16_t *id, const char **value,
		   struct err *err);

/* Names separated by commas, none twice, added to the layout in their order to ids (room for
 * AGGLAYOUT_MAX; NULL: the order does not matter). ST_OK or ST_EINVAL. A text of commas names none.
 */
int aggvalue_parse_list(const char *text, unsigned which, struct agglayout *layout, uint16_t *ids,
			struct err *err);

/* Is what is printed in this context a number? */
bool aggvalue_is_number(uint16_t id, const struct field_context *ctx);
int aggvalue_width(uint16_t id, const struct field_context *ctx);
size_t aggvalue_print(char *out, uint16_t id, const uint8_t *value,
		      const struct field_context *ctx);

/* --help-fields: name and meaning of every field of the set. */
void aggvalue_help(unsigned which);

#endif
