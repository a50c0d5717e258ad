/* rule_lines.h - rules in tests: what goes in and what comes out as lines (rule_text.h).
 *
 *     TIME sent TIME PATH {LABEL=VALUE} TYPE VALUE
 *     TIME delete PATH {LABEL=VALUE}
 *
 * The times, labels and the value may be left out; TIME is seconds since test_time_ns ("12s"), when
 * the message came; `sent` the device's, where it is another one. Each line is a message.
 */
#ifndef SLUICE_TESTS_UNIT_NORMALISE_RULE_LINES_H
#define SLUICE_TESTS_UNIT_NORMALISE_RULE_LINES_H

#include "base/buf.h"
#include "normalise/rules.h"

extern const int64_t test_time_ns;

/* What comes out of the rules for each line of `before`, as lines. So many elements of each path
 * are in the prefix; `atomic` notifications or not. */
void test_rule_lines(const struct sl_rules *rules, const char *before, size_t prefix_elems,
                     bool is_atomic, struct sl_buf *after);

#endif
