/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sFlow v2, v4 and v5, as in tests/fuzz/messages.h: version word 0, the real version follows. */
#include "tests/fuzz/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint8_t versions[] = { 0 };

	fuzz_messages(bytes, size, versions, sizeof(versions));
	return 0;
}
