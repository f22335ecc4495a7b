/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kinds of values that the field table uses: how each is printed, how wide its column is, and
 * how it becomes a key. Inside common only; others reach them through struct field.
 */
#ifndef TUSSAH_COMMON_VALUE_KIND_H
#define TUSSAH_COMMON_VALUE_KIND_H

#include "common/field.h"

extern const struct value_kind kind_ip;
extern const struct value_kind kind_u8;
extern const struct value_kind kind_u16;
extern const struct value_kind kind_u32;
extern const struct value_kind kind_u64;
extern const struct value_kind kind_icmp;
extern const struct value_kind kind_flags;
extern const struct value_kind kind_attributes;
extern const struct value_kind kind_time;
extern const struct value_kind kind_time_msec;
extern const struct value_kind kind_duration;
extern const struct value_kind kind_duration_msec;
extern const struct value_kind kind_sensor;
extern const struct value_kind kind_class;
extern const struct value_kind kind_type;

#endif
