#include "gnmi/extension.h"

#include <stdlib.h>

#include "gnmi/wire.h"

enum { RESPONSE_EXTENSION = 5 }; /* field number of SubscribeResponse */

/* protobuf-c takes strings that it will not write to without const. */
static char *borrowed(const char *text)
{
    union {
        const char *given;
        char *taken;
    } pointer = {.given = text};

    return pointer.taken;
}

/* All that an extension may have in it, on the stack while it is packed. */
struct parts {
    GnmiExt__Extension extension;
    GnmiExt__RegisteredExtension registered;
    GnmiExt__MasterArbitration arbitration;
    GnmiExt__Role role;
    GnmiExt__Uint128 election;
    GnmiExt__History history;
    GnmiExt__TimeRange range;
    GnmiExt__Commit commit;
    GnmiExt__CommitRequest request;
    GnmiExt__CommitConfirm confirm;
    GnmiExt__CommitCancel cancel;
    GnmiExt__CommitSetRollbackDuration rollback;
    Google__Protobuf__Duration duration;
    GnmiExt__Depth depth;
    GnmiExt__ConfigSubscription config;
    GnmiExt__ConfigSubscriptionStart start;
    GnmiExt__ConfigSubscriptionSyncDone done;
};

static void init_parts(struct parts *parts)
{
    gnmi_ext__extension__init(&parts->extension);
    gnmi_ext__registered_extension__init(&parts->registered);
    gnmi_ext__master_arbitration__init(&parts->arbitration);
    gnmi_ext__role__init(&parts->role);
    gnmi_ext__uint128__init(&parts->election);
    gnmi_ext__history__init(&parts->history);
    gnmi_ext__time_range__init(&parts->range);
    gnmi_ext__commit__init(&parts->commit);
    gnmi_ext__commit_request__init(&parts->request);
    gnmi_ext__commit_confirm__init(&parts->confirm);
    gnmi_ext__commit_cancel__init(&parts->cancel);
    gnmi_ext__commit_set_rollback_duration__init(&parts->rollback);
    google__protobuf__duration__init(&parts->duration);
    gnmi_ext__depth__init(&parts->depth);
    gnmi_ext__config_subscription__init(&parts->config);
    gnmi_ext__config_subscription_start__init(&parts->start);
    gnmi_ext__config_subscription_sync_done__init(&parts->done);
}

static void set_registered(struct parts *parts, const struct sl_gnmi_extension *given)
{
    const struct sl_str message = given->of.registered.message;

    parts->extension.ext_case = GNMI_EXT__EXTENSION__EXT_REGISTERED_EXT;
    parts->extension.registered_ext = &parts->registered;
    parts->registered.id = (GnmiExt__ExtensionID)given->of.registered.id;
    parts->registered.msg.len = message.len;
    parts->registered.msg.data = (uint8_t *)borrowed(message.data);
}

static void set_arbitration(struct parts *parts, const struct sl_gnmi_extension *given)
{
    parts->extension.ext_case = GNMI_EXT__EXTENSION__EXT_MASTER_ARBITRATION;
    parts->extension.master_arbitration = &parts->arbitration;
    parts->arbitration.election_id = &parts->election;
    parts->election.high = given->of.arbitration.high;
    parts->election.low = given->of.arbitration.low;
    if (given->of.arbitration.role) {
        parts->arbitration.role = &parts->role;
        parts->role.id = borrowed(given->of.arbitration.role);
    }
}

static void set_history(struct parts *parts, const struct sl_gnmi_extension *given)
{
    parts->extension.ext_case = GNMI_EXT__EXTENSION__EXT_HISTORY;
    parts->extension.history = &parts->history;
    if (given->kind == SL_GNMI_SNAPSHOT) {
        parts->history.request_case = GNMI_EXT__HISTORY__REQUEST_SNAPSHOT_TIME;
        parts->history.snapshot_time = given->of.snapshot_ns;
    } else {
        parts->history.request_case = GNMI_EXT__HISTORY__REQUEST_RANGE;
        parts->history.range = &parts->range;
        parts->range.start = given->of.range.start_ns;
        parts->range.end = given->of.range.end_ns;
    }
}

