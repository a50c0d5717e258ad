#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "gnmi.services.h"
#include "gnmi/ask.h"
#include "gnmi/path_print.h"
#include "gnmi/wire.h"
#include "grpc/message.h"
#include "normalise/text.h"
#include "set_words.h"
#include "tool/extensions.h"
#include "tool/options.h"
#include "tool/print.h"
#include "unary.h"

#define AT(field) offsetof(struct set, field)

struct set {
    struct unary unary;
    struct sl_tool_words words;
    const char *prefix;
    const char *delimiter;
    const char *commit_id;
    bool commit_request;
    bool commit_confirm;
    bool commit_cancel;
    int64_t rollback_ns;
    const char *election_id;
    const char *role;
};

#define OPERATION(flag_name, flag_value, text)                                                     \
    {.name = flag_name,                                                                            \
     .type = SL_FLAG_ORDERED,                                                                      \
     .offset = AT(words),                                                                          \
     .value = flag_value,                                                                          \
     .doc = text}

static const struct sl_flag set_flags[] = {
    OPERATION("delete", "PATH", "delete what is there"),
    OPERATION(
        "update", "PATH:::TYPE:::VALUE",
        "set a value; TYPE is json, json_ietf, string, int, uint, bool, bytes, float, double, "
        "decimal or ascii"),
    OPERATION("replace", "PATH:::TYPE:::VALUE", "likewise, and what else is under the path goes"),
    OPERATION("union-replace", "PATH:::TYPE:::VALUE",
              "likewise, of several origins together as one"),
    OPERATION("update-path", "PATH",
              "a path whose value is in the next --update-value or --update-file, of the type that "
              "--encoding says; a word that is no JSON is taken as a string of it"),
    OPERATION("update-value", "VALUE", "its value"),
    OPERATION("update-file", "FILE",
              "a file with its value, YAML where it is called so; - is standard input"),
    OPERATION("replace-path", "PATH", "the same for a replace"),
    OPERATION("replace-value", "VALUE", "its value"),
    OPERATION("replace-file", "FILE", "a file with its value"),
    OPERATION("union-replace-path", "PATH", "the same for a union-replace"),
    OPERATION("union-replace-value", "VALUE", "its value"),
    OPERATION("union-replace-file", "FILE", "a file with its value"),
    OPERATION("update-cli", "COMMANDS", "an update with origin cli, value ascii"),
    OPERATION("update-cli-file", "FILE", "likewise, from a file"),
    OPERATION("replace-cli", "COMMANDS", "a replace with origin cli, value ascii"),
    OPERATION("replace-cli-file", "FILE", "likewise, from a file"),
    OPERATION("union-replace-cli", "COMMANDS", "a union-replace with origin cli, value ascii"),
    OPERATION("union-replace-cli-file", "FILE", "likewise, from a file"),
    OPERATION("request-file", "FILE",
              "JSON or YAML: updates, replaces and union-replaces, each a list of {path:, value:, "
              "encoding:}, and deletes, a list of paths"),
    {.name = "delimiter",
     .type = SL_FLAG_TEXT,
     .offset = AT(delimiter),
     .value = "TEXT",
     .initial = ":::",
     .doc = "between path, type and value"},
    {.name = "prefix",
     .type = SL_FLAG_TEXT,
     .offset = AT(prefix),
     .value = "PATH",
     .doc = "stands in front of every path"},
    {.name = "dry-run",
     .type = SL_FLAG_SWITCH,
     .offset = AT(unary.dry_run),
     .doc = "print the request, ask nobody"},
    {.name = NULL},
};

