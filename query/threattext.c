/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/threattext.h"

#include <glib.h>
#include <string.h>

static bool is_comment(const char *line)
{
	return *line == '#' || *line == ';' || strncmp(line, "//", 2) == 0;
}

void threattext_start(struct threattext *threat, char *line)
{
	*threat = (struct threattext){ 0 };
	if (strncmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3; /* the mark that some programs put in front of UTF-8 */
	}
	line += strspn(line, " \t\r\n");
	if (*line && !is_comment(line)) {
		threat->rest = line;
		threat->is_stix =
			strstr(line, "ipv4-addr:value") || strstr(line, "ipv6-addr:value");
	}
}

/* "[.]" and "[:]" mean the character in them. */
static void unbracket(char *text)
{
	char *to = text;

	while (*text) {
		if (text[0] == '[' && (text[1] == '.' || text[1] == ':') && text[2] == ']') {
			*to++ = text[1];
			text += 3;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

static char *first_column(char *line)
{
	static const char ends[] = ",;|\t#";
	char *slashes = strstr(line, "//");

	if (slashes) {
		*slashes = '\0';
	}
	if (*line == '"' || *line == '\'') {
		const char quote[] = { *line, '\0' };

		line++;
		line[strcspn(line, quote)] = '\0';
	} else {
		line[strcspn(line, ends)] = '\0';
	}
	g_strstrip(line);
	unbracket(line);
	return *line ? line : NULL;
}

static bool is_word(char c)
{
	return g_ascii_isalnum(c) || c == '-' || c == '_' || c == ':' || c == '.';
}

/* A word with a colon is an object path, and what is quoted behind it its value. */
static char *skip_word(struct threattext *threat, char *at)
{
	size_t len = 0;

	while (is_word(at[len])) {
		len++;
	}
	if (memchr(at, ':', len)) {
		threat->is_address = len == strlen("ipv4-addr:value") &&
				     (strncmp(at, "ipv4-addr:value", len) == 0 ||
				      strncmp(at, "ipv6-addr:value", len) == 0);
	}
	return at + len;
}

static char *next_value(struct threattext *threat)
{
	char *at = threat->rest;

	while (*at) {
		char *end;

		if (is_word(*at)) {
			at = skip_word(threat, at);
			continue;
		}
		if (*at != '\'') {
			at++;
			continue;
		}
		end = strchr(at + 1, '\'');
		if (!end) {
			break;
		}
		*end = '\0';
		if (threat->is_address) {
			threat->rest = end + 1;
			g_strstrip(at + 1);
			return at + 1;
		}
		at = end + 1;
	}
	threat->rest = NULL;
	return NULL;
}

char *threattext_next(struct threattext *threat)
{
	char *line = threat->rest;

	if (!line) {
		return NULL;
	}
	if (threat->is_stix) {
		return next_value(threat);
	}
	threat->rest = NULL;
	return first_column(line);
}
