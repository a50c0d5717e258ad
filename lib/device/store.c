#include "device/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/answer.h"
#include "device/tree_json.h"

static struct sl_status no_memory(void)
{
    return sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
}

static struct sl_status invalid(const char *why)
{
    return sl_status_error(SL_INVALID_ARGUMENT, "%s", why);
}

const struct sl_device_version *sl_device_store_now(const struct sl_device_store *store)
{
    return &store->versions[store->version_count - 1];
}

/* ---- versions ---- */

static void drop_oldest(struct sl_device_store *store)
{
    sl_device_tree_release(store->versions[0].tree);
    store->version_count--;
    memmove(store->versions, store->versions + 1, store->version_count * sizeof(*store->versions));
}

static size_t kept_bytes(const struct sl_device_store *store)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < store->version_count; i++) {
        bytes += store->versions[i].tree->bytes;
    }
    return bytes;
}

/* Takes `tree`: it is what holds from now on. */
static void add_version(struct sl_device_store *store, struct sl_device_tree *tree,
                        const char *commit_id, int64_t now_ns)
{
    struct sl_device_version version = {
        .tree = tree,
        .made_ns = now_ns,
        .number = sl_device_store_now(store)->number + 1,
    };

    snprintf(version.commit_id, sizeof(version.commit_id), "%s", commit_id);
    if (store->version_count == SL_DEVICE_MAX_VERSIONS) {
        drop_oldest(store);
    }
    while (store->version_count > 1 && kept_bytes(store) > SL_DEVICE_MAX_VERSION_BYTES) {
        drop_oldest(store);
    }
    store->versions[store->version_count++] = version;
    SL_LIST_FOR_EACH(node, &store->hooks)
    {
        struct sl_device_hook *hook = SL_CONTAINER_OF(node, struct sl_device_hook, node);

        hook->on_version(hook->arg);
    }
}

/* ---- who may ---- */

static struct sl_device_role *find_role(struct sl_device_store *store, const char *id)
{
    struct sl_device_role *role;

    for (uint32_t i = 0; i < store->role_count; i++) {
        if (strcmp(store->roles[i].id, id) == 0) {
            return &store->roles[i];
        }
    }
    if (store->role_count == SL_DEVICE_MAX_ROLES) {
        return NULL;
    }
    role = &store->roles[store->role_count++];
    *role = (struct sl_device_role){.high = 0};
    snprintf(role->id, sizeof(role->id), "%s", id);
    return role;
}

static struct sl_status arbitrate(struct sl_device_store *store,
                                  const GnmiExt__MasterArbitration *asked)
{
    const char *id = asked->role ? asked->role->id : "";
    struct sl_device_role *role;

    if (!asked->election_id) {
        return invalid("master arbitration without an election id");
    }
    if (strlen(id) >= SL_DEVICE_MAX_ID_BYTES) {
        return invalid("the id of a role is too long");
    }
    role = find_role(store, id);
    if (!role) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "more than %d roles",
                               (int)SL_DEVICE_MAX_ROLES);
    }
    if (asked->election_id->high < role->high ||
        (asked->election_id->high == role->high && asked->election_id->low < role->low)) {
        return sl_status_error(SL_PERMISSION_DENIED,
                               "another client is the master: election id %llu:%llu",
                               (unsigned long long)role->high, (unsigned long long)role->low);
    }
    role->high = asked->election_id->high;
    role->low = asked->election_id->low;
    return sl_status_ok();
}

/* ---- commits ---- */

static void end_commit(struct sl_device_store *store)
{
    sl_timer_stop(store->rollback);
    sl_device_tree_release(store->commit.before);
    store->commit = (struct sl_device_commit){.is_open = false};
}

/* What was before the commit is a new version, as young as now. */
static void take_back(struct sl_device_store *store)
{
    if (store->commit.has_changed) {
        add_version(store, sl_device_tree_hold(store->commit.before), store->commit.id,
                    sl_loop_wall_ns());
    }
    end_commit(store);
}

static void on_rollback(void *arg)
{
    take_back(arg);
}

/* Of a duration: false when it is none, not above 0, or too long. */
static bool to_ms(const Google__Protobuf__Duration *duration, uint64_t *ms)
{
    if (!duration || duration->seconds < 0 || duration->nanos < 0 ||
        duration->seconds > SL_DEVICE_MAX_ROLLBACK_S) {
        return false;
    }
    *ms = (uint64_t)duration->seconds * 1000 + (uint64_t)duration->nanos / 1000000;
    if (*ms == 0 && duration->nanos > 0) {
        *ms = 1;
    }
    return *ms > 0;
}

