#include "world/book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gnmi.pb-c.h"
#include "sluice.pb-c.h"

/* Room for one more of what `array` has `count` of. */
#define MAKE_ROOM(array, count, cap)                                                               \
    do {                                                                                           \
        if ((count) == (cap)) {                                                                    \
            (cap) = (cap) ? 2 * (cap) : 64;                                                        \
            (array) = realloc((array), (cap) * sizeof(*(array)));                                  \
            SL_ASSERT(array);                                                                      \
        }                                                                                          \
    } while (0)

struct book *book_new(struct run *run)
{
    struct book *book = calloc(1, sizeof(*book));

    SL_ASSERT(book);
    book->run = run;
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        for (unsigned j = 0; j < PLAN_STREAMS; j++) {
            book->streams[i][j].call = BOOK_NOBODY;
            for (unsigned k = 0; k < PLAN_MEMBERS * PLAN_SINKS; k++) {
                book->streams[i][j].readers[k / PLAN_SINKS][k % PLAN_SINKS].call = BOOK_NOBODY;
            }
        }
    }
    return book;
}

void book_free(struct book *book)
{
    for (unsigned i = 0; i < PLAN_DEVICES * PLAN_STREAMS; i++) {
        struct book_stream *stream = &book->streams[i / PLAN_STREAMS][i % PLAN_STREAMS];
        for (unsigned j = 0; j < PLAN_MEMBERS; j++) {
            free(stream->flows[j].updates);
        }
        free(stream->messages);
        free(stream->calls);
    }
    free(book);
}

/* ---- devices ---- */

uint32_t book_begin_call(struct book *book, unsigned device, unsigned stream)
{
    struct book_stream *of = &book->streams[device][stream];

    MAKE_ROOM(of->calls, of->call_count, of->call_cap);
    struct book_call *call = &of->calls[of->call_count];
    *call = (struct book_call){.settled_bytes = 0};
    for (unsigned i = 0; i < PLAN_MEMBERS; i++) {
        call->first[i] = of->flows[i].count + 1;
    }
    return (uint32_t)of->call_count++;
}

uint64_t book_next(const struct book *book, unsigned device, unsigned stream, unsigned member)
{
    return book->streams[device][stream].flows[member].count + 1;
}

/* Sinks that are waited for. */
static unsigned sinks_of(const struct book *book, unsigned device, unsigned stream)
{
    const struct plan *plan = book->run->plan;
    unsigned sinks = 0;

    for (unsigned i = 0; i < PLAN_SINKS; i++) {
        sinks +=
            (plan->devices[device].streams[stream].sinks & 1U << i) && plan->sinks[i].is_required;
    }
    return sinks;
}

bool book_may_skip(const struct book *book, unsigned device, unsigned stream, unsigned sink)
{
    const struct plan *plan = book->run->plan;

    return plan->devices[device].streams[stream].policy >= SL_STALL_CONFLATE ||
           !plan->sinks[sink].is_required;
}

void book_send(struct book *book, unsigned device, unsigned stream, uint32_t call,
               uint32_t wire_bytes, const unsigned updates[PLAN_MEMBERS])
{
    struct book_stream *of = &book->streams[device][stream];
    uint32_t index = (uint32_t)of->message_count;
    uint32_t sum = 0;

    for (unsigned i = 0; i < PLAN_MEMBERS; i++) {
        struct book_flow *flow = &of->flows[i];
        for (unsigned j = 0; j < updates[i]; j++) {
            MAKE_ROOM(flow->updates, flow->count, flow->cap);
            flow->updates[flow->count++] = (struct book_update){index, (uint16_t)j, 0};
            flow->newest[j] = flow->count;
        }
        sum += updates[i];
    }
    if (sum == 0) {
        of->calls[call].light_bytes += wire_bytes;
        return;
    }
    MAKE_ROOM(of->messages, of->message_count, of->message_cap);
    of->messages[of->message_count++] = (struct book_message){
        .call = call,
        .wire_bytes = wire_bytes,
        .unsettled = sum * sinks_of(book, device, stream),
    };
}

void book_send_undecodable(struct book *book, unsigned device, unsigned stream, uint32_t call,
                           uint32_t wire_bytes)
{
    static const unsigned none[PLAN_MEMBERS];

    book_send(book, device, stream, call, wire_bytes, none);
    book->streams[device][stream].calls[call].undecodable++;
}

size_t book_value(char *text, size_t room, uint64_t number)
{
    return (size_t)snprintf(text, room, "%llu.", (unsigned long long)number);
}

/* ---- brokers: what a record says ---- */

enum { MOST_UPDATES = 8192 }; /* of one record */

