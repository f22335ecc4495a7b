/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NetFlow v1, v5, v7 and v8, as in tests/fuzz/messages.h. */
#include "tests/fuzz/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint8_t versions[] = { 8, 1, 7, 7, 7, 5 };

	fuzz_messages(bytes, size, versions, sizeof(versions));
	return 0;
}
