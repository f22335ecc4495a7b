/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parser of silk.conf (silk-packing.md 1.2 to 1.4): a lexer over one buffer per file, a table
 * of commands with the shape of their arguments, one function per command. Errors are reported
 * and parsing goes on with the next line, so that one run names everything that is wrong.
 */
#include "common/site.h"

#include "common/sitetable.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INCLUDE_DEPTH_MAX 16
#define STRING_LENGTH_MAX 2047

enum token_kind {
	TOKEN_INTEGER,
	TOKEN_ATOM,
	TOKEN_STRING, /* in double quotes */
	TOKEN_EOL,
	TOKEN_EOF,
	TOKEN_BAD,
};

struct token {
	enum token_kind kind;
	char *text; /* of the first three kinds */
};

struct lexer {
	const char *pos;
	const char *end;
	int line; /* of pos, counted from 1 */
};

enum context {
	IN_TOP = 1 << 0,
	IN_CLASS = 1 << 1,
	IN_GROUP = 1 << 2,
};

struct parser {
	struct site *site;
	const char *file; /* being read */
	int line;         /* of the command being run */
	int depth;        /* of includes */
	enum context context;
	int class_id; /* of the open class or group; -1: its name was refused, its contents are */
	int group_id; /* checked for form only */
	bool stopped; /* an unsupported version: nothing more can be understood */
	unsigned errors;
	site_error_fn fn;
	void *arg;
	struct err *err;
};

struct command {
	const char *name;
	unsigned contexts;
	/* i integer, s any word, q quoted; upper case: may be left out; *: any number of words */
	const char *shape;
	void (*run)(struct parser *parser, const struct token *args, size_t count);
};

