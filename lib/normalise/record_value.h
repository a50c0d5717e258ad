/* record_value.h - one TypedValue as a Value of proto/sluice.proto. */
#ifndef SLUICE_NORMALISE_RECORD_VALUE_H
#define SLUICE_NORMALISE_RECORD_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "gnmi/response.h"

/* Field numbers of Value. */
enum sl_record_value {
    SL_RECORD_STRING = 1,
    SL_RECORD_INT,
    SL_RECORD_UINT,
    SL_RECORD_BOOL,
    SL_RECORD_BYTES,
    SL_RECORD_FLOAT,
    SL_RECORD_DECIMAL,
    SL_RECORD_LEAFLIST,
    SL_RECORD_ANY,
    SL_RECORD_JSON_BYTES,
    SL_RECORD_JSON_IETF_BYTES,
    SL_RECORD_ASCII,
    SL_RECORD_PROTO_BYTES,
    SL_RECORD_DOUBLE,
    SL_RECORD_NUMBER,
    SL_RECORD_JSON,
    SL_RECORD_TYPED_VALUE,
};

/* Values of the enumeration Json. */
enum sl_record_nothing {
    SL_RECORD_NULL,
    SL_RECORD_EMPTY_OBJECT,
    SL_RECORD_EMPTY_ARRAY,
};

enum { SL_RECORD_LIST_ELEMENT = 1 }; /* of List */

enum { SL_RECORD_SCALAR_BYTES = 16 }; /* the most that sl_record_put_scalar writes */

/* A value of fixed size (a number or a boolean) at `at`, which has room for SL_RECORD_SCALAR_BYTES;
 * returns its end, or NULL, with nothing written, when it is of another kind. */
char *sl_record_put_scalar(char *at, const struct sl_gnmi_value *value);

/* Appends the fields of the Value; nothing for NONE. JSON is as it came. */
void sl_record_add_value(struct sl_buf *out, const struct sl_gnmi_value *value);

#endif
