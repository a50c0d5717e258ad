/* Rules that change what a path is called, and its labels. */
#include <string.h>

#include "gnmi.pb-c.h"

#include "normalise/rule_kinds.h"

/* ---- runs of elements ---- */

/* Names of elements, as `a` or /a/b in the configuration. False with the reason. */
static bool parse_run(const char *key, const char *text, Gnmi__Path **run,
                      struct sl_rule_error *error)
{
    *run = sl_gnmi_path_parse(sl_str_from(text), &error->why);
    if (!*run) {
        error->key = key;
        return false;
    }
    if (!(*run)->n_elem || *(*run)->origin) {
        return sl_rule_refuse(error, key,
                              "expected names of elements such as interface or "
                              "/interfaces/interface, found '%.80s'",
                              text);
    }
    for (size_t i = 0; i < (*run)->n_elem; i++) {
        if ((*run)->elem[i]->n_key) {
            return sl_rule_refuse(error, key, "expected names without keys, found '%.80s'", text);
        }
    }
    return true;
}

static void free_run(Gnmi__Path *run)
{
    if (run) {
        gnmi__path__free_unpacked(run, NULL);
    }
}

static bool is_called(struct sl_str elem, const char *name)
{
    return sl_str_eq_c(elem, name) || sl_str_eq_c(sl_gnmi_without_module(elem), name);
}

static bool is_run_at(const struct sl_rule_path *path, size_t at, const Gnmi__Path *run)
{
    if (run->n_elem > path->elem_count - at) {
        return false;
    }
    for (size_t i = 0; i < run->n_elem; i++) {
        if (!is_called(path->elems[at + i], run->elem[i]->name)) {
            return false;
        }
    }
    return true;
}

/* ---- rename ---- */

struct rename_options {
    const char *from;
    const char *to;
};

struct rename {
    Gnmi__Path *from;
    Gnmi__Path *to;
};

static const struct sluice_option rename_options[] = {
    {.name = "from",
     .type = SLUICE_STRING,
     .offset = offsetof(struct rename_options, from),
     .is_required = true,
     .doc = "One element or several, wherever they first stand in the path: in-octets, "
            "/interfaces/interface."},
    {.name = "to",
     .type = SLUICE_STRING,
     .offset = offsetof(struct rename_options, to),
     .is_required = true,
     .doc = "What stands there instead. The last element keeps the keys of the last, and so on."},
    {.name = NULL},
};

static bool compile_rename(const void *options, void *rule, struct sl_rule_error *error)
{
    const struct rename_options *texts = options;
    struct rename *rename = rule;

    return parse_run("from", texts->from, &rename->from, error) &&
           parse_run("to", texts->to, &rename->to, error);
}

static void free_rename(void *rule)
{
    struct rename *rename = rule;

    free_run(rename->from);
    free_run(rename->to);
}

/* The first `count` elements from `at` on go; their keys go to the one behind them. */
static bool fold(struct sl_rule_path *path, size_t at, size_t count)
{
    for (size_t i = 0; i < path->key_count; i++) {
        struct sl_rule_key key = path->keys[i];
        if (key.elem >= at && key.elem < at + count &&
            !sl_rule_path_set_key(path, at + count, key.key.name, key.key.value)) {
            return false;
        }
    }
    sl_rule_path_remove_elems(path, at, count);
    return true;
}

static enum sl_rule_verdict rename_path(const void *rule, struct sl_rule_path *path)
{
    const struct rename *rename = rule;
    size_t from = rename->from->n_elem;
    size_t to = rename->to->n_elem;
    size_t at = 0;

    while (at < path->elem_count && !is_run_at(path, at, rename->from)) {
        at++;
    }
    if (at == path->elem_count) {
        return SL_RULE_PASS;
    }
    if (from > to && !fold(path, at, from - to)) {
        return SL_RULE_DROP;
    }
    for (size_t i = from; i < to; i++) {
        if (!sl_rule_path_insert_elem(path, at, (struct sl_str){0})) {
            return SL_RULE_DROP;
        }
    }
    for (size_t i = 0; i < to; i++) {
        sl_rule_path_set_elem(path, at + i, sl_str_from(rename->to->elem[i]->name));
    }
    return SL_RULE_PASS;
}

const struct sl_rule_kind sl_rule_rename = {
    .name = "rename",
    .purpose = "Puts other elements in the place of one or several.",
    .example = "{kind: rename, path: /interfaces/..., from: /interfaces/interface, to: port}",
    .before = "/interfaces/interface[name=e1]/state/mtu uint 9000\n"
              "delete /interfaces/interface[name=e2]\n"
              "delete /system\n",
    .after = "/port[name=e1]/state/mtu uint 9000\n"
             "delete /port[name=e2]\n"
             "delete /system\n",
    .opens = true,
    .options = rename_options,
    .options_size = sizeof(struct rename_options),
    .size = sizeof(struct rename),
    .compile = compile_rename,
    .fini = free_rename,
    .path = rename_path,
};

/* ---- strip ---- */

struct strip_options {
    const char *leading;
    bool modules;
    bool origin;
    bool target;
};