static void report(struct parser *parser, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* --- lexer --- */

static bool is_atom_char(char c)
{
	return g_ascii_isalnum(c) || (c && strchr("-._/@", c));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void lexer_skip_line(struct lexer *lexer)
{
	while (lexer->pos < lexer->end && *lexer->pos != '\n') {
		lexer->pos++;
	}
	if (lexer->pos < lexer->end) {
		lexer->pos++;
		lexer->line++;
	}
}

/* The character after a backslash at pos; false: an octal number above 0377. */
static bool lex_escape(struct lexer *lexer, GString *out)
{
	static const char letters[] = "ntrbf";
	static const char values[] = "\n\t\r\b\f";
	char c = *lexer->pos++;
	const char *letter = c ? strchr(letters, c) : NULL;

	if (c >= '0' && c <= '7') {
		int value = c - '0';

		for (int i = 0;
		     i < 2 && lexer->pos < lexer->end && *lexer->pos >= '0' && *lexer->pos <= '7';
		     i++) {
			value = value * 8 + (*lexer->pos++ - '0');
		}
		g_string_append_c(out, (char)value);
		return value <= 0377;
	}
	if (c == '\n') {
		lexer->line++;
	}
	g_string_append_c(out, letter ? values[letter - letters] : c);
	return true;
}

/* After the opening quote. A raw newline ends the string, wrongly, and is left for the caller. */
static struct token lex_string(struct lexer *lexer)
{
	GString *text = g_string_new(NULL);
	bool good = true;
	bool closed = false;

	while (lexer->pos < lexer->end && *lexer->pos != '\n' && !closed) {
		char c = *lexer->pos++;

		if (c == '"') {
			closed = true;
		} else if (c == '\\' && lexer->pos < lexer->end) {
			good = lex_escape(lexer, text) && good;
		} else {
			g_string_append_c(text, c);
		}
	}
	if (!closed || !good || text->len > STRING_LENGTH_MAX || memchr(text->str, 0, text->len)) {
		g_string_free(text, TRUE);
		return (struct token){ TOKEN_BAD, NULL };
	}
	return (struct token){ TOKEN_STRING, g_string_free(text, FALSE) };
}

static struct token lex_atom(struct lexer *lexer)
{
	const char *start = lexer->pos;
	bool digits = true;

	while (lexer->pos < lexer->end && is_atom_char(*lexer->pos)) {
		digits = digits && g_ascii_isdigit(*lexer->pos);
		lexer->pos++;
	}
	return (struct token){ digits ? TOKEN_INTEGER : TOKEN_ATOM,
			       g_strndup(start, (gsize)(lexer->pos - start)) };
}

/* The next token of this line; TOKEN_EOL does not move past the newline. */
static struct token lexer_next(struct lexer *lexer)
{
	while (lexer->pos < lexer->end && is_blank(*lexer->pos)) {
		lexer->pos++;
	}
	if (lexer->pos < lexer->end && *lexer->pos == '#') {
		while (lexer->pos < lexer->end && *lexer->pos != '\n') {
			lexer->pos++;
		}
	}
	if (lexer->pos == lexer->end) {
		return (struct token){ TOKEN_EOF, NULL };
	}
	if (*lexer->pos == '\n') {
		return (struct token){ TOKEN_EOL, NULL };
	}
	if (*lexer->pos == '"') {
		lexer->pos++;
		return lex_string(lexer);
	}
	return is_atom_char(*lexer->pos) ? lex_atom(lexer) : (struct token){ TOKEN_BAD, NULL };
}

/* --- reports --- */

static void report_at(struct parser *parser, int line, const char *message)
{
	if (parser->errors++ == 0) {
		if (line) {
			err_set(parser->err, ST_EINVAL, "%s:%d: %s", parser->file, line, message);
		} else {
			err_set(parser->err, ST_EINVAL, "%s: %s", parser->file, message);
		}
	}
	if (parser->fn) {
		parser->fn(parser->arg, parser->file, line, message);
	}
}

static void report(struct parser *parser, const char *fmt, ...)
{
	va_list ap;
	char *message;

	va_start(ap, fmt);
	message = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	report_at(parser, parser->line, message);
	g_free(message);
}

/* --- commands --- */

/* Beyond any limit rather than wrapped around for numbers that do not fit. */
static int64_t token_integer(const struct token *token)
{
	errno = 0;
	long long value = strtoll(token->text, NULL, 10);

	return errno ? INT64_MAX : value;
}

/* A letter, then nothing that would break a file name or a list. */
static bool name_is_good(const char *name, const char *forbidden)
{
	if (!g_ascii_isalpha(name[0])) {
		return false;
	}
	for (const char *c = name; *c; c++) {
		if (g_ascii_isspace(*c) || *c == '\v' || strchr("\b\a\"'\\/,", *c) ||
		    strchr(forbidden, *c)) {
			return false;
		}
	}
	return true;
}

static void run_version(struct parser *parser, const struct token *args, size_t count)
{
	int64_t version = token_integer(&args[0]);
	int before = site_version(parser->site);

	(void)count;
	if (version != 1 && version != 2) {
		report(parser, "Unsupported version '%s'", args[0].text);
		parser->stopped = true;
		return;
	}
	if (before && before != version) {
		report(parser, "Multiple version commands specified");
	}
	site_set_version(parser->site, (int)version);
}

static void run_sensor(struct parser *parser, const struct token *args, size_t count)
{
	int64_t id = token_integer(&args[0]);
	const char *name = args[1].text;

	/* the sensor is made nevertheless: programs that can do with half a site know its name */
	if (count > 2 && site_version(parser->site) == 1) {
		report(parser,
		       "Sensor descriptions only allowed when file's version is 2 or greater");
	}
	if (id > SITE_SENSOR_ID_MAX) {
		report(parser, "Sensor id '%s' is greater than maximum of %d", args[0].text,
		       SITE_SENSOR_ID_MAX);
	} else if (strlen(name) > SITE_SENSOR_NAME_MAX) {
		report(parser, "Sensor name '%s' is longer than maximum of %d", name,
		       SITE_SENSOR_NAME_MAX);
	} else if (site_sensor_name(parser->site, (int)id)) {
		report(parser, "A sensor with id '%d' already exists", (int)id);
	} else if (site_sensor_id(parser->site, name) >= 0) {
		report(parser, "A sensor with name '%s' already exists", name);
	} else if (!name_is_good(name, "_")) {
		report(parser, "Failed to create sensor");
	} else {
		site_define_sensor(parser->site, (int)id, name, count > 2 ? args[2].text : NULL);
	}
}

static void run_class(struct parser *parser, const struct token *args, size_t count)
{
	const char *name = args[0].text;

	(void)count;
	parser->context = IN_CLASS;
	parser->class_id = site_class_id(parser->site, name);
	if (parser->class_id >= 0) {
		return;
	}
	if (strlen(name) > SITE_NAME_MAX) {
		report(parser, "The class-name '%s' is longer than the maximum of %d", name,
		       SITE_NAME_MAX);
	}
	if (strlen(name) > SITE_NAME_MAX || !name_is_good(name, "") ||
	    site_class_count(parser->site) >= SITE_CLASS_COUNT_MAX) {
		report(parser, "Failed to create class");
	} else {
		parser->class_id = site_define_class(parser->site, name);
	}
}

static void run_group(struct parser *parser, const struct token *args, size_t count)
{
	(void)count;
	parser->context = IN_GROUP;
	parser->group_id = site_group_id(parser->site, args[0].text);
	if (parser->group_id < 0) {
		parser->group_id = (int)site_define_group(parser->site, args[0].text);
	}
}

static void run_end(struct parser *parser, const struct token *args, size_t count)
{
	(void)args;
	if (count) {
		report(parser, "Command 'end %s' does take arguments",
		       parser->context == IN_CLASS ? "class" : "group");
	}
	parser->context = IN_TOP;
}

/* Name of the open block for messages. */
static const char *block_name(const struct parser *parser)
{
	return parser->context == IN_CLASS
		       ? site_class_name(parser->site, parser->class_id)
		       : site_group_name(parser->site, (size_t)parser->group_id);
}

static void add_sensor(struct parser *parser, int sensor)
{
	if (parser->context == IN_CLASS) {
		site_class_add_sensor(parser->site, parser->class_id, sensor);
	} else {
		site_group_add_sensor(parser->site, (size_t)parser->group_id, sensor);
	}
}

static void add_group(struct parser *parser, int group)
{
	size_t count;

	/* the list may grow and move while a group is added to itself: ask again each time */
	site_group_sensors(parser->site, (size_t)group, &count);
	for (size_t i = 0; i < count; i++) {
		size_t now;

		add_sensor(parser, site_group_sensors(parser->site, (size_t)group, &now)[i]);
	}
}

static void run_sensors(struct parser *parser, const struct token *args, size_t count)
{
	const char *kind = parser->context == IN_CLASS ? "class" : "group";

	if (parser->context == IN_CLASS && parser->class_id < 0) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const char *name = args[i].text;
		bool is_group = name[0] == '@';
		int id = is_group ? site_group_id(parser->site, name + 1)
				  : site_sensor_id(parser->site, name);

		if (id < 0) {
			report(parser, "Cannot add %s to %s '%s': %s '%s' is not defined",
			       is_group ? "group" : "sensor", kind, block_name(parser),
			       is_group ? "group" : "sensor", name);
		} else if (is_group) {
			add_group(parser, id);
		} else {
			add_sensor(parser, id);
		}
	}
}

/* Both names of a type that is to be made: false when it must not be. */
static bool type_names_fit(struct parser *parser, const char *type, const char *flowtype,
			   bool generated)
{
	bool failed = false;

	if (strlen(type) > SITE_NAME_MAX) {
		report(parser, "The type-name '%s' is longer than the maximum of %d", type,
		       SITE_NAME_MAX);
		failed = true;
	}
	if (strlen(flowtype) > SITE_NAME_MAX) {
		report(parser, "The %sflowtype-name '%s' is longer than the maximum of %d",
		       generated ? "generated " : "", flowtype, SITE_NAME_MAX);
		failed = failed || !generated;
	}
	if (failed || !name_is_good(type, "") || !name_is_good(flowtype, "")) {
		report(parser, "Failed to create type");
		return false;
	}
	return strlen(flowtype) <= SITE_NAME_MAX;
}

static void run_type(struct parser *parser, const struct token *args, size_t count)
{
	struct site *site = parser->site;
	int64_t id = token_integer(&args[0]);
	const char *type = args[1].text;
	char *flowtype = NULL;

	if (parser->class_id < 0) {
		return;
	}
	flowtype = count > 2 ? g_strdup(args[2].text)
			     : g_strconcat(site_class_name(site, parser->class_id), type, NULL);
	if (id > SITE_FLOWTYPE_ID_MAX) {
		report(parser, "Type id '%s' is greater than maximum of %d", args[0].text,
		       SITE_FLOWTYPE_ID_MAX);
	} else if (site_flowtype_name(site, (int)id)) {
		report(parser, "A type with id '%d' already exists", (int)id);
	} else if (site_flowtype_id(site, flowtype) >= 0) {
		report(parser, "A type with prefix '%s' already exists", flowtype);
	} else if (site_flowtype_of(site, parser->class_id, type) >= 0) {
		report(parser, "The type '%s' for class '%s' already exists", type,
		       site_class_name(site, parser->class_id));
	} else if (type_names_fit(parser, type, flowtype, count == 2)) {
		site_define_flowtype(site, parser->class_id, (int)id, type, flowtype);
	}
	g_free(flowtype);
}

static void run_default_types(struct parser *parser, const struct token *args, size_t count)
{
	if (parser->class_id < 0) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		int id = site_flowtype_of(parser->site, parser->class_id, args[i].text);

		if (id < 0) {
			report(parser,
			       "Cannot set default type in class '%s': type '%s' is not defined",
			       site_class_name(parser->site, parser->class_id), args[i].text);
		} else {
			site_set_default_type(parser->site, id);
		}
	}
}