static const struct sl_flag commit_flags[] = {
    {.name = "commit-id",
     .type = SL_FLAG_TEXT,
     .offset = AT(commit_id),
     .value = "ID",
     .doc = "of the commit that the four below are about"},
    {.name = "commit-request",
     .type = SL_FLAG_SWITCH,
     .offset = AT(commit_request),
     .doc = "begin it: what is set goes back unless it is confirmed in time"},
    {.name = "commit-confirm",
     .type = SL_FLAG_SWITCH,
     .offset = AT(commit_confirm),
     .doc = "confirm it"},
    {.name = "commit-cancel",
     .type = SL_FLAG_SWITCH,
     .offset = AT(commit_cancel),
     .doc = "take it back now"},
    {.name = "rollback-duration",
     .type = SL_FLAG_DURATION,
     .offset = AT(rollback_ns),
     .value = "DURATION",
     .doc = "how long it may stay unconfirmed: with --commit-request, or by itself anew"},
    {.name = "election-id",
     .type = SL_FLAG_TEXT,
     .offset = AT(election_id),
     .value = "[HIGH:]LOW",
     .doc = "master arbitration: of all clients of a role the highest may set"},
    {.name = "role",
     .type = SL_FLAG_TEXT,
     .offset = AT(role),
     .value = "ROLE",
     .doc = "of the election; without it the default one"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {
    {"Set", set_flags},
    {"Commit and arbitration", commit_flags},
    {"Targets and connection", sl_tool_connection_flags},
    {"Login", sl_tool_login_flags},
    {"Request", sl_tool_request_flags},
    {"Extensions", sl_tool_extension_flags},
    {"Output", sl_tool_output_flags},
    {NULL, NULL},
};

const struct sl_tool sl_tool_set = {
    .name = "set",
    .doc = "change the configuration of devices",
    .usage = "--update PATH:::TYPE:::VALUE | --delete PATH | ...",
    .text = "Sends every target one Set with all that is asked for: a device does all of it or\n"
            "nothing, deletes first, then replaces, then updates (gNMI Set). With --config the\n"
            "targets have to be named, --target '*' for all.",
    .examples =
        "  sluice set -a leaf1 -u admin --update /system/config/hostname:::json:::leaf1\n"
        "  sluice set -c sluice.yaml --target leaf1 --delete /interfaces/interface[name=lo9]\n"
        "  sluice set -a leaf1 --replace-path /interfaces --replace-file interfaces.json \\\n"
        "      --encoding json_ietf --commit-id 7 --commit-request --rollback-duration 5m\n"
        "  sluice set -a leaf1 --commit-id 7 --commit-confirm",
    .groups = groups,
};

/* ---- printing ---- */

static const char *operation_name(Gnmi__UpdateResult__Operation operation)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &gnmi__update_result__operation__descriptor, (int)operation);

    return value ? value->name : "UNKNOWN";
}

/* The canonical text of a path of the answer. */
static void add_path(struct sl_buf *out, const Gnmi__Path *prefix, const Gnmi__Path *path)
{
    struct sl_buf packed_prefix = {0};
    struct sl_buf packed = {0};

    bool is_good = (!prefix || sl_grpc_message_pack(&prefix->base, &packed_prefix)) &&
                   (!path || sl_grpc_message_pack(&path->base, &packed)) &&
                   sl_gnmi_path_print(sl_buf_str(&packed_prefix), sl_buf_str(&packed), out);

    out->failed = out->failed || !is_good;
    sl_buf_fini(&packed_prefix);
    sl_buf_fini(&packed);
}

static void add_lines(struct sl_buf *out, const Gnmi__SetResponse *answer, bool is_table)
{
    for (size_t i = 0; i < answer->n_response; i++) {
        const Gnmi__UpdateResult *result = answer->response[i];
        struct sl_buf path = {0};
        add_path(&path, answer->prefix, result->path);
        sl_buf_printf(out, is_table ? "%-13s  " : "%s: ", operation_name(result->op));
        sl_print_plain(out, sl_buf_str(&path));
        sl_buf_add_byte(out, '\n');
        out->failed = out->failed || path.failed;
        sl_buf_fini(&path);
    }
    if (!answer->n_response) {
        sl_buf_add_c(out, is_table ? "done\n" : "");
    }
}