struct strip {
    const struct strip_options *options;
    Gnmi__Path *leading;
};

static const struct sluice_option strip_options[] = {
    {.name = "modules",
     .type = SLUICE_BOOL,
     .offset = offsetof(struct strip_options, modules),
     .default_text = "false",
     .doc = "The module in front of names: openconfig-interfaces:interfaces."},
    {.name = "origin",
     .type = SLUICE_BOOL,
     .offset = offsetof(struct strip_options, origin),
     .default_text = "false",
     .doc = "The origin."},
    {.name = "target",
     .type = SLUICE_BOOL,
     .offset = offsetof(struct strip_options, target),
     .default_text = "false",
     .doc = "The target in the prefix or the path."},
    {.name = "leading",
     .type = SLUICE_STRING,
     .offset = offsetof(struct strip_options, leading),
     .default_text = "",
     .doc = "Elements that the path begins with, and their keys with them: /interfaces."},
    {.name = NULL},
};

const void *sl_rule_strip_modules(void)
{
    static const struct strip_options options = {.leading = "", .modules = true};

    return &options;
}

static bool compile_strip(const void *options, void *rule, struct sl_rule_error *error)
{
    struct strip *strip = rule;

    strip->options = options;
    if (!*strip->options->leading && !strip->options->modules && !strip->options->origin &&
        !strip->options->target) {
        return sl_rule_refuse(error, NULL, "expected modules, origin, target or leading");
    }
    return !*strip->options->leading ||
           parse_run("leading", strip->options->leading, &strip->leading, error);
}

static void free_strip(void *rule)
{
    struct strip *strip = rule;

    free_run(strip->leading);
}

static enum sl_rule_verdict strip_path(const void *rule, struct sl_rule_path *path)
{
    const struct strip *strip = rule;

    if (strip->options->origin) {
        sl_rule_path_set_origin(path, (struct sl_str){0});
    }
    if (strip->options->target) {
        sl_rule_path_set_target(path, (struct sl_str){0});
    }
    if (strip->leading && is_run_at(path, 0, strip->leading)) {
        sl_rule_path_remove_elems(path, 0, strip->leading->n_elem);
    }
    for (size_t i = 0; strip->options->modules && i < path->elem_count; i++) {
        sl_rule_path_set_elem(path, i, sl_gnmi_without_module(path->elems[i]));
    }
    return SL_RULE_PASS;
}

const struct sl_rule_kind sl_rule_strip = {
    .name = "strip",
    .purpose = "Takes the modules of names, the origin, or leading elements away.",
    .example = "{kind: strip, modules: true, origin: true, leading: /interfaces}",
    .before = "openconfig:/openconfig-interfaces:interfaces/interface[name=e1]/state uint 1\n"
              "delete openconfig:/openconfig-system:system\n",
    .after = "/interface[name=e1]/state uint 1\n"
             "delete /system\n",
    .opens = true,
    .options = strip_options,
    .options_size = sizeof(struct strip_options),
    .size = sizeof(struct strip),
    .compile = compile_strip,
    .fini = free_strip,
    .path = strip_path,
};

/* ---- label ---- */

struct label {
    struct sluice_map set;
    struct sluice_map add;
    struct sluice_strings remove;
};

static const struct sluice_option label_options[] = {
    {.name = "set",
     .type = SLUICE_MAP,
     .offset = offsetof(struct label, set),
     .doc = "Labels with their values, whatever they were."},
    {.name = "add",
     .type = SLUICE_MAP,
     .offset = offsetof(struct label, add),
     .doc = "The same where neither the path nor the target has one of that name."},
    {.name = "remove",
     .type = SLUICE_STRINGS,
     .offset = offsetof(struct label, remove),
     .doc = "Labels that rules before have set."},
    {.name = NULL},
};

static bool compile_label(const void *options, void *rule, struct sl_rule_error *error)
{
    const struct label *label = options;

    (void)rule;
    return label->set.count || label->add.count || label->remove.count ||
           sl_rule_refuse(error, NULL, "expected set, add or remove");
}

static enum sl_rule_verdict label_path(const void *rule, struct sl_rule_path *path)
{
    const struct label *label = rule;
    bool is_ok = true;

    for (size_t i = 0; i < label->remove.count; i++) {
        sl_rule_path_remove_label(path, sl_str_from(label->remove.items[i]));
    }
    for (size_t i = 0; i < label->set.count && is_ok; i++) {
        is_ok = sl_rule_path_set_label(path, sl_str_from(label->set.pairs[i].name),
                                       sl_str_from(label->set.pairs[i].value));
    }
    for (size_t i = 0; i < label->add.count && is_ok; i++) {
        struct sl_str name = sl_str_from(label->add.pairs[i].name);
        is_ok = sl_rule_path_label(path, name).data ||
                sl_rule_path_set_label(path, name, sl_str_from(label->add.pairs[i].value));
    }
    return is_ok ? SL_RULE_PASS : SL_RULE_DROP;
}

