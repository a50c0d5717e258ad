/* imported.h - what must hold of every import, whatever was read. */
#ifndef SLUICE_TESTS_IMPORTED_H
#define SLUICE_TESTS_IMPORTED_H

#include "import/import.h"

typedef bool fuzz_import_fn(struct sl_import *import, const char *source, struct sl_buf *out);

/* Where `config` has no errors: it is refused with notes, or what is written is a document without
 * errors, of which each line of the head is a comment. Frees `config`. */
void fuzz_import(struct sl_config *config, fuzz_import_fn *write, bool keeps_secrets);

#endif