/* Whether `asked` may go on with the commit that is open. */
static struct sl_status check_open(const struct sl_device_store *store,
                                   const GnmiExt__Commit *asked)
{
    if (!store->commit.is_open) {
        return sl_status_error(SL_FAILED_PRECONDITION, "there is no commit to confirm or cancel");
    }
    if (strcmp(store->commit.id, asked->id) != 0) {
        return invalid("the commit that is open has another id");
    }
    return sl_status_ok();
}

static struct sl_status open_commit(struct sl_device_store *store, const GnmiExt__Commit *asked)
{
    uint64_t ms = (uint64_t)SL_DEVICE_ROLLBACK_S * 1000;

    if (store->commit.is_open) {
        return sl_status_error(SL_FAILED_PRECONDITION, "a commit is open already");
    }
    if (asked->commit->rollback_duration && !to_ms(asked->commit->rollback_duration, &ms)) {
        return invalid("the rollback duration is not above 0, or too long");
    }
    store->commit.is_open = true;
    snprintf(store->commit.id, sizeof(store->commit.id), "%s", asked->id);
    store->commit.before = sl_device_tree_hold(sl_device_store_now(store)->tree);
    sl_timer_start(store->rollback, ms);
    return sl_status_ok();
}

static struct sl_status set_rollback(struct sl_device_store *store, const GnmiExt__Commit *asked)
{
    struct sl_status status = check_open(store, asked);
    uint64_t ms;

    if (sl_status_is_ok(&status) && !to_ms(asked->set_rollback_duration->rollback_duration, &ms)) {
        status = invalid("the rollback duration is not above 0, or too long");
    }
    if (sl_status_is_ok(&status)) {
        sl_timer_start(store->rollback, ms);
    }
    return status;
}

static struct sl_status check_commit(const struct sl_device_store *store,
                                     const GnmiExt__Commit *asked, bool changes)
{
    if (!asked) {
        return store->commit.is_open && changes
                   ? sl_status_error(SL_FAILED_PRECONDITION, "a commit waits to be confirmed")
                   : sl_status_ok();
    }
    if (*asked->id == '\0' || strlen(asked->id) >= SL_DEVICE_MAX_ID_BYTES) {
        return invalid("a commit without an id, or with one that is too long");
    }
    if (asked->action_case != GNMI_EXT__COMMIT__ACTION_COMMIT && changes) {
        return invalid("a commit is not changed by what confirms or cancels it");
    }
    return sl_status_ok();
}

static struct sl_status do_commit(struct sl_device_store *store, const GnmiExt__Commit *asked)
{
    struct sl_status status;

    switch ((int)asked->action_case) {
    case GNMI_EXT__COMMIT__ACTION_COMMIT:
        return open_commit(store, asked);
    case GNMI_EXT__COMMIT__ACTION_CONFIRM:
        status = check_open(store, asked);
        if (sl_status_is_ok(&status)) {
            end_commit(store);
        }
        return status;
    case GNMI_EXT__COMMIT__ACTION_CANCEL:
        status = check_open(store, asked);
        if (sl_status_is_ok(&status)) {
            take_back(store);
        }
        return status;
    case GNMI_EXT__COMMIT__ACTION_SET_ROLLBACK_DURATION:
        return set_rollback(store, asked);
    default:
        return invalid("a commit without an action");
    }
}

/* ---- operations ---- */

static bool is_scalar(const Gnmi__TypedValue *value)
{
    switch ((int)value->value_case) {
    case GNMI__TYPED_VALUE__VALUE_STRING_VAL:
    case GNMI__TYPED_VALUE__VALUE_INT_VAL:
    case GNMI__TYPED_VALUE__VALUE_UINT_VAL:
    case GNMI__TYPED_VALUE__VALUE_BOOL_VAL:
    case GNMI__TYPED_VALUE__VALUE_BYTES_VAL:
    case GNMI__TYPED_VALUE__VALUE_FLOAT_VAL:
    case GNMI__TYPED_VALUE__VALUE_DOUBLE_VAL:
    case GNMI__TYPED_VALUE__VALUE_DECIMAL_VAL:
        return true;
    default:
        return false;
    }
}

static struct sl_status put_list(struct sl_device_edit *edit, const struct sl_device_place *place,
                                 const Gnmi__TypedValue *value)
{
    for (size_t i = 0; i < value->leaflist_val->n_element; i++) {
        if (!is_scalar(value->leaflist_val->element[i])) {
            return invalid("an item of a leaf-list is no scalar");
        }
    }
    return sl_device_edit_put(edit, place, value);
}

