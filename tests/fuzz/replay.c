/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Feeds files to a fuzz target without a fuzzer, in TAP: every find that was ever made is tried
 * again by make check. With --enable-fuzzers the same target is linked to libFuzzer instead.
 *
 *	parse_fuzz FOLDER-OF-INPUTS
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Beside the file itself: cut at every of its first bytes, and each of those bytes inverted. */
#define REPLAY_VARIANTS 512

static void replay_bytes(const uint8_t *bytes, size_t len)
{
	/* Exactly sized copies, so that sanitizers see one byte too far. */
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, bytes, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static int replay_file(const char *path)
{
	static uint8_t bytes[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t len;

	if (!file) {
		perror(path);
		return -1;
	}
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	replay_bytes(bytes, len);
	for (size_t i = 0; i < len && i < REPLAY_VARIANTS; i++) {
		replay_bytes(bytes, i);
		bytes[i] ^= 0xff;
		replay_bytes(bytes, len);
		bytes[i] ^= 0xff;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **names = NULL;
	int count = argc == 2 ? scandir(argv[1], &names, NULL, alphasort) : -1;
	unsigned tried = 0;
	unsigned failed = 0;

	if (count < 0) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 99;
	}
	for (int i = 0; i < count; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name);
		if (names[i]->d_name[0] != '.') {
			int bad = replay_file(path) != 0;

			printf("%s %u - %s\n", bad ? "not ok" : "ok", ++tried, names[i]->d_name);
			failed += (unsigned)bad;
		}
		free(names[i]);
	}
	free(names);
	printf("1..%u\n", tried);
	return failed || tried == 0;
}
