#include "stream/store.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "gnmi/path.h"
#include "gnmi/path_print.h"
#include "gnmi/rewrite.h"

enum kind { KIND_UPDATE, KIND_DELETE, KIND_ATOMIC, KIND_SYNC };

enum {
    BLOCK_BYTES = 16,     /* what malloc rounds up to */
    BLOCK_HEAD_BYTES = 8, /* and what it puts before each block */
    LEAST_BLOCK_BYTES = 32,
    TREE_NODE_BYTES = 24, /* tsearch's own, for each item */
    KEY_KEPT_BYTES = 1024,
};

/* What all that is left of one notification has in common. */
struct head {
    uint32_t holders;
    uint32_t prefix_len;
    bool has_prefix;
    int64_t timestamp_ns;
    struct sl_store_when when;
    char prefix[];
};

/* What the tree is ordered by. */
struct key {
    struct sl_str text; /* the target, a byte 0, the path's text; that of the root is empty */
    enum kind kind;
};

struct item {
    struct key key; /* first: tsearch sees nothing else */
    struct sl_list node;
    struct head *head;
    uint32_t updates; /* that it stands for */
    uint32_t len;
    uint64_t duplicates;
    char bytes[]; /* an Update, a Path or a whole SubscribeResponse; then the key's text */
};

/* One message on its way into the store. */
struct adding {
    struct sl_store *store;
    const struct sl_gnmi_response *response;
    const struct sl_store_when *when;
    uint64_t limit_bytes;
    struct sl_store_lost *lost;
    struct head *head; /* NULL: nothing of it is kept yet */
};

/* ---- the order of paths ---- */

/* '/' comes first, so that what is beneath a path stands right behind it. */
static int rank(char byte)
{
    return byte == '/' ? 0 : (unsigned char)byte + 1;
}

static int compare_text(struct sl_str a, struct sl_str b)
{
    size_t common = sl_min_size(a.len, b.len);

    for (size_t i = 0; i < common; i++) {
        if (a.data[i] != b.data[i]) {
            return rank(a.data[i]) - rank(b.data[i]);
        }
    }
    return (a.len > b.len) - (a.len < b.len);
}

static int by_key(const void *a, const void *b)
{
    const struct key *one = a;
    const struct key *other = b;
    int order = compare_text(one->text, other->text);

    return order ? order : (int)one->kind - (int)other->kind;
}

/* 0 for all that is at or beneath `above`, which stands in one run. */
static int by_reach(const void *above, const void *b)
{
    struct sl_str top = ((const struct key *)above)->text;
    struct sl_str text = ((const struct key *)b)->text;
    bool is_there = text.len >= top.len && memcmp(text.data, top.data, top.len) == 0 &&
                    (text.len == top.len || text.data[top.len] == '/');

    return is_there ? 0 : compare_text(top, text);
}

/* ---- items ---- */

