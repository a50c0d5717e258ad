/* admin_tables.h - answers of the admin API as tables for a person.
 *
 * Each takes an answer's JSON, whatever it is: what is missing is "-" or left out (admin_json.h).
 * Lines are appended; texts of devices and brokers in them cannot steer a terminal.
 */
#ifndef SLUICE_TOOL_ADMIN_TABLES_H
#define SLUICE_TOOL_ADMIN_TABLES_H

#include <stdbool.h>

#include <jansson.h>

#include "base/buf.h"

typedef void (*sl_admin_table_fn)(struct sl_buf *out, const json_t *answer);

void sl_admin_add_status(struct sl_buf *out, const json_t *answer);
void sl_admin_add_streams(struct sl_buf *out, const json_t *answer);
void sl_admin_add_targets(struct sl_buf *out, const json_t *answer);
void sl_admin_add_target(struct sl_buf *out, const json_t *answer);
void sl_admin_add_sinks(struct sl_buf *out, const json_t *answer);
void sl_admin_add_sources(struct sl_buf *out, const json_t *answer);
void sl_admin_add_ledger(struct sl_buf *out, const json_t *answer);
void sl_admin_add_config(struct sl_buf *out, const json_t *answer);
void sl_admin_add_events(struct sl_buf *out, const json_t *answer);

void sl_admin_add_event(struct sl_buf *out, const json_t *event); /* one of them */

/* Of an action: a line for each member. */
void sl_admin_add_action(struct sl_buf *out, const json_t *answer);

/* What became of a reload: {"result", "why", "errors", "added", "removed", "changed"}. */
void sl_admin_add_reload(struct sl_buf *out, const json_t *reload);

/* Whether everything flows, and if not what is in the way, in one line: of the answer of /status.
 * True: all is well. `sinks` is the answer of /sinks, or NULL. */
bool sl_admin_add_verdict(struct sl_buf *out, const json_t *status, const json_t *sinks);

#endif
