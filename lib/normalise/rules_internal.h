/* rules_internal.h - the inside of rules: rules.c has single rules, rules_outcome.c what they make
 * of a path, rules_forget.c when the state of a path ends, rules_apply.c the way of a response,
 * rules_list.c one whose updates come out in a list. */
#ifndef SLUICE_NORMALISE_RULES_INTERNAL_H
#define SLUICE_NORMALISE_RULES_INTERNAL_H

#include "gnmi/rewrite.h"
#include "normalise/exact.h"
#include "normalise/flatten.h"
#include "normalise/glob.h"
#include "normalise/intern.h"
#include "normalise/pass.h"
#include "normalise/rule_path.h"
#include "normalise/rules.h"

/* A number that values are held against. */
struct sl_rule_bound {
    bool is_set;
    bool is_whole; /* and within 64 bits, with its sign: most are */
    int64_t whole;
    struct sl_exact exact;
};

struct sl_rule {
    struct sl_rule_config config;
    struct sl_glob **globs;
    size_t glob_count;
    bool has_values; /* the selector looks at values */
    struct sl_rule_bound above;
    struct sl_rule_bound below;
    void *own;            /* what compile has filled */
    const void *compiled; /* that, or the options */
};

/* Whether the path and its labels are those of the selector; `matches` is sl_glob_matches or
 * sl_glob_reaches. */
bool sl_rule_matches(const struct sl_rule *rule, const struct sl_rule_path *path,
                     bool (*matches)(const struct sl_glob *, const struct sl_rule_path *));

/* Where scratch->failed is set afterwards memory was out, and nobody knows. */
bool sl_rule_matches_value(const struct sl_rule *rule, const struct sl_gnmi_value *value,
                           struct sl_buf *scratch);

/* ---- forgetting ---- */

/* One for each path that has state and each path above it: a delete of it is noted here. */
struct sl_rules_node {
    uint64_t hash;
    struct sl_rules_node *parent;
    struct sl_rules_node *keyless; /* the same without the keys of the last element, or NULL */
    struct sl_rules_node *bare;    /* the same without any keys, or NULL */
    uint64_t deleted_at;           /* in the clock of the table */
};

struct sl_rules_nodes {
    struct sl_encoder_memory *memory;
    uint64_t seed;
    struct sl_rules_node **slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t used;
    uint64_t clock; /* one more with each delete */
    uint64_t floor; /* everything from before is forgotten */
};

void sl_rules_nodes_init(struct sl_rules_nodes *nodes, struct sl_encoder_memory *memory,
                         uint64_t seed);
void sl_rules_nodes_fini(struct sl_rules_nodes *nodes);

/* NULL when there is no room. */
struct sl_rules_node *sl_rules_nodes_add(struct sl_rules_nodes *nodes,
                                         const struct sl_rule_path *path);

/* A delete of `path`: what lies at it or below is forgotten; of one with a wildcard, everything. */
void sl_rules_nodes_delete(struct sl_rules_nodes *nodes, const struct sl_rule_path *path);
void sl_rules_nodes_delete_all(struct sl_rules_nodes *nodes);

/* Whether a delete since `then` covers the node. */
bool sl_rules_nodes_is_forgotten(const struct sl_rules_nodes *nodes,
                                 const struct sl_rules_node *node, uint64_t then);

/* ---- outcomes ---- */

struct sl_rules_action {
    const struct sl_rule *rule;
    void *state; /* NULL: none, or no room */
};