static void run_default_class(struct parser *parser, const struct token *args, size_t count)
{
	int id = site_class_id(parser->site, args[0].text);
	size_t types = 0;
	size_t sensors = 0;

	(void)count;
	if (id < 0) {
		report(parser, "Cannot set default class: class '%s' is not defined", args[0].text);
		return;
	}
	site_class_flowtypes(parser->site, id, &types);
	site_class_sensors(parser->site, id, &sensors);
	if (!types || !sensors) {
		report(parser, "Failed to set default class");
	} else {
		site_set_default_class(parser->site, id);
	}
}

static void run_path_format(struct parser *parser, const struct token *args, size_t count)
{
	const char *format = args[0].text;
	unsigned errors = parser->errors;

	(void)count;
	for (const char *c = strchr(format, '%'); c; c = strchr(c + 2, '%')) {
		if (!c[1]) {
			report(parser, "The path-format '%s' ends with a single '%%'", format);
			break;
		}
		if (!strchr("CTFfNnYmdHx%", c[1])) {
			report(parser, "The path-format '%s' contains an unknown conversion '%%%c'",
			       format, c[1]);
			break;
		}
	}
	if (strcmp(format, "%x") != 0 && !g_str_has_suffix(format, "/%x")) {
		report(parser, "The path-format '%s' does not end with '/%%x'", format);
	}
	if (parser->errors == errors) {
		site_set_path_format(parser->site, format);
	}
}