struct content {
    uint64_t numbers[MOST_UPDATES];
    uint16_t leaves[MOST_UPDATES];
    uint32_t updates;
    bool is_marker;
    unsigned marker; /* of sluice.v1 */
    char gap[32];    /* its reason */
    uint64_t count;
};

/* The next update of a record: "u3" is the last element of its path, and the value as it was sent.
 */
static bool take_update(struct content *content, const char *leaf, const char *text)
{
    char *rest = NULL;
    uint64_t number = strtoull(text, &rest, 10);

    if (*rest != '.' || rest[1 + strspn(rest + 1, "x")] != '\0' || number == 0 ||
        content->updates == MOST_UPDATES || leaf[0] != 'u') {
        return false;
    }
    content->leaves[content->updates] = (uint16_t)strtoul(leaf + 1, NULL, 10);
    content->numbers[content->updates++] = number;
    return true;
}

static bool read_sluice(const Sluice__V1__Record *record, const char *path, struct content *content)
{
    content->is_marker = record->kind == SLUICE__V1__KIND__KIND_MARKER;
    content->marker = (unsigned)record->marker;
    snprintf(content->gap, sizeof(content->gap), "%s", record->gap ? record->gap->reason : "");
    content->count = record->gap ? record->gap->count : 0;
    for (size_t i = 0; i < record->n_updates; i++) {
        const Sluice__V1__Update *update = record->updates[i];
        if (strncmp(update->path, path, strlen(path)) != 0 || !update->value ||
            update->value->value_case != SLUICE__V1__VALUE__VALUE_STRING_VAL ||
            !take_update(content, update->path + strlen(path), update->value->string_val)) {
            return false;
        }
    }
    return record->n_deletes == 0 && record->dropped == 0;
}

static bool read_proto(const Gnmi__SubscribeResponse *response, const char *path,
                       struct content *content)
{
    const Gnmi__Notification *notification =
        response->response_case == GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE ? response->update
                                                                             : NULL;

    for (size_t i = 0; notification && i < notification->n_update; i++) {
        const Gnmi__Update *update = notification->update[i];
        if (update->path->n_elem != 2 || strcmp(update->path->elem[0]->name, path) != 0 ||
            update->val->value_case != GNMI__TYPED_VALUE__VALUE_STRING_VAL ||
            !take_update(content, update->path->elem[1]->name, update->val->string_val)) {
            return false;
        }
    }
    return true;
}

/* ---- brokers: whether it is the next one ---- */

static const char *who(const struct book_record *record)
{
    static char text[64];

    snprintf(text, sizeof(text), "stream s%u.%u member %u sink k%u", record->device, record->stream,
             record->member, record->sink);
    return text;
}

static bool check_number(struct book *book, const struct book_record *what,
                         struct book_reader *reader, const struct sluice_record *record)
{
    bool is_new = record->epoch != reader->epoch;

    if (is_new && record->epoch < reader->epoch) {
        run_fail(book->run, "%s: epoch %llu after %llu", who(what),
                 (unsigned long long)record->epoch, (unsigned long long)reader->epoch);
    } else if (record->seq != (is_new ? 1 : reader->seq + 1)) {
        run_fail(book->run, "%s: seq %llu after %llu, epoch %llu%s", who(what),
                 (unsigned long long)record->seq, (unsigned long long)reader->seq,
                 (unsigned long long)record->epoch, is_new ? " which is new" : "");
    } else if (!is_new && reader->is_over) {
        run_fail(book->run, "%s: a record after the marker that its epoch is over", who(what));
    }
    if (is_new) {
        reader->was_connected = reader->epoch != 0;
        reader->epoch = record->epoch;
        reader->call = BOOK_NOBODY;
        reader->gaps = 0;
        reader->is_over = false;
    }
    reader->seq = record->seq + record->lines - 1;
    return !book->run->has_failed;
}

static bool has_markers(const struct book *book, unsigned sink)
{
    return sl_format_has_markers(book->run->plan->sinks[sink].format);
}

/* The first updates of an epoch: the device's first of that call, and what is missing is told. */
static void check_first(struct book *book, const struct book_record *what,
                        struct book_reader *reader, uint64_t first, uint32_t call)
{
    const struct book_stream *stream = &book->streams[what->device][what->stream];
    uint64_t expected = stream->calls[call].first[what->member];
    bool may_skip = book_may_skip(book, what->device, what->stream, what->sink);
    bool has_lost = first != reader->last_number + 1;

    if (first != expected && !may_skip) {
        run_fail(book->run, "%s: epoch begins with update %llu, the call with %llu", who(what),
                 (unsigned long long)first, (unsigned long long)expected);
    } else if (reader->was_connected && has_lost && has_markers(book, what->sink) &&
               reader->gaps != 1) {
        run_fail(book->run, "%s: updates %llu to %llu are missing, told by %u gap markers",
                 who(what), (unsigned long long)reader->last_number + 1,
                 (unsigned long long)first - 1, reader->gaps);
    }
    reader->call = call;
}