/* What all rules together make of one path. */
struct sl_rules_outcome {
    struct sl_path_hint hint; /* what the encoder has found for the new path */
    size_t bytes;             /* of the block that it stands in; 0: not kept */
    bool is_plain;            /* no rule has anything to say */
    bool is_simple;           /* it goes on, and no rule looks at its value */
    bool is_changed;          /* `path` is another one */
    bool opens;               /* a container of JSON there becomes its leaves */
    bool needs_whole;         /* it cannot stand under the prefix of the others any more */
    bool has_labels;
    enum sl_rule_verdict verdict;
    struct sl_str path;              /* where is_changed */
    const struct sl_rule *timestamp; /* the rule for it; NULL: none */
    struct sl_rules_outcome *next;   /* of all that are kept */
    struct sl_rules_node *node;      /* of its state; NULL: none */
    uint64_t touched_at;             /* in the clock of the nodes */
    char *states;
    size_t states_bytes;
    struct sl_rules_action *actions;
    size_t action_count;
    const struct sl_rule **by; /* only where somebody looks: rules that had a part in the path */
    size_t by_count;
};

/* The updates of a response: as they came, then those that are left, in the same place. */
struct sl_rules_list {
    struct sl_gnmi_listed updates[SL_RULES_LISTED];
    struct sl_buf values; /* bytes of new values */
    uint32_t copy_count;
    struct sl_rules_copy {
        uint32_t at;     /* of the update */
        uint32_t offset; /* of its value */
    } copies[SL_RULES_LISTED];
};

/* The working memory, one for all states of one `memory`: it is in the encoders' (scratch.h). */
struct sl_rules_scratch {
    struct sl_rule_path prefix; /* what the rules make of the prefix */
    struct sl_rule_path path;
    struct sl_buf prefix_bytes; /* of it */
    struct sl_buf path_bytes;   /* of a path that is not kept */
    struct sl_buf out;          /* the response */
    struct sl_rules_list list;  /* of its updates */
    struct sl_buf opened;       /* the response with leaves for containers of JSON */
    struct sl_flatten flatten;
    struct sl_buf texts[2];        /* new values, in turn */
    struct sl_buf match;           /* a value as text */
    struct sl_rules_outcome loose; /* of a path that is not kept */
    struct sl_rules_action actions[SL_RULES_MAX];
    const struct sl_rule *by[2 * SL_RULES_MAX];
};

struct sl_rules_state {
    struct sl_rules_config config;
    struct sl_rules_scratch *scratch;
    struct sl_intern updates; /* their fragment's text is a pointer to an outcome */
    struct sl_intern deletes;
    struct sl_intern prefixes; /* the bytes of the new prefix; key_at: it is another one */
    struct sl_rules_outcome *outcomes;
    struct sl_rules_nodes nodes;
    uint64_t epoch;
};

/* The scratch's prefix, worked out of that of a response, and its bytes. False: beyond a limit, or
 * memory is out. */
bool sl_rules_build_prefix(struct sl_rules_state *state, struct sl_str prefix) SL_MUST_CHECK;

/* What the rules make of a path, in scratch->loose. Its prefix is built. `is_whole`: its path is
 * all of it. */
void sl_rules_work_out(struct sl_rules_state *state, struct sl_str prefix, struct sl_str path,
                       bool is_delete, bool is_whole);

/* Keeps scratch->loose under the path, of which `kept` is the prefix; scratch->loose where there is
 * no room. */
struct sl_rules_outcome *sl_rules_keep(struct sl_rules_state *state,
                                       const struct sl_intern_prefix *kept, struct sl_str prefix,
                                       struct sl_str path, bool is_delete);

/* The one that is kept; NULL: none is. */
struct sl_rules_outcome *sl_rules_find(struct sl_rules_state *state,
                                       const struct sl_intern_prefix *prefix, struct sl_str path,
                                       bool is_delete);

/* ---- lists ---- */

void sl_rules_list_begin(struct sl_rules_list *list);

/* Keeps the bytes of the new value of the update at that place, if it has some. */
void sl_rules_list_copy(struct sl_rules_list *list, uint32_t at, const struct sl_gnmi_value *value);

/* The response, whose number of updates is right, has the list. False when memory is out. */
bool sl_rules_list_end(struct sl_rules_list *list, struct sl_gnmi_response *response) SL_MUST_CHECK;

void sl_rules_scratch_init(struct sl_rules_scratch *scratch);
void sl_rules_scratch_fini(struct sl_rules_scratch *scratch);

#endif