const struct sl_rule_kind sl_rule_label = {
    .name = "label",
    .purpose = "Sets, adds and removes labels: tags of the formats that have them.",
    .example =
        "{kind: label, path: \"/interfaces/interface[name=eth*]/...\", set: {media: copper}}",
    .before = "/interfaces/interface[name=eth1]/state/mtu uint 9000\n"
              "/interfaces/interface[name=lo0]/state/mtu uint 9000\n",
    .after = "/interfaces/interface[name=eth1]/state/mtu {media=copper} uint 9000\n"
             "/interfaces/interface[name=lo0]/state/mtu uint 9000\n",
    .options = label_options,
    .options_size = sizeof(struct label),
    .compile = compile_label,
    .path = label_path,
};

/* ---- key-to-label ---- */

struct key_to_label {
    const char *key;
    const char *element;
    const char *to;
    bool keep;
};

static const struct sluice_option key_to_label_options[] = {
    {.name = "key",
     .type = SLUICE_STRING,
     .offset = offsetof(struct key_to_label, key),
     .is_required = true,
     .doc = "The name of the key."},
    {.name = "element",
     .type = SLUICE_STRING,
     .offset = offsetof(struct key_to_label, element),
     .default_text = "",
     .doc = "The element that has it; without: any, of several the last."},
    {.name = "to",
     .type = SLUICE_STRING,
     .offset = offsetof(struct key_to_label, to),
     .default_text = "",
     .doc = "The name of the label; without: the key's."},
    {.name = "keep",
     .type = SLUICE_BOOL,
     .offset = offsetof(struct key_to_label, keep),
     .default_text = "false",
     .doc = "The key stays where it is, too."},
    {.name = NULL},
};

static enum sl_rule_verdict move_key(const void *rule, struct sl_rule_path *path)
{
    const struct key_to_label *move = rule;
    struct sl_str label = sl_str_from(*move->to ? move->to : move->key);

    for (size_t i = path->key_count; i-- > 0;) {
        const struct sl_rule_key key = path->keys[i];
        if (!sl_str_eq_c(key.key.name, move->key) ||
            (*move->element && !is_called(path->elems[key.elem], move->element))) {
            continue;
        }
        if (!sl_rule_path_set_label(path, label, key.key.value)) {
            return SL_RULE_DROP;
        }
        if (!move->keep) {
            sl_rule_path_remove_key(path, i);
        }
        break;
    }
    return SL_RULE_PASS;
}

const struct sl_rule_kind sl_rule_key_to_label = {
    .name = "key-to-label",
    .purpose = "Makes a label of a key; the path is shorter by it.",
    .example = "{kind: key-to-label, key: name, element: interface, to: interface}",
    .before = "/interfaces/interface[name=e1]/state/mtu uint 9000\n"
              "delete /interfaces/interface[name=e1]\n",
    .after = "/interfaces/interface/state/mtu {interface=e1} uint 9000\n"
             "delete /interfaces/interface {interface=e1}\n",
    .opens = true,
    .options = key_to_label_options,
    .options_size = sizeof(struct key_to_label),
    .path = move_key,
};

/* ---- label-to-key ---- */

struct label_to_key {
    const char *from;
    const char *element;
    const char *to;
};

static const struct sluice_option label_to_key_options[] = {
    {.name = "from",
     .type = SLUICE_STRING,
     .offset = offsetof(struct label_to_key, from),
     .is_required = true,
     .doc = "The name of the label, of the path or of the target; the latter stays there."},
    {.name = "element",
     .type = SLUICE_STRING,
     .offset = offsetof(struct label_to_key, element),
     .is_required = true,
     .doc = "The element that gets the key; of several the first."},
    {.name = "to",
     .type = SLUICE_STRING,
     .offset = offsetof(struct label_to_key, to),
     .default_text = "",
     .doc = "The name of the key; without: the label's."},
    {.name = NULL},
};

static enum sl_rule_verdict move_label(const void *rule, struct sl_rule_path *path)
{
    const struct label_to_key *move = rule;
    struct sl_str value = sl_rule_path_label(path, sl_str_from(move->from));
    size_t elem = 0;

    while (elem < path->elem_count && !is_called(path->elems[elem], move->element)) {
        elem++;
    }
    if (!value.data || elem == path->elem_count) {
        return SL_RULE_PASS;
    }
    if (!sl_rule_path_set_key(path, elem, sl_str_from(*move->to ? move->to : move->from), value)) {
        return SL_RULE_DROP;
    }
    sl_rule_path_remove_label(path, sl_str_from(move->from));
    return SL_RULE_PASS;
}

const struct sl_rule_kind sl_rule_label_to_key = {
    .name = "label-to-key",
    .purpose = "Makes a key of a label.",
    .example = "{kind: label-to-key, from: interface, element: interface, to: name}",
    .before = "/interfaces/interface/state/mtu {interface=e1} uint 9000\n"
              "/system/state/hostname {interface=e1} string \"leaf1\"\n",
    .after = "/interfaces/interface[name=e1]/state/mtu uint 9000\n"
             "/system/state/hostname {interface=e1} string \"leaf1\"\n",
    .options = label_to_key_options,
    .options_size = sizeof(struct label_to_key),
    .path = move_label,
};