static void set_commit(struct parts *parts, const struct sl_gnmi_extension *given)
{
    Google__Protobuf__Duration *duration = &parts->duration;

    parts->extension.ext_case = GNMI_EXT__EXTENSION__EXT_COMMIT;
    parts->extension.commit = &parts->commit;
    parts->commit.id = borrowed(given->of.commit.id);
    duration->seconds = given->of.commit.rollback_ns / SL_NS_PER_S;
    duration->nanos = (int32_t)(given->of.commit.rollback_ns % SL_NS_PER_S);
    duration = given->of.commit.rollback_ns == 0 ? NULL : duration;
    if (given->kind == SL_GNMI_COMMIT) {
        parts->commit.action_case = GNMI_EXT__COMMIT__ACTION_COMMIT;
        parts->commit.commit = &parts->request;
        parts->request.rollback_duration = duration;
    } else if (given->kind == SL_GNMI_COMMIT_CONFIRM) {
        parts->commit.action_case = GNMI_EXT__COMMIT__ACTION_CONFIRM;
        parts->commit.confirm = &parts->confirm;
    } else if (given->kind == SL_GNMI_COMMIT_CANCEL) {
        parts->commit.action_case = GNMI_EXT__COMMIT__ACTION_CANCEL;
        parts->commit.cancel = &parts->cancel;
    } else {
        parts->commit.action_case = GNMI_EXT__COMMIT__ACTION_SET_ROLLBACK_DURATION;
        parts->commit.set_rollback_duration = &parts->rollback;
        parts->rollback.rollback_duration = duration;
    }
}

static void set_config(struct parts *parts, const struct sl_gnmi_extension *given)
{
    parts->extension.ext_case = GNMI_EXT__EXTENSION__EXT_CONFIG_SUBSCRIPTION;
    parts->extension.config_subscription = &parts->config;
    if (given->kind == SL_GNMI_CONFIG_START) {
        parts->config.action_case = GNMI_EXT__CONFIG_SUBSCRIPTION__ACTION_START;
        parts->config.start = &parts->start;
        return;
    }
    parts->config.action_case = GNMI_EXT__CONFIG_SUBSCRIPTION__ACTION_SYNC_DONE;
    parts->config.sync_done = &parts->done;
    parts->done.commit_confirm_id = borrowed(given->of.config_done.commit_confirm_id);
    parts->done.server_commit_id = borrowed(given->of.config_done.server_commit_id);
    parts->done.done = given->of.config_done.done;
}

static void set_parts(struct parts *parts, const struct sl_gnmi_extension *given)
{
    switch (given->kind) {
    case SL_GNMI_UNKNOWN_EXTENSION:
        break;
    case SL_GNMI_REGISTERED:
        set_registered(parts, given);
        break;
    case SL_GNMI_ARBITRATION:
        set_arbitration(parts, given);
        break;
    case SL_GNMI_SNAPSHOT:
    case SL_GNMI_RANGE:
        set_history(parts, given);
        break;
    case SL_GNMI_COMMIT:
    case SL_GNMI_COMMIT_CONFIRM:
    case SL_GNMI_COMMIT_CANCEL:
    case SL_GNMI_COMMIT_ROLLBACK:
        set_commit(parts, given);
        break;
    case SL_GNMI_DEPTH:
        parts->extension.ext_case = GNMI_EXT__EXTENSION__EXT_DEPTH;
        parts->extension.depth = &parts->depth;
        parts->depth.level = given->of.depth;
        break;
    case SL_GNMI_CONFIG_START:
    case SL_GNMI_CONFIG_DONE:
        set_config(parts, given);
        break;
    }
}

GnmiExt__Extension *sl_gnmi_extension_new(const struct sl_gnmi_extension *extension)
{
    GnmiExt__Extension *message = NULL;
    struct parts parts;
    uint8_t *packed;
    size_t size;

    init_parts(&parts);
    set_parts(&parts, extension);
    size = gnmi_ext__extension__get_packed_size(&parts.extension);
    packed = malloc(size + 1);
    if (packed) {
        gnmi_ext__extension__pack(&parts.extension, packed);
        message = gnmi_ext__extension__unpack(NULL, size, packed);
    }
    free(packed);
    return message;
}

/* ---- what was received ---- */

static int64_t to_ns(const Google__Protobuf__Duration *duration)
{
    const int64_t most_s = INT64_MAX / SL_NS_PER_S - 1;

    if (!duration) {
        return 0;
    }
    if (duration->seconds > most_s || duration->seconds < -most_s) {
        return duration->seconds > 0 ? INT64_MAX : INT64_MIN;
    }
    return duration->seconds * SL_NS_PER_S + duration->nanos % SL_NS_PER_S;
}