/* One update: it was sent so, and this sink has not got it yet, nor a newer one of its path. */
static struct book_update *check_update(struct book *book, const struct book_record *what,
                                        struct book_reader *reader, uint64_t number, uint16_t leaf)
{
    struct book_flow *flow = &book->streams[what->device][what->stream].flows[what->member];
    struct book_update *update = number <= flow->count ? &flow->updates[number - 1] : NULL;

    if (!update || update->leaf != leaf) {
        run_fail(book->run, "%s: update %llu of u%u was never sent", who(what),
                 (unsigned long long)number, leaf);
        return NULL;
    }
    if (update->readers & 1U << what->sink) {
        run_fail(book->run, "%s: update %llu comes twice", who(what), (unsigned long long)number);
    } else if (number <= reader->newest[leaf]) {
        run_fail(book->run, "%s: update %llu of u%u comes after %llu", who(what),
                 (unsigned long long)number, leaf, (unsigned long long)reader->newest[leaf]);
    }
    update->readers |= (uint16_t)(1U << what->sink);
    reader->newest[leaf] = number;
    return update;
}

/* The next in a record of what loses nothing: no number is left out, and the record is of one
 * message. */
static void check_next(struct book *book, const struct book_record *what,
                       const struct book_reader *reader, uint64_t number, uint32_t call)
{
    if (number != reader->last_number + 1 || call != reader->call) {
        run_fail(book->run, "%s: update %llu (call %u) after %llu (call %u) in one epoch",
                 who(what), (unsigned long long)number, call,
                 (unsigned long long)reader->last_number, reader->call);
    }
}

static void begin_message(struct book_stream *stream, struct book_message *message)
{
    if (!message->is_begun) {
        message->is_begun = true;
        stream->calls[message->call].begun_bytes += message->wire_bytes;
    }
}

static void check_updates(struct book *book, const struct book_record *what,
                          struct book_reader *reader, const struct content *content)
{
    struct book_stream *stream = &book->streams[what->device][what->stream];
    bool may_skip = book_may_skip(book, what->device, what->stream, what->sink);

    for (uint32_t i = 0; i < content->updates && !book->run->has_failed; i++) {
        uint64_t number = content->numbers[i];
        const struct book_update *update =
            check_update(book, what, reader, number, content->leaves[i]);
        if (!update) {
            return;
        }
        struct book_message *message = &stream->messages[update->message];
        if (reader->call == BOOK_NOBODY) {
            check_first(book, what, reader, number, message->call);
        } else if (!may_skip) {
            check_next(book, what, reader, number, message->call);
        }
        if (book->run->plan->sinks[what->sink].is_required) {
            begin_message(stream, message);
            stream->epoch = reader->epoch;
            stream->call = message->call;
        }
        reader->last_number = number > reader->last_number ? number : reader->last_number;
    }
    reader->accepted += content->updates;
    stream->accepted_ns = world_now_ns();
}

static void note_marker(struct book *book, const struct book_record *what,
                        struct book_reader *reader, const struct content *content)
{
    switch ((int)content->marker) {
    case SLUICE__V1__MARKER__MARKER_CONNECTED:
        if (reader->seq != 1) {
            run_fail(book->run, "%s: marker connected as record %llu", who(what),
                     (unsigned long long)reader->seq);
        }
        break;
    case SLUICE__V1__MARKER__MARKER_GAP:
        reader->gaps +=
            strcmp(content->gap, "reconnect") == 0 || strcmp(content->gap, "stalled") == 0;
        for (int i = 0; i < SL_DROP_REASONS; i++) {
            if (strcmp(content->gap, sl_drop_reason_name((enum sl_drop_reason)i)) == 0) {
                reader->told[i] += content->count;
            }
        }
        break;
    case SLUICE__V1__MARKER__MARKER_DISCONNECTED:
        reader->is_over = true;
        break;
    default:
        break;
    }
}

static bool read_payload(const struct book *book, unsigned sink, const struct sluice_record *record,
                         const struct book_record *what, struct content *content, void **unpacked)
{
    const uint8_t *bytes = (const uint8_t *)record->payload;
    char path[32];

    if (book->run->plan->sinks[sink].format == SL_FORMAT_SLUICE_V1) {
        snprintf(path, sizeof(path), "/s%um%u/", what->stream, what->member);
        Sluice__V1__Record *said = sluice__v1__record__unpack(NULL, record->payload_len, bytes);
        *unpacked = said;
        return said && said->epoch == record->epoch && said->seq == record->seq &&
               read_sluice(said, path, content);
    }
    snprintf(path, sizeof(path), "s%um%u", what->stream, what->member);
    Gnmi__SubscribeResponse *said =
        gnmi__subscribe_response__unpack(NULL, record->payload_len, bytes);
    *unpacked = said;
    return said && read_proto(said, path, content);
}

