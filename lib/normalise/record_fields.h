/* record_fields.h - field numbers and enumerations of proto/sluice.proto that the encoder writes.
 * Those of Value are in record_value.h.
 */
#ifndef SLUICE_NORMALISE_RECORD_FIELDS_H
#define SLUICE_NORMALISE_RECORD_FIELDS_H

enum sl_record_field {
    SL_RECORD_EPOCH = 1,
    SL_RECORD_SEQ,
    SL_RECORD_TARGET,
    SL_RECORD_SUBSCRIPTION,
    SL_RECORD_LABELS,
    SL_RECORD_KIND,
    SL_RECORD_MARKER,
    SL_RECORD_TIMESTAMP,
    SL_RECORD_RECEIVED,
    SL_RECORD_ATOMIC,
    SL_RECORD_PREFIX,
    SL_RECORD_PREFIX_TARGET,
    SL_RECORD_PREFIX_ORIGIN,
    SL_RECORD_UPDATES,
    SL_RECORD_DELETES,
    SL_RECORD_EXTENSIONS,
    SL_RECORD_DROPPED,
};

/* Of Update; Delete has those of the path. */
enum sl_record_update {
    SL_RECORD_UPDATE_PATH = 1,
    SL_RECORD_UPDATE_VALUE,
    SL_RECORD_UPDATE_DUPLICATES,
    SL_RECORD_UPDATE_ENCODING,
    SL_RECORD_UPDATE_PATH_TARGET,
    SL_RECORD_UPDATE_CONTINUED,
    SL_RECORD_UPDATE_LABELS,
};

enum sl_record_kind {
    SL_RECORD_BASELINE = 1,
    SL_RECORD_CHANGE,
    SL_RECORD_DELETE,
    SL_RECORD_MARK,
};

enum sl_record_marker { SL_RECORD_SYNCED = 1 };

enum sl_record_encoding { SL_RECORD_FROM_JSON = 1, SL_RECORD_FROM_JSON_IETF };

enum { SL_RECORD_LABEL_NAME = 1, SL_RECORD_LABEL_TEXT };

#endif