static void run_packing_logic(struct parser *parser, const struct token *args, size_t count)
{
	(void)count;
	site_set_packing_logic(parser->site, args[0].text);
}

static int parse_file(struct parser *parser, const char *path, struct err *err);

static void run_include(struct parser *parser, const struct token *args, size_t count)
{
	const char *path = args[0].text;
	struct err err;

	(void)count;
	if (parser->depth >= INCLUDE_DEPTH_MAX) {
		report(parser, "Failed to include file '%s' (includes nested too deeply)", path);
	} else if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
		report(parser, "Cannot include '%s': File does not exist or is not a regular file",
		       path);
	} else if (parse_file(parser, path, &err) != ST_OK) {
		report(parser, "Cannot include '%s': %s", path, err.text);
	}
}

static const struct command commands[] = {
	{ "class", IN_TOP, "s", run_class },
	{ "default-class", IN_TOP, "s", run_default_class },
	{ "default-types", IN_CLASS, "*", run_default_types },
	{ "end class", IN_CLASS, "*", run_end },
	{ "end group", IN_GROUP, "*", run_end },
	{ "group", IN_TOP, "s", run_group },
	{ "include", IN_TOP, "s", run_include },
	{ "packing-logic", IN_TOP, "s", run_packing_logic },
	{ "path-format", IN_TOP, "s", run_path_format },
	{ "sensor", IN_TOP, "isQ", run_sensor },
	{ "sensors", IN_CLASS | IN_GROUP, "*", run_sensors },
	{ "type", IN_CLASS, "isS", run_type },
	{ "version", IN_TOP, "i", run_version },
};

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(commands[i].name, name) == 0) {
			return &commands[i];
		}
	}
	return NULL;
}