static struct sl_status put_ascii(struct sl_device_edit *edit, const struct sl_device_place *place,
                                  const Gnmi__TypedValue *value)
{
    Gnmi__TypedValue text = GNMI__TYPED_VALUE__INIT;

    if (place->count == 0) {
        return sl_status_error(SL_UNIMPLEMENTED, "a CLI's text is not supported");
    }
    text.value_case = GNMI__TYPED_VALUE__VALUE_STRING_VAL;
    text.string_val = value->ascii_val;
    return sl_device_edit_put(edit, place, &text);
}

static struct sl_status put_json(struct sl_device_edit *edit, const struct sl_device_place *place,
                                 const ProtobufCBinaryData *json)
{
    struct sl_str text = {(const char *)json->data, json->len};

    return sl_device_json_put(edit, place, text);
}

static struct sl_status put_value(struct sl_device_edit *edit, const struct sl_device_place *place,
                                  const Gnmi__Update *update)
{
    const Gnmi__TypedValue *value = update->val;

    if (!value && update->value &&
        (update->value->type == GNMI__ENCODING__JSON ||
         update->value->type == GNMI__ENCODING__JSON_IETF)) {
        return put_json(edit, place, &update->value->value);
    }
    if (!value || value->value_case == GNMI__TYPED_VALUE__VALUE__NOT_SET) {
        return invalid("an update has no value");
    }
    if (is_scalar(value)) {
        return sl_device_edit_put(edit, place, value);
    }
    switch ((int)value->value_case) {
    case GNMI__TYPED_VALUE__VALUE_JSON_VAL:
        return put_json(edit, place, &value->json_val);
    case GNMI__TYPED_VALUE__VALUE_JSON_IETF_VAL:
        return put_json(edit, place, &value->json_ietf_val);
    case GNMI__TYPED_VALUE__VALUE_LEAFLIST_VAL:
        return put_list(edit, place, value);
    case GNMI__TYPED_VALUE__VALUE_ASCII_VAL:
        return put_ascii(edit, place, value);
    default:
        return sl_status_error(SL_UNIMPLEMENTED, "the encoding of a value is not supported");
    }
}

/* One of replace or update. */
static struct sl_status write_path(struct sl_device_edit *edit, const Gnmi__Path *prefix,
                                   const Gnmi__Update *update, bool replaces)
{
    struct sl_device_place place;
    struct sl_status status = sl_device_place_init(&place, prefix, update->path);

    if (!sl_status_is_ok(&status)) {
        return status;
    }
    if (!sl_device_place_is_concrete(&place)) {
        return invalid("a path to be written has a wildcard");
    }
    if (replaces) {
        sl_device_edit_delete(edit, &place, true);
    }
    return put_value(edit, &place, update);
}

static struct sl_status delete_path(struct sl_device_edit *edit, const Gnmi__Path *prefix,
                                    const Gnmi__Path *path)
{
    struct sl_device_place place;
    struct sl_status status = sl_device_place_init(&place, prefix, path);

    if (sl_status_is_ok(&status)) {
        sl_device_edit_delete(edit, &place, false);
    }
    return status;
}

/* All configuration, of every origin that is written, gives way to the union. */
static struct sl_status unite(struct sl_device_edit *edit, const Gnmi__SetRequest *request)
{
    struct sl_status status = sl_status_ok();

    for (size_t i = 0; i < request->n_union_replace && sl_status_is_ok(&status); i++) {
        struct sl_device_place place;

        status = sl_device_place_init(&place, request->prefix, request->union_replace[i]->path);
        place.count = 0;
        if (sl_status_is_ok(&status)) {
            sl_device_edit_delete(edit, &place, true);
        }
    }
    for (size_t i = 0; i < request->n_union_replace && sl_status_is_ok(&status); i++) {
        status = write_path(edit, request->prefix, request->union_replace[i], false);
    }
    return status;
}

static struct sl_status operate(struct sl_device_edit *edit, const Gnmi__SetRequest *request)
{
    struct sl_status status = sl_status_ok();

    for (size_t i = 0; i < request->n_delete_ && sl_status_is_ok(&status); i++) {
        status = delete_path(edit, request->prefix, request->delete_[i]);
    }
    for (size_t i = 0; i < request->n_replace && sl_status_is_ok(&status); i++) {
        status = write_path(edit, request->prefix, request->replace[i], true);
    }
    for (size_t i = 0; i < request->n_update && sl_status_is_ok(&status); i++) {
        status = write_path(edit, request->prefix, request->update[i], false);
    }
    return sl_status_is_ok(&status) ? unite(edit, request) : status;
}