static void add_result(struct sl_buf *out, const Gnmi__SetResponse *answer, size_t i)
{
    struct sl_buf path = {0};

    add_path(&path, answer->prefix, answer->response[i]->path);
    sl_buf_printf(out, "%s{\"operation\":\"%s\",\"path\":", i ? "," : "",
                  operation_name(answer->response[i]->op));
    sl_text_add_quoted(out, sl_buf_str(&path));
    sl_buf_add_byte(out, '}');
    out->failed = out->failed || path.failed;
    sl_buf_fini(&path);
}

static void add_json(struct sl_buf *out, const char *source, const Gnmi__SetResponse *answer)
{
    sl_buf_add_c(out, "{\"source\":");
    sl_text_add_quoted(out, sl_str_from(source));
    sl_buf_add_c(out, ",\"timestamp\":");
    sl_buf_add_i64(out, answer->timestamp);
    sl_buf_add_c(out, ",\"results\":[");
    for (size_t i = 0; i < answer->n_response; i++) {
        add_result(out, answer, i);
    }
    sl_buf_add_byte(out, ']');
}

static struct sl_status print(const struct sl_tool_target *target, enum sl_tool_format format,
                              const Gnmi__SetResponse *answer, struct sl_str bytes)
{
    struct sl_buf out = {0};

    if (format == SL_TOOL_TABLE || format == SL_TOOL_FLAT) {
        add_lines(&out, answer, format == SL_TOOL_TABLE);
        sl_tool_add_extension_lines(&out, bytes, answer->base.descriptor);
        return sl_print_text(target, &out);
    }
    add_json(&out, target->name, answer);
    sl_tool_add_extensions(&out, bytes, answer->base.descriptor);
    sl_buf_add_byte(&out, '}');
    struct sl_status status = sl_print_json(target, &out);

    sl_buf_fini(&out);
    return status;
}

/* ---- the call ---- */

static struct sl_status take(struct sl_tool_target *target, struct sl_str bytes, void *arg)
{
    const struct set *set = arg;
    enum sl_tool_format format = sl_tool_format(&set->unary.common);
    struct sl_status status;
    ProtobufCMessage *answer = sl_grpc_message_unpack_kept(
        &gnmi__set_response__descriptor, (const uint8_t *)bytes.data, (uint32_t)bytes.len, &status);

    if (!answer) {
        return status;
    }
    if (format == SL_TOOL_PROTOJSON || format == SL_TOOL_PROTOTEXT) {
        status = sl_print_message(target, format, answer->descriptor, bytes);
    } else {
        status = print(target, format, (const Gnmi__SetResponse *)answer, bytes);
    }
    protobuf_c_message_free_unpacked(answer, NULL);
    return status;
}

/* ---- the request ---- */

static bool add_extension(const struct set *set, struct sl_tool_extensions *extensions,
                          const struct sl_gnmi_extension *extension)
{
    return sl_tool_add_extension(extensions, extension) ||
           sl_tool_complain(&set->unary.common, "out of memory");
}

static bool add_commit(const struct set *set, struct sl_tool_extensions *extensions)
{
    int actions = set->commit_request + set->commit_confirm + set->commit_cancel;
    bool has_rollback = sl_tool_is_given(&set->unary.common, "rollback-duration");
    struct sl_gnmi_extension commit = {
        .kind = set->commit_request   ? SL_GNMI_COMMIT
                : set->commit_confirm ? SL_GNMI_COMMIT_CONFIRM
                : set->commit_cancel  ? SL_GNMI_COMMIT_CANCEL
                                      : SL_GNMI_COMMIT_ROLLBACK,
        .of.commit = {.id = set->commit_id, .rollback_ns = set->rollback_ns},
    };

    if (!set->commit_id && !actions && !has_rollback) {
        return true;
    }
    if (!set->commit_id || actions > 1 || (!actions && !has_rollback)) {
        return sl_tool_complain(&set->unary.common,
                                "--commit-id goes with one of --commit-request, --commit-confirm, "
                                "--commit-cancel and --rollback-duration");
    }
    if (has_rollback && (set->commit_confirm || set->commit_cancel)) {
        return sl_tool_complain(&set->unary.common,
                                "--rollback-duration goes with --commit-request, or "
                                "stands alone");
    }
    return add_extension(set, extensions, &commit);
}