static void free_payload(const struct book *book, unsigned sink, void *unpacked)
{
    if (book->run->plan->sinks[sink].format == SL_FORMAT_SLUICE_V1) {
        sluice__v1__record__free_unpacked(unpacked, NULL);
    } else {
        gnmi__subscribe_response__free_unpacked(unpacked, NULL);
    }
}

static bool name_flow(const struct sluice_record *record, struct book_record *what)
{
    char target[16];
    char subscription[16];
    unsigned device = PLAN_DEVICES;

    snprintf(target, sizeof(target), "%.*s", (int)record->target.len, record->target.data);
    snprintf(subscription, sizeof(subscription), "%.*s", (int)record->subscription.len,
             record->subscription.data);
    return sscanf(target, "d%u", &what->device) == 1 &&
           sscanf(subscription, "d%us%um%u", &device, &what->stream, &what->member) == 3 &&
           what->device < PLAN_DEVICES && device == what->device && what->stream < PLAN_STREAMS &&
           what->member < PLAN_MEMBERS;
}

/* Their numbers are kept one by one only where they do not follow one another. */
static void keep_numbers(struct book_record *out, const struct content *content)
{
    out->updates = content->updates;
    out->first = content->updates ? content->numbers[0] : 0;
    for (uint32_t i = 1; i < content->updates; i++) {
        if (content->numbers[i] != content->numbers[i - 1] + 1) {
            out->numbers = calloc(content->updates, sizeof(out->numbers[0]));
            SL_ASSERT(out->numbers);
            memcpy(out->numbers, content->numbers, content->updates * sizeof(out->numbers[0]));
            return;
        }
    }
}

bool book_accept(struct book *book, unsigned sink, const struct sluice_record *record,
                 struct book_record *out)
{
    static struct content content;
    void *unpacked = NULL;

    content.updates = 0;
    content.is_marker = false;
    *out = (struct book_record){.sink = sink};
    if (!name_flow(record, out)) {
        run_fail(book->run, "sink k%u: a record of nobody", sink);
        return false;
    }
    struct book_reader *reader =
        &book->streams[out->device][out->stream].readers[out->member][sink];

    out->life = book->lives[out->device];
    if (!read_payload(book, sink, record, out, &content, &unpacked)) {
        run_fail(book->run, "%s: a record that is not as it was sent", who(out));
    } else if (check_number(book, out, reader, record)) {
        if (content.is_marker) {
            note_marker(book, out, reader, &content);
        }
        if (content.updates) {
            check_updates(book, out, reader, &content);
        }
        keep_numbers(out, &content);
    }
    free_payload(book, sink, unpacked);
    return !book->run->has_failed;
}

static void settle(struct book_stream *stream, struct book_message *message)
{
    struct book_call *call = &stream->calls[message->call];

    SL_ASSERT(message->unsettled > 0);
    if (--message->unsettled == 0) {
        call->begun_bytes -= message->wire_bytes;
        call->settled_bytes += message->wire_bytes;
    }
}

void book_report(struct book *book, const struct book_record *record, bool is_delivered)
{
    struct book_stream *stream = &book->streams[record->device][record->stream];
    struct book_reader *reader = &stream->readers[record->member][record->sink];
    const struct book_flow *flow = &stream->flows[record->member];

    if (record->life == book->lives[record->device]) {
        *(is_delivered ? &reader->delivered : &reader->failed) += record->updates;
    }
    if (book->run->has_failed || !book->run->plan->sinks[record->sink].is_required) {
        free(record->numbers);
        return;
    }
    for (uint32_t i = 0; i < record->updates; i++) {
        uint64_t number = record->numbers ? record->numbers[i] : record->first + i;
        settle(stream, &stream->messages[flow->updates[number - 1].message]);
    }
    free(record->numbers);
}

void book_begin_life(struct book *book, unsigned device)
{
    book->lives[device]++;
    for (unsigned i = 0; i < PLAN_STREAMS * PLAN_MEMBERS * PLAN_SINKS; i++) {
        struct book_reader *reader = &book->streams[device][i / (PLAN_MEMBERS * PLAN_SINKS)]
                                          .readers[i / PLAN_SINKS % PLAN_MEMBERS][i % PLAN_SINKS];
        reader->accepted = 0;
        reader->delivered = 0;
        reader->failed = 0;
        memset(reader->told, 0, sizeof(reader->told));
    }
}
