#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Make ./configure from a checkout; a release tarball has it already.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux
exec autoreconf --install --force --warnings=all,no-obsolete "$@"
