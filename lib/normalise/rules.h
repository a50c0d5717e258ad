/* rules.h - rules, compiled, and what they make of a response.
 *
 * sl_rule_new compiles one rule, once for all streams. A list of them in order is a `struct
 * sl_rules`; a `struct sl_rules_state` is such a list at work for one stream and one sink.
 *
 * What depends on a path alone (is it taken out, what does it become, which rules look at its
 * values) is worked out once and kept, up to the bytes that the encoders' memory has; a path that
 * finds no room is worked out anew each time and has no state: nothing of it is left out as
 * unchanged or too early, nothing is computed from what came before. Likewise state is bounded by
 * the number of paths, and forgotten when the stream subscribes anew or a delete covers the path.
 *
 * Where no rule has anything to say the response is left as it is, and nothing is copied.
 *
 * JSON: a container (an object in JSON) under whose path a rule that looks at values, that is for
 * names and keys, or that does not match the container itself, could match something, becomes an
 * update for each leaf (flatten.h) before the rules; each counts as an update of its own. Whether
 * that is so is known for each path, so that other containers cost nothing.
 *
 * One thread.
 */
#ifndef SLUICE_NORMALISE_RULES_H
#define SLUICE_NORMALISE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "normalise/encoder.h"
#include "normalise/rule.h"

enum {
    SL_RULES_MAX = 256,                               /* in force for one stream at one sink */
    SL_RULES_MAX_BYTES = SL_ENCODER_MAX_RECORD_BYTES, /* of a response that was made anew */
    SL_RULES_LISTED = 256,                            /* of more updates no list is made */
};

/* ---- one rule ---- */

/* Which updates a rule is for: those that match all that is said. */
struct sl_rule_selector {
    struct sluice_strings paths;  /* globs (glob.h), one of which matches; none: every path */
    struct sluice_map labels;     /* each is there, and its value matches: words with * and ? */
    struct sluice_strings values; /* words with * and ?, one of which matches the value's text */
    const char *above;            /* numbers: the value is more, or less; NULL or "": any */
    const char *below;
};

/* The rows of a selector: of all kinds, and of those that may look at values. */
extern const struct sluice_option sl_rule_path_rows[];
extern const struct sluice_option sl_rule_value_rows[];

struct sl_rule;

struct sl_rule_config {
    const struct sl_rule_kind *kind;
    const struct sl_rule_selector *selector;
    const void *options; /* of the kind */
    const char *list;    /* the name of the list that it stands in, and its place there, from 1 */
    unsigned number;
};

/* What `config` points at outlives the rule. NULL with the reason in `error`. */
struct sl_rule *sl_rule_new(const struct sl_rule_config *config,
                            struct sl_rule_error *error) SL_MUST_CHECK;
void sl_rule_free(struct sl_rule *rule);

const struct sl_rule_config *sl_rule_config(const struct sl_rule *rule);

/* ---- several ---- */

struct sl_rules {
    const struct sl_rule *const *items; /* in the order in which they are done */
    size_t count;                       /* at most SL_RULES_MAX */
};

/* What became of one update or delete, for a person. */
struct sl_rules_step {
    bool is_delete;
    enum sl_rule_verdict verdict;
    struct sl_str prefix_before; /* bytes of Paths */
    struct sl_str path_before;
    struct sl_str prefix_after;
    struct sl_str path_after;
    const struct sl_gnmi_value *value_before; /* of an update */
    const struct sl_gnmi_value *value_after;
    const struct sl_rule *const
        *by; /* the rules that had a part in it: those of the path, then those of the value */
    size_t by_count;
};

struct sl_rules_config {
    struct sl_rules rules;
    struct sl_encoder_memory *memory;
    const struct sluice_map *labels; /* the target's; NULL: none */
    /* The responses go to one encoder alone, of format event or sluice.v1 (or its JSON) with
     * records of whole notifications: updates may be listed (response.h), with hints (pass.h). */
    bool lists;
    void (*on_step)(void *arg, const struct sl_rules_step *step); /* NULL: nobody looks */
    void *arg;
};

struct sl_rules_state;

/* What `config` points at outlives it. NULL when memory is out. */
struct sl_rules_state *sl_rules_state_new(const struct sl_rules_config *config) SL_MUST_CHECK;
void sl_rules_state_free(struct sl_rules_state *state);

struct sl_rules_result {
    uint32_t filtered;
    uint32_t
        dropped; /* a path beyond the limits of rule.h; a value of which a rule cannot be made */
    uint32_t opened; /* leaves of JSON containers, less the containers: so many more updates there
                        are than the response had */
    bool is_nothing; /* there was something, and nothing is left: no record is due */
};

/* `out` is what is left of the response: the same where nothing is to be done, else one in memory
 * that the states of one `memory` share, until the next call of any; one whose updates are listed
 * points into `response` as well. False when memory is out. */
bool sl_rules_apply(struct sl_rules_state *state, const struct sl_gnmi_response *response,
                    const struct sl_encoder_context *context, struct sl_gnmi_response *out,
                    struct sl_rules_result *result) SL_MUST_CHECK;

/* The last `out`, made anew, has to wait: afterwards it lies in `kept` alone, which was empty, and
 * its updates are not listed. False when memory is out. */
bool sl_rules_take_out(struct sl_rules_state *state, struct sl_gnmi_response *out,
                       struct sl_buf *kept) SL_MUST_CHECK;

#endif