/* --- lines --- */

static void token_clear(void *data)
{
	g_free(((struct token *)data)->text);
}

static bool token_fits(const struct token *token, char shape)
{
	switch (g_ascii_tolower(shape)) {
	case 'i':
		return token->kind == TOKEN_INTEGER;
	case 'q':
		return token->kind == TOKEN_STRING;
	default:
		return true;
	}
}

static bool args_fit(const struct command *command, const struct token *args, size_t count)
{
	const char *shape = command->shape;

	for (size_t i = 0; i < count && *shape != '*'; i++, shape++) {
		if (!*shape || !token_fits(&args[i], *shape)) {
			return false;
		}
	}
	return !g_ascii_islower(*shape);
}

/* Reads the words up to the end of the line; TOKEN_EOL, TOKEN_EOF or TOKEN_BAD ends them. */
static enum token_kind lex_args(struct lexer *lexer, GArray *args)
{
	for (;;) {
		struct token token = lexer_next(lexer);

		if (token.kind > TOKEN_STRING) {
			return token.kind;
		}
		g_array_append_val(args, token);
	}
}

static void run_command(struct parser *parser, struct lexer *lexer, const char *name)
{
	static const char *const context_names[] = {
		[IN_TOP] = "top level",
		[IN_CLASS] = "class",
		[IN_GROUP] = "group",
	};
	const struct command *command = command_find(name);
	GArray *args = g_array_new(FALSE, FALSE, sizeof(struct token));
	enum token_kind end;

	g_array_set_clear_func(args, token_clear);
	if (!command) {
		report(parser, "Unknown command '%s'", name);
	} else if (!(command->contexts & parser->context)) {
		report(parser, "Command '%s' not allowed in %s", name,
		       context_names[parser->context]);
	} else if ((end = lex_args(lexer, args)) == TOKEN_BAD) {
		report(parser, "Bad arguments to command '%s'", name);
	} else if (end == TOKEN_EOL) { /* a last line without newline does not count */
		const struct token *words = (const struct token *)(const void *)args->data;

		parser->line = lexer->line;
		if (args_fit(command, words, args->len)) {
			command->run(parser, words, args->len);
		} else {
			report(parser, "Bad arguments to command '%s'", name);
		}
	}
	g_array_free(args, TRUE);
}

