/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/pcapfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "common/timestamp.h"
#include "storage/namedfile.h"

#define MAGIC_MICRO UINT32_C(0xa1b2c3d4)
#define MAGIC_NANO  UINT32_C(0xa1b23c4d)
#define LINK_TYPE   UINT32_C(0x0000ffff) /* the rest is about the frame check sequence */

struct pcapfile {
	FILE *stream;
	char *path;
	int64_t unit_ns;
	struct namedfile *named; /* NULL: standard output */
};

/* As the file has them, in the byte order of the machine. */
struct file_header {
	uint32_t magic;
	uint16_t major, minor;
	int32_t zone;
	uint32_t accuracy, snap_bytes, link;
};

struct packet_header {
	uint32_t seconds, fraction, captured, wire_len;
};

int pcapfile_form_join(struct pcapfile_form *form, const struct pcapfile_form *other,
		       struct err *err)
{
	if ((form->link & LINK_TYPE) != (other->link & LINK_TYPE)) {
		return err_set(err, ST_EINVAL,
			       "packets of another link type than those before: %u, not %u",
			       other->link & LINK_TYPE, form->link & LINK_TYPE);
	}
	if (form->link != other->link) {
		form->link &= LINK_TYPE; /* without the bits it is unknown */
	}
	form->snap_bytes = MAX(form->snap_bytes, other->snap_bytes);
	form->nano |= other->nano;
	return ST_OK;
}

static int open_output(struct namedfile **file, const char *path, bool overwrite, int *fd,
		       struct err *err)
{
	if (strcmp(path, "-") == 0 || strcmp(path, "stdout") == 0) {
		*fd = dup(STDOUT_FILENO);
		return *fd >= 0 ? ST_OK : err_errno(err, ST_EIO, errno, "stdout");
	}
	return namedfile_open(file, path, overwrite ? NAMEDFILE_OVERWRITE : 0, fd, err);
}

int pcapfile_create(struct pcapfile **out, const char *path, bool overwrite,
		    const struct pcapfile_form *form, struct err *err)
{
	const struct file_header header = {
		.magic = form->nano ? MAGIC_NANO : MAGIC_MICRO,
		.major = 2,
		.minor = 4,
		.snap_bytes = form->snap_bytes,
		.link = form->link,
	};
	struct namedfile *named = NULL;
	struct pcapfile *file;
	int fd;
	int status = open_output(&named, path, overwrite, &fd, err);

	if (status != ST_OK) {
		return status;
	}
	if (isatty(fd)) {
		close(fd);
		namedfile_leave(named);
		return err_set(err, ST_EIO, "%s: will not write packets to a terminal", path);
	}
	file = g_new0(struct pcapfile, 1);
	file->path = g_strdup(path);
	file->unit_ns = form->nano ? 1 : NS_PER_US;
	file->named = named;
	file->stream = fdopen(fd, "w");
	fwrite(&header, sizeof(header), 1, file->stream);
	*out = file;
	return ST_OK;
}

int pcapfile_write(struct pcapfile *file, int64_t time_ns, const uint8_t *bytes, uint32_t captured,
		   uint32_t wire_len, struct err *err)
{
	const struct packet_header header = {
		.seconds = (uint32_t)(time_ns / NS_PER_S),
		.fraction = (uint32_t)(time_ns % NS_PER_S / file->unit_ns),
		.captured = captured,
		.wire_len = wire_len,
	};

	if (fwrite(&header, sizeof(header), 1, file->stream) != 1 ||
	    fwrite(bytes, 1, captured, file->stream) != captured) {
		return err_errno(err, ST_EIO, errno, "%s", file->path);
	}
	return ST_OK;
}

int pcapfile_close(struct pcapfile *file, struct err *err)
{
	int status = ST_OK;

	if (!file) {
		return ST_OK;
	}
	if (ferror(file->stream) || fflush(file->stream) != 0) {
		status = err_errno(err, ST_EIO, errno, "%s", file->path);
	}
	if (fclose(file->stream) != 0 && status == ST_OK) {
		status = err_errno(err, ST_EIO, errno, "%s", file->path);
	}
	if (status == ST_OK) {
		status = namedfile_keep(file->named, err);
	} else {
		namedfile_leave(file->named);
	}
	g_free(file->path);
	g_free(file);
	return status;
}
