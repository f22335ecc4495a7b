/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/iemodel.h"

#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

/* From the registries: IANA, RFC 5103, CERT, Cisco's documents. */
static const struct ie_case {
	const char *name;
	uint32_t pen;
	uint16_t id;
	uint8_t type;
} elements[] = {
	{ "octetDeltaCount", 0, 1, IE_UNSIGNED64 },
	{ "sourceMacAddress", 0, 56, IE_MAC_ADDRESS },
	{ "postNATSourceIPv4Address", 0, 225, IE_IPV4_ADDRESS },
	{ "samplingPacketInterval", 0, 305, IE_UNSIGNED32 },
	{ "applicationId", 0, 95, IE_OCTET_ARRAY },
	{ "userName", 0, 371, IE_STRING },
	{ "flowStartNanoseconds", 0, 156, IE_NANOSECONDS },
	{ "reverseOctetDeltaCount", 29305, 1, IE_UNSIGNED64 },
	{ "initialTCPFlags", 6871, 14, IE_UNSIGNED16 },
	{ "reverseInitialTCPFlags", 6871, 0x4000 | 14, IE_UNSIGNED16 },
	{ "httpHost", 6871, 117, IE_STRING },
	{ "smallPacketCount", 6871, 500, IE_UNSIGNED32 },
	{ "NF_F_USERNAME", 0, 40000, IE_STRING },
	{ "NF_F_XLATE_DST_ADDR_IPV4", 0, 40002, IE_IPV4_ADDRESS },
	{ "NF_F_FW_EVENT", 0, 40005, IE_UNSIGNED8 },
	{ "NF_F_FW_EXT_EVENT", 0, 33002, IE_UNSIGNED16 },
};

static void test_known(void)
{
	struct iemodel *model = iemodel_new();

	for (size_t i = 0; i < G_N_ELEMENTS(elements); i++) {
		const struct ie_case *c = &elements[i];
		const struct ie *by_id = iemodel_by_id(model, c->pen, c->id);
		const struct ie *by_name = iemodel_by_name(model, c->name);

		unit_at("%s", c->name);
		CU_ASSERT(by_id != NULL && strcmp(by_id->name, c->name) == 0);
		CU_ASSERT(by_id != NULL && by_id->type == c->type);
		CU_ASSERT(by_name != NULL && by_name == by_id);
	}
	CU_ASSERT_PTR_NULL(iemodel_by_id(model, 0, 65535));
	CU_ASSERT_PTR_NULL(iemodel_by_id(model, 4294967295u, 1));
	CU_ASSERT_PTR_NULL(iemodel_by_name(model, ""));
	CU_ASSERT_PTR_NULL(iemodel_by_name(model, "octetDeltaCoun"));
	CU_ASSERT_PTR_NOT_NULL(iemodel_by_name(model, "OCTETDELTACOUNT"));
	CU_ASSERT_EQUAL(iemodel_by_id(model, 0, 1)->semantics, IE_DELTA_COUNTER);
	/* both registries have it */
	CU_ASSERT_EQUAL(iemodel_by_name(model, "httpUserAgent")->pen, 0);
	iemodel_free(model);
	iemodel_free(NULL);
}

static void test_table(void)
{
	struct iemodel *model = iemodel_new();
	size_t count = iemodel_count(model);

	CU_ASSERT_TRUE(count > 1000);
	for (size_t i = 0; i < count; i++) {
		const struct ie *ie = iemodel_at(model, i);

		unit_at("%s", ie->name);
		CU_ASSERT(ie->type < IE_TYPES);
		CU_ASSERT(iemodel_by_id(model, ie->pen, ie->id) == ie);
		CU_ASSERT(iemodel_by_name(model, ie->name) != NULL);
	}
	for (unsigned type = 0; type < IE_TYPES; type++) {
		CU_ASSERT_PTR_NOT_NULL(ie_type_name(type));
	}
	CU_ASSERT_PTR_NULL(ie_type_name(IE_TYPES));
	CU_ASSERT_STRING_EQUAL(ie_type_name(IE_MAC_ADDRESS), "macAddress");
	iemodel_free(model);
}

static const struct parse_case {
	const char *text;
	int status;
	uint32_t pen;
	uint16_t id;
} parse_cases[] = {
	{ "postnatsourceipv4address", ST_OK, 0, 225 },
	{ "6871/14", ST_OK, 6871, 14 },
	{ "0/305", ST_OK, 0, 305 },
	{ "4294967295/65535", ST_OK, 4294967295u, 65535 },
	{ "ie225", ST_OK, 0, 225 },
	{ "IE40005", ST_OK, 0, 40005 },
	{ "ie65536", ST_EINVAL, 0, 0 },
	{ "ie1x", ST_EINVAL, 0, 0 },
	{ "4294967296/1", ST_EINVAL, 0, 0 },
	{ "99999999999999999999/1", ST_EINVAL, 0, 0 },
	{ "6871/", ST_EINVAL, 0, 0 },
	{ "/14", ST_EINVAL, 0, 0 },
	{ "6871/1/2", ST_EINVAL, 0, 0 },
	{ "6871/-1", ST_EINVAL, 0, 0 },
	{ "noSuchElement", ST_ENOENT, 0, 0 },
	{ "", ST_ENOENT, 0, 0 },
	{ "ie", ST_ENOENT, 0, 0 },
};

static void test_parse(void)
{
	struct iemodel *model = iemodel_new();

	for (size_t i = 0; i < G_N_ELEMENTS(parse_cases); i++) {
		const struct parse_case *c = &parse_cases[i];
		struct ie_key key = { 0, 0 };
		struct err err;

		unit_at("%s", c->text);
		CU_ASSERT(iemodel_parse(model, c->text, &key, &err) == c->status);
		CU_ASSERT(key.pen == c->pen && key.id == c->id);
	}
	iemodel_free(model);
}

static const struct unit_case cases[] = {
	{ "known elements", test_known },
	{ "the whole table", test_table },
	{ "what people write", test_parse },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("iemodel", cases);
}
