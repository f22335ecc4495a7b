/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/snappylib.h"

#include <dlfcn.h>

bool snappylib_open(struct snappylib *lib)
{
	lib->handle = dlopen(SNAPPY_SONAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!lib->handle) {
		return false;
	}
	lib->compress = (__typeof__(lib->compress))dlsym(lib->handle, "snappy_compress");
	lib->uncompress = (__typeof__(lib->uncompress))dlsym(lib->handle, "snappy_uncompress");
	lib->max_compressed_length = (__typeof__(lib->max_compressed_length))dlsym(
		lib->handle, "snappy_max_compressed_length");
	if (!lib->compress || !lib->uncompress || !lib->max_compressed_length) {
		dlclose(lib->handle);
		return false;
	}
	return true;
}

void snappylib_close(struct snappylib *lib)
{
	dlclose(lib->handle);
}