static void parse_line(struct parser *parser, struct lexer *lexer)
{
	struct token word = lexer_next(lexer);

	parser->line = lexer->line;
	if (word.kind == TOKEN_ATOM && strcmp(word.text, "end") == 0) {
		struct token block = lexer_next(lexer);

		if (block.text) {
			char *name = g_strconcat("end ", block.text, NULL);

			g_free(word.text);
			g_free(block.text);
			word.text = name;
		}
	}
	if (word.kind == TOKEN_ATOM || word.kind == TOKEN_INTEGER) {
		run_command(parser, lexer, word.text);
	} else if (word.kind == TOKEN_STRING || word.kind == TOKEN_BAD) {
		report(parser, "Unrecognizable command");
	}
	g_free(word.text);
	lexer_skip_line(lexer);
}

/* The whole file, at most SITE_FILE_BYTES_MAX. */
static int read_whole(const char *path, char **out, size_t *len, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text = NULL;
	size_t used = 0;
	int status = ST_OK;

	if (fd < 0) {
		return err_errno(err, errno == ENOENT ? ST_ENOENT : ST_EIO, errno, "%s", path);
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		status = err_set(err, ST_ENOENT, "%s: not a regular file", path);
		goto done;
	}
	if (st.st_size > (off_t)SITE_FILE_BYTES_MAX) {
		status = err_set(err, ST_ELIMIT, "%s: larger than %u bytes", path,
				 SITE_FILE_BYTES_MAX);
		goto done;
	}
	text = g_malloc((gsize)st.st_size + 1);
	while (used < (size_t)st.st_size) {
		ssize_t got = read(fd, text + used, (size_t)st.st_size - used);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			status = err_errno(err, ST_EIO, errno, "%s", path);
			goto done;
		}
		if (got == 0) {
			break;
		}
		used += (size_t)got;
	}
	*out = text;
	*len = used;
	text = NULL;
done:
	close(fd);
	g_free(text);
	return status;
}

static int parse_file(struct parser *parser, const char *path, struct err *err)
{
	const char *outer_file = parser->file;
	struct lexer lexer = { .line = 1 };
	char *text = NULL;
	size_t len = 0;
	int status = read_whole(path, &text, &len, err);

	if (status != ST_OK) {
		return status;
	}
	parser->depth++;
	parser->file = path;
	lexer.pos = text;
	lexer.end = text + len;
	while (lexer.pos < lexer.end && !parser->stopped) {
		parse_line(parser, &lexer);
	}
	parser->file = outer_file;
	parser->depth--;
	g_free(text);
	return ST_OK;
}

static void check_classes(struct parser *parser)
{
	for (int id = 0; id < site_class_count(parser->site); id++) {
		size_t types;

		site_class_flowtypes(parser->site, id, &types);
		if (!types) {
			char *message = g_strdup_printf(
				"Site configuration error: class '%s' contains no types",
				site_class_name(parser->site, id));

			report_at(parser, 0, message);
			g_free(message);
		}
	}
}

int site_load_all(struct site **out, const char *path, site_error_fn fn, void *arg, struct err *err)
{
	struct parser parser = {
		.file = path,
		.context = IN_TOP,
		.class_id = -1,
		.group_id = -1,
		.fn = fn,
		.arg = arg,
		.err = err,
	};
	int status;

	parser.site = site_empty();
	site_set_file(parser.site, path);
	status = parse_file(&parser, path, err);
	if (status == ST_OK && !parser.stopped) {
		check_classes(&parser);
	}
	if (parser.errors) {
		status = ST_EINVAL;
	}
	if (status != ST_OK && status != ST_EINVAL) {
		site_free(parser.site);
		return status;
	}
	*out = parser.site;
	return status;
}

int site_load(struct site **out, const char *path, struct err *err)
{
	struct site *site = NULL;
	int status = site_load_all(&site, path, NULL, NULL, err);

	if (status != ST_OK) {
		site_free(site);
		return status;
	}
	*out = site;
	return ST_OK;
}