/* What an allocation of so many bytes takes. */
static uint64_t block_bytes(uint64_t size)
{
    uint64_t block = (size + BLOCK_HEAD_BYTES + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;

    return sl_max_u64(block, LEAST_BLOCK_BYTES);
}

static uint64_t head_cost(size_t prefix_len)
{
    return block_bytes(sizeof(struct head) + prefix_len);
}

static uint64_t item_cost(size_t len, size_t key_len)
{
    return block_bytes(sizeof(struct item) + len + key_len) + block_bytes(TREE_NODE_BYTES);
}

static void release_head(struct sl_store *store, struct head *head)
{
    if (--head->holders == 0) {
        store->cost_bytes -= head_cost(head->prefix_len);
        free(head);
    }
}

/* Out of order and tree; the caller has what it needs of it. */
static void remove_item(struct sl_store *store, struct item *item)
{
    if (item->key.kind == KIND_SYNC) {
        store->has_sync = false;
    } else {
        (void)tdelete(&item->key, &store->tree, by_key);
    }
    store->updates -= item->updates;
    store->cost_bytes -= item_cost(item->len, item->key.text.len);
    sl_list_remove(&item->node);
    release_head(store, item->head);
    free(item);
}

static void outdo(struct adding *adding, struct item *item)
{
    adding->lost->conflated += item->updates;
    adding->lost->duplicates += item->duplicates;
    remove_item(adding->store, item);
}

static struct item *find(const struct sl_store *store, const struct key *key,
                         int (*compare)(const void *, const void *))
{
    void *node = tfind(key, &store->tree, compare);

    return node ? *(struct item **)node : NULL;
}

static void outdo_beneath(struct adding *adding, const struct key *key)
{
    for (struct item *item; (item = find(adding->store, key, by_reach));) {
        outdo(adding, item);
    }
}

static void outdo_same(struct adding *adding, const struct key *key)
{
    struct item *item = find(adding->store, key, by_key);

    if (item) {
        outdo(adding, item);
    }
}

/* ---- putting ---- */

static bool has_room(const struct adding *adding, uint64_t bytes)
{
    uint64_t used = adding->store->cost_bytes;

    return used <= adding->limit_bytes && adding->limit_bytes - used >= bytes;
}

/* The message's head, which holds itself as long as the message is on its way. */
static bool need_head(struct adding *adding)
{
    struct sl_str prefix = adding->response->prefix;

    if (adding->head) {
        return true;
    }
    adding->head = malloc(sizeof(*adding->head) + prefix.len);
    if (!adding->head) {
        return false;
    }
    *adding->head = (struct head){
        .holders = 1,
        .prefix_len = (uint32_t)prefix.len,
        .has_prefix = adding->response->has_prefix,
        .timestamp_ns = adding->response->timestamp_ns,
        .when = *adding->when,
    };
    if (prefix.len) {
        memcpy(adding->head->prefix, prefix.data, prefix.len);
    }
    adding->store->cost_bytes += head_cost(prefix.len);
    return true;
}

/* At the end; NULL: there is no room or no memory. */
static struct item *put(struct adding *adding, const struct key *key, struct sl_str bytes)
{
    struct sl_store *store = adding->store;
    uint64_t cost = item_cost(bytes.len, key->text.len);
    uint64_t first = adding->head ? 0 : head_cost(adding->response->prefix.len);

    if (!has_room(adding, cost + first) || !need_head(adding)) {
        return NULL;
    }
    struct item *item = malloc(sizeof(*item) + bytes.len + key->text.len);

    if (!item) {
        return NULL;
    }
    char *text = item->bytes + bytes.len;
    *item = (struct item){.key = {{text, key->text.len}, key->kind}, .len = (uint32_t)bytes.len};
    if (bytes.len) {
        memcpy(item->bytes, bytes.data, bytes.len);
    }
    if (key->text.len) {
        memcpy(text, key->text.data, key->text.len);
    }
    if (key->kind != KIND_SYNC && !tsearch(&item->key, &store->tree, by_key)) {
        free(item);
        return NULL;
    }
    sl_list_init(&item->node);
    sl_list_append(&store->items, &item->node);
    store->cost_bytes += cost;
    item->head = adding->head;
    item->head->holders++;
    return item;
}

static void put_counted(struct adding *adding, const struct key *key, struct sl_str bytes,
                        uint32_t updates, uint64_t duplicates)
{
    struct item *item = put(adding, key, bytes);

    if (!item) {
        adding->lost->shed += updates;
        adding->lost->duplicates += duplicates;
        return;
    }
    item->updates = updates;
    item->duplicates = duplicates;
    adding->store->updates += updates;
}

/* False: the path has no key, for it is too long, or memory is out. */
static bool key_of(struct adding *adding, struct sl_str path, enum kind kind, struct key *key)
{
    struct sl_buf *text = &adding->store->key;
    struct sl_str prefix = adding->response->prefix;
    struct sl_gnmi_path read;

    sl_gnmi_path_read(prefix, &read);
    sl_buf_trim(text, KEY_KEPT_BYTES);
    sl_buf_add_str(text, read.target);
    sl_buf_add_byte(text, '\0');
    if (!sl_gnmi_path_print(prefix, path, text)) {
        return false;
    }
    /* Only the root's text ends with a '/' that is not part of a name. */
    size_t len = text->len;
    bool is_root = len && text->data[len - 1] == '/' && text->data[len - 2] != '\\';

    *key = (struct key){{text->data, is_root ? len - 1 : len}, kind};
    return true;
}

/* ---- what comes ---- */

static void add_deletes(struct adding *adding)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(adding->response);
    struct sl_str path;
    struct key key;

    while (sl_gnmi_next_delete(&cursor, &path)) {
        if (!key_of(adding, path, KIND_DELETE, &key)) {
            adding->lost->shed++;
            continue;
        }
        outdo_beneath(adding, &key);
        put_counted(adding, &key, path, 1, 0);
    }
}