static void read_commit(const GnmiExt__Commit *commit, struct sl_gnmi_extension *extension)
{
    extension->of.commit.id = commit->id;
    switch ((int)commit->action_case) {
    case GNMI_EXT__COMMIT__ACTION_COMMIT:
        extension->kind = SL_GNMI_COMMIT;
        extension->of.commit.rollback_ns = to_ns(commit->commit->rollback_duration);
        break;
    case GNMI_EXT__COMMIT__ACTION_CONFIRM:
        extension->kind = SL_GNMI_COMMIT_CONFIRM;
        break;
    case GNMI_EXT__COMMIT__ACTION_CANCEL:
        extension->kind = SL_GNMI_COMMIT_CANCEL;
        break;
    case GNMI_EXT__COMMIT__ACTION_SET_ROLLBACK_DURATION:
        extension->kind = SL_GNMI_COMMIT_ROLLBACK;
        extension->of.commit.rollback_ns = to_ns(commit->set_rollback_duration->rollback_duration);
        break;
    default:
        break;
    }
}

static void read_history(const GnmiExt__History *history, struct sl_gnmi_extension *extension)
{
    if (history->request_case == GNMI_EXT__HISTORY__REQUEST_SNAPSHOT_TIME) {
        extension->kind = SL_GNMI_SNAPSHOT;
        extension->of.snapshot_ns = history->snapshot_time;
    } else if (history->request_case == GNMI_EXT__HISTORY__REQUEST_RANGE) {
        extension->kind = SL_GNMI_RANGE;
        extension->of.range.start_ns = history->range->start;
        extension->of.range.end_ns = history->range->end;
    }
}

static void read_config(const GnmiExt__ConfigSubscription *config,
                        struct sl_gnmi_extension *extension)
{
    if (config->action_case == GNMI_EXT__CONFIG_SUBSCRIPTION__ACTION_START) {
        extension->kind = SL_GNMI_CONFIG_START;
    } else if (config->action_case == GNMI_EXT__CONFIG_SUBSCRIPTION__ACTION_SYNC_DONE) {
        extension->kind = SL_GNMI_CONFIG_DONE;
        extension->of.config_done.commit_confirm_id = config->sync_done->commit_confirm_id;
        extension->of.config_done.server_commit_id = config->sync_done->server_commit_id;
        extension->of.config_done.done = config->sync_done->done;
    }
}

static void read_registered(const GnmiExt__RegisteredExtension *registered,
                            struct sl_gnmi_extension *extension)
{
    extension->kind = SL_GNMI_REGISTERED;
    extension->of.registered.id = (uint32_t)registered->id;
    extension->of.registered.message =
        (struct sl_str){(const char *)registered->msg.data, registered->msg.len};
}

static void read_arbitration(const GnmiExt__MasterArbitration *arbitration,
                             struct sl_gnmi_extension *extension)
{
    const GnmiExt__Uint128 *id = arbitration->election_id;

    extension->kind = SL_GNMI_ARBITRATION;
    extension->of.arbitration.role = arbitration->role ? arbitration->role->id : NULL;
    extension->of.arbitration.high = id ? id->high : 0;
    extension->of.arbitration.low = id ? id->low : 0;
}

void sl_gnmi_extension_read(const GnmiExt__Extension *message, struct sl_gnmi_extension *extension)
{
    *extension = (struct sl_gnmi_extension){.kind = SL_GNMI_UNKNOWN_EXTENSION};
    switch ((int)message->ext_case) {
    case GNMI_EXT__EXTENSION__EXT_REGISTERED_EXT:
        read_registered(message->registered_ext, extension);
        break;
    case GNMI_EXT__EXTENSION__EXT_MASTER_ARBITRATION:
        read_arbitration(message->master_arbitration, extension);
        break;
    case GNMI_EXT__EXTENSION__EXT_HISTORY:
        read_history(message->history, extension);
        break;
    case GNMI_EXT__EXTENSION__EXT_COMMIT:
        read_commit(message->commit, extension);
        break;
    case GNMI_EXT__EXTENSION__EXT_DEPTH:
        extension->kind = SL_GNMI_DEPTH;
        extension->of.depth = message->depth->level;
        break;
    case GNMI_EXT__EXTENSION__EXT_CONFIG_SUBSCRIPTION:
        read_config(message->config_subscription, extension);
        break;
    default:
        break;
    }
}

struct sl_gnmi_cursor sl_gnmi_extensions_begin(const struct sl_gnmi_response *response)
{
    const struct sl_wire wire = sl_wire_of(response->message);

    return (struct sl_gnmi_cursor){wire.at, wire.end};
}

bool sl_gnmi_next_extension(struct sl_gnmi_cursor *cursor, struct sl_str *bytes)
{
    struct sl_wire wire = {cursor->at, cursor->end};
    struct sl_wire_field field;

    while (sl_wire_next(&wire, &field)) {
        cursor->at = wire.at;
        if (field.number == RESPONSE_EXTENSION && field.type == SL_WIRE_BYTES) {
            *bytes = field.bytes;
            return true;
        }
    }
    cursor->at = cursor->end;
    return false;
}