/* "HIGH:LOW" or "LOW". */
static bool parse_election(const char *text, uint64_t *high, uint64_t *low)
{
    const char *colon = strchr(text, ':');

    *high = 0;
    return (!colon || sl_str_to_u64((struct sl_str){text, (size_t)(colon - text)}, high)) &&
           sl_str_to_u64(sl_str_from(colon ? colon + 1 : text), low);
}

static bool add_arbitration(const struct set *set, struct sl_tool_extensions *extensions)
{
    struct sl_gnmi_extension arbitration = {.kind = SL_GNMI_ARBITRATION,
                                            .of.arbitration.role = set->role};

    if (!set->election_id) {
        return !set->role || sl_tool_complain(&set->unary.common, "--role goes with --election-id");
    }
    if (!parse_election(set->election_id, &arbitration.of.arbitration.high,
                        &arbitration.of.arbitration.low)) {
        return sl_tool_complain(&set->unary.common,
                                "--election-id: expected LOW or HIGH:LOW, found "
                                "'%.80s'",
                                set->election_id);
    }
    return add_extension(set, extensions, &arbitration);
}

static bool build(struct set *set, const struct set_words *words,
                  const struct sl_tool_extensions *extensions)
{
    struct sl_status why = sl_status_ok();
    const struct sl_gnmi_set asked = {
        .writes = words->writes,
        .write_count = words->count,
        .prefix = set->prefix,
        .target = sl_tool_prefix_target(&set->unary.common),
        .extensions = extensions->items,
        .extension_count = extensions->count,
    };

    Gnmi__SetRequest *request = sl_gnmi_set_new(&asked, &why);
    set->unary.request = request ? &request->base : NULL;
    return request || sl_tool_complain(&set->unary.common, "%s", why.text);
}

/* A confirmation has nothing to set, and need not. */
static bool check(const struct set *set)
{
    if (!set->words.count && !set->commit_id) {
        return sl_tool_complain(&set->unary.common,
                                "nothing to set; expected --update, --replace, --delete, ...");
    }
    if (set->delimiter && !*set->delimiter) {
        return sl_tool_complain(&set->unary.common, "--delimiter: expected a text");
    }
    if (set->unary.common.config && !set->unary.common.targets.count) {
        return sl_tool_complain(&set->unary.common,
                                "--config without --target: which ones? '*' is all");
    }
    return true;
}

static bool make_request(struct unary *unary)
{
    struct set *set = (struct set *)unary;
    const char *delimiter = set->delimiter ? set->delimiter : ":::";
    struct sl_tool_extensions extensions = {0};
    struct set_words words = {0};
    bool is_good = check(set) && sl_tool_read_extensions(&set->unary.common, &extensions) &&
                   add_commit(set, &extensions) && add_arbitration(set, &extensions) &&
                   set_words_read(&set->unary.common, &set->words, delimiter, &words) &&
                   build(set, &words, &extensions);

    set_words_fini(&words);
    sl_tool_extensions_fini(&extensions);
    return is_good;
}

int sl_command_set(int argc, char **argv)
{
    static const struct unary_kind kind = {
        .tool = &sl_tool_set,
        .method = &gnmi__g_nmi__methods[GNMI__G_NMI__SET],
        .make_request = make_request,
        .take = take,
    };
    struct set set = {0};

    return unary_main(&set.unary, &kind, argc, argv);
}