static void add_updates(struct adding *adding)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(adding->response);
    struct sl_gnmi_update update;
    struct key key;

    while (sl_gnmi_next_update(&cursor, &update)) {
        if (!key_of(adding, update.path, KIND_UPDATE, &key)) {
            adding->lost->shed++;
            adding->lost->duplicates += update.duplicates;
            continue;
        }
        outdo_same(adding, &key);
        put_counted(adding, &key, update.raw, 1, update.duplicates);
    }
}

/* The path of which an atomic notification without elements in its prefix is known again. */
static struct sl_str first_path(const struct sl_gnmi_response *response)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_gnmi_update update = {.has_path = false};
    struct sl_str path = {NULL, 0};

    if (sl_gnmi_next_update(&cursor, &update)) {
        return update.path;
    }
    cursor = sl_gnmi_response_begin(response);
    (void)sl_gnmi_next_delete(&cursor, &path);
    return path;
}

/* A prefix names what all of it is of; one without elements names nothing, whatever it means. */
static void add_atomic(struct adding *adding)
{
    const struct sl_gnmi_response *response = adding->response;
    uint32_t updates = response->updates + response->deletes;
    struct sl_gnmi_path prefix;
    struct sl_gnmi_elem elem;
    struct key key;

    sl_gnmi_path_read(response->prefix, &prefix);
    bool has_elems = sl_gnmi_path_next(&prefix, &elem);
    struct sl_str path = has_elems ? (struct sl_str){NULL, 0} : first_path(response);

    if (!has_elems && updates == 0) {
        return; /* it says nothing */
    }
    if (!key_of(adding, path, KIND_ATOMIC, &key)) {
        adding->lost->shed += updates;
        adding->lost->duplicates += response->duplicates;
        return;
    }
    if (has_elems) {
        outdo_beneath(adding, &key);
    } else {
        outdo_same(adding, &key);
    }
    put_counted(adding, &key, response->message, updates, response->duplicates);
}

static void add_sync(struct adding *adding)
{
    const struct key key = {{NULL, 0}, KIND_SYNC};

    if (!adding->store->has_sync) {
        adding->limit_bytes = UINT64_MAX; /* there is one at most */
        adding->store->has_sync = put(adding, &key, (struct sl_str){NULL, 0}) != NULL;
    }
}

void sl_store_add(struct sl_store *store, const struct sl_gnmi_response *response,
                  const struct sl_store_when *when, uint64_t limit_bytes,
                  struct sl_store_lost *lost)
{
    struct adding adding = {
        .store = store,
        .response = response,
        .when = when,
        .limit_bytes = limit_bytes,
        .lost = lost,
    };