static struct sl_device_tree *next_tree(struct sl_device_store *store,
                                        const Gnmi__SetRequest *request, int64_t now_ns,
                                        struct sl_status *why)
{
    struct sl_device_edit edit;

    if (!sl_device_edit_init(&edit, sl_device_store_now(store)->tree, now_ns)) {
        *why = no_memory();
        return NULL;
    }
    *why = operate(&edit, request);
    if (!sl_status_is_ok(why)) {
        sl_device_edit_fini(&edit);
        return NULL;
    }
    return sl_device_edit_done(&edit, why);
}

static size_t operations(const Gnmi__SetRequest *request)
{
    return request->n_delete_ + request->n_replace + request->n_update + request->n_union_replace;
}

static struct sl_status check_request(const Gnmi__SetRequest *request)
{
    if (operations(request) > SL_DEVICE_MAX_SET_OPERATIONS) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "more than %d operations",
                               (int)SL_DEVICE_MAX_SET_OPERATIONS);
    }
    if (request->n_union_replace > 0 && operations(request) > request->n_union_replace) {
        return invalid("union_replace beside other operations");
    }
    if (sl_device_depth(request->extension, request->n_extension) > 0) {
        return invalid("a depth has no meaning in Set");
    }
    return sl_status_ok();
}

/* The last one of each kind. */
static void find_extensions(const Gnmi__SetRequest *request,
                            const GnmiExt__MasterArbitration **arbitration,
                            const GnmiExt__Commit **commit)
{
    for (size_t i = 0; i < request->n_extension; i++) {
        const GnmiExt__Extension *extension = request->extension[i];

        if (extension->ext_case == GNMI_EXT__EXTENSION__EXT_MASTER_ARBITRATION) {
            *arbitration = extension->master_arbitration;
        } else if (extension->ext_case == GNMI_EXT__EXTENSION__EXT_COMMIT) {
            *commit = extension->commit;
        }
    }
}

struct sl_status sl_device_store_set(struct sl_device_store *store, const Gnmi__SetRequest *request,
                                     int64_t now_ns)
{
    const GnmiExt__MasterArbitration *arbitration = NULL;
    const GnmiExt__Commit *commit = NULL;
    struct sl_status status = check_request(request);
    struct sl_device_tree *tree = NULL;
    bool changes = operations(request) > 0;

    find_extensions(request, &arbitration, &commit);
    if (sl_status_is_ok(&status) && arbitration) {
        status = arbitrate(store, arbitration);
    }
    if (sl_status_is_ok(&status)) {
        status = check_commit(store, commit, changes);
    }
    if (sl_status_is_ok(&status) && changes) {
        tree = next_tree(store, request, now_ns, &status);
    }
    if (sl_status_is_ok(&status) && commit) {
        status = do_commit(store, commit);
    }
    if (!sl_status_is_ok(&status)) {
        sl_device_tree_release(tree);
        return status;
    }
    if (tree) {
        store->commit.has_changed = store->commit.is_open;
        add_version(store, tree, commit ? commit->id : "", now_ns);
    }
    return status;
}

/* ---- lifetime ---- */

struct sl_device_store *sl_device_store_new(struct sl_loop *loop, struct sl_device_tree *tree,
                                            int64_t now_ns)
{
    struct sl_device_store *store = calloc(1, sizeof(*store));

    if (!store) {
        return NULL;
    }
    store->rollback = sl_timer_new(loop, on_rollback, store);
    if (!store->rollback) {
        free(store);
        return NULL;
    }
    store->versions[0] =
        (struct sl_device_version){.tree = sl_device_tree_hold(tree), .made_ns = now_ns};
    store->version_count = 1;
    sl_list_init(&store->hooks);
    return store;
}

void sl_device_store_free(struct sl_device_store *store)
{
    if (!store) {
        return;
    }
    SL_ASSERT(sl_list_is_empty(&store->hooks));
    end_commit(store);
    while (store->version_count > 0) {
        drop_oldest(store);
    }
    sl_timer_free(store->rollback);
    free(store);
}

void sl_device_store_watch(struct sl_device_store *store, struct sl_device_hook *hook,
                           void (*on_version)(void *arg), void *arg)
{
    hook->on_version = on_version;
    hook->arg = arg;
    sl_list_append(&store->hooks, &hook->node);
}
