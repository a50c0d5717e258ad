/* file.h - what the system calls for files leave to their caller. */
#ifndef SLUICE_BASE_FILE_H
#define SLUICE_BASE_FILE_H

#include <stdbool.h>

#include "base/base.h"
#include "base/str.h"

/* Writes all of `text`, waiting where that takes turns (write(2) may take less than it was given,
 * or be interrupted). False: errno says why, and some of it may have been written. Any thread. */
bool sl_file_write(int fd, struct sl_str text) SL_MUST_CHECK;

#endif