    if (response->is_sync) {
        add_sync(&adding);
    } else if (response->kind == SL_GNMI_UPDATE && response->is_atomic) {
        add_atomic(&adding);
    } else if (response->kind == SL_GNMI_UPDATE) {
        add_deletes(&adding);
        add_updates(&adding);
    }
    if (adding.head) {
        release_head(store, adding.head);
    }
}

/* ---- what leaves ---- */

static struct item *first_of(const struct sl_store *store)
{
    return SL_CONTAINER_OF(store->items.next, struct item, node);
}

static void add_item(struct sl_gnmi_rewrite *rewrite, const struct item *item)
{
    struct sl_str bytes = {item->bytes, item->len};
    const struct sl_gnmi_update update = {.raw = bytes};

    if (item->key.kind == KIND_DELETE) {
        sl_gnmi_rewrite_add_delete(rewrite, bytes);
    } else {
        sl_gnmi_rewrite_add_update(rewrite, update.path, &update);
    }
}

/* All from the front that has this head: in a notification deletes come first, and so they do here.
 */
static struct sl_str take_some(struct sl_store *store, struct sl_buf *out, uint32_t *updates)
{
    struct head *head = first_of(store)->head;
    const struct sl_gnmi_response from = {
        .kind = SL_GNMI_UPDATE,
        .prefix = {head->prefix, head->prefix_len},
        .has_prefix = head->has_prefix,
        .timestamp_ns = head->timestamp_ns,
    };
    struct sl_gnmi_rewrite rewrite;
    struct sl_gnmi_response made = {.updates = 0};
    uint32_t count = 0;

    head->holders++;
    sl_gnmi_rewrite_begin(&rewrite, &from, out);
    SL_LIST_FOR_EACH(node, &store->items)
    {
        struct item *item = SL_CONTAINER_OF(node, struct item, node);
        if (item->head != head) {
            break;
        }
        add_item(&rewrite, item);
        count++;
    }
    bool is_made = sl_gnmi_rewrite_end(&rewrite, &made);

    for (*updates = count; count; count--) {
        remove_item(store, first_of(store));
    }
    release_head(store, head);
    return is_made ? made.message : (struct sl_str){NULL, 0};
}

static struct sl_str take_whole(struct sl_store *store, struct sl_buf *out)
{
    static const char sync[] = {0x18, 0x01}; /* sync_response: true */
    struct item *item = first_of(store);

    sl_buf_reset(out);
    if (item->key.kind == KIND_SYNC) {
        sl_buf_add(out, sync, sizeof(sync));
    } else {
        sl_buf_add(out, item->bytes, item->len);
    }
    remove_item(store, item);
    return out->failed ? (struct sl_str){NULL, 0} : sl_buf_str(out);
}

void sl_store_take(struct sl_store *store, struct sl_buf *out, struct sl_store_taken *taken)
{
    SL_ASSERT(!sl_store_is_empty(store));
    struct item *item = first_of(store);

    *taken = (struct sl_store_taken){.when = item->head->when, .updates = item->updates};
    if (item->key.kind == KIND_SYNC || item->key.kind == KIND_ATOMIC) {
        taken->message = take_whole(store, out);
    } else {
        taken->message = take_some(store, out, &taken->updates);
    }
}

/* ---- life ---- */

void sl_store_init(struct sl_store *store)
{
    *store = (struct sl_store){.tree = NULL};
    sl_list_init(&store->items);
    store->key.limit_bytes = SL_STORE_MAX_KEY_BYTES;
}

bool sl_store_is_empty(const struct sl_store *store)
{
    return sl_list_is_empty(&store->items);
}

uint64_t sl_store_clear(struct sl_store *store)
{
    uint64_t updates = store->updates;

    while (!sl_store_is_empty(store)) {
        remove_item(store, first_of(store));
    }
    SL_ASSERT(store->cost_bytes == 0 && store->updates == 0);
    return updates;
}

void sl_store_fini(struct sl_store *store)
{
    (void)sl_store_clear(store);
    sl_buf_fini(&store->key);
}
