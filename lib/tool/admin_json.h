/* admin_json.h - members of an answer's JSON, whatever it may be.
 *
 * Nothing here fails: what is missing, or of another type, is "", NAN, false or an empty list.
 * Texts live as long as the JSON, and are as they came: sl_print_plain before a terminal sees them.
 */
#ifndef SLUICE_TOOL_ADMIN_JSON_H
#define SLUICE_TOOL_ADMIN_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* NULL is an object without members. */
const json_t *sl_admin_get(const json_t *object, const char *key);

const char *sl_admin_text(const json_t *object, const char *key);
double sl_admin_number(const json_t *object, const char *key); /* NAN: there is none */
double sl_admin_count(const json_t *object, const char *key);  /* the same; 0, and never below 0 */
bool sl_admin_is(const json_t *object, const char *key);       /* true */

/* The list under a key; its length is 0 where there is none. */
size_t sl_admin_length(const json_t *object, const char *key);
const json_t *sl_admin_at(const json_t *object, const char *key, size_t i);

#endif
