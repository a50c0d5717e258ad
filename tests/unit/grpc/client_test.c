/* Our client against a server whose every byte is written here. */
#include "h2/frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/record.h"

static const struct sl_grpc_method method = {
    .path = "/pkg.Service/Method", .client_streams = true, .server_streams = true};

struct bench {
    struct sl_h2_session *session;
    struct sent *sent;
    struct sl_buf in;
    struct record record;
};

static const struct sl_h2_session_events no_events = {.on_stream = NULL};

static const char *const headers[] = {":status=200", "content-type=application/grpc", NULL};
static const char *const headers_gzip[] = {":status=200", "content-type=application/grpc+proto",
                                           "grpc-encoding=gzip", NULL};
static const char *const trailers[] = {"grpc-status=0", NULL};

static const char *sent(struct bench *bench)
{
    return sent_lines(bench->sent, bench->session);
}

static void feed_ok(struct bench *bench)
{
    struct sl_status status = feed(bench->session, &bench->in);

    assert_string_equal(status.text, "");
}

static struct sl_grpc_call *open_with(struct bench *bench, const struct sl_grpc_field *metadata,
                                      size_t count)
{
    const struct sl_grpc_request request = {
        .method = &method,
        .authority = "leaf1:57400",
        .user_agent = "sluice/test",
        .metadata = metadata,
        .metadata_count = count,
        .manual_credit = true,
    };

    bench->record.call =
        sl_grpc_call_open(bench->session, &request, &record_events, &bench->record);
    return bench->record.call;
}

static void open_session(struct bench *bench)
{
    *bench = (struct bench){.sent = sent_new()};
    bench->session = sl_h2_session_new(SL_H2_CLIENT, NULL, &no_events, NULL);
    assert_non_null(bench->session);
    put_server_preface(&bench->in);
    feed_ok(bench);
    sent(bench);
}

/* A call whose request has left. */
static struct sl_grpc_call *open_bench(struct bench *bench)
{
    open_session(bench);
    assert_non_null(open_with(bench, NULL, 0));
    sent(bench);
    expect_said(&bench->record, "open ");
    return bench->record.call;
}

static void close_bench(struct bench *bench)
{
    sl_h2_session_free(bench->session);
    sent_free(bench->sent);
    sl_buf_fini(&bench->in);
    record_fini(&bench->record);
}

/* A length-prefixed message in one DATA frame. */
static void put_message(struct sl_buf *out, char flag, const char *text)
{
    struct sl_buf bytes = {0};
    const char prefix[] = {flag, 0, 0, 0, (char)strlen(text)};

    sl_buf_add(&bytes, prefix, sizeof(prefix));
    sl_buf_add_c(&bytes, text);
    put_frame(out, DATA, 0, 1, bytes.data, bytes.len);
    sl_buf_fini(&bytes);
}

/* ---- the request ---- */

static void the_scheme_is_https_over_tls(void **state)
{
    struct bench bench;

    (void)state;
    open_session(&bench);
    sl_h2_session_set_secure(bench.session, true);
    assert_non_null(open_with(&bench, NULL, 0));
    assert_non_null(strstr(sent(&bench), " :scheme=https "));
    close_bench(&bench);
}

static void a_request_says_what_the_protocol_wants(void **state)
{
    struct bench bench;
    const struct sl_grpc_field metadata[] = {
        {SL_STR("username"), SL_STR("admin"), false},
        {SL_STR("password"), SL_STR("secret"), true},
    };

    (void)state;
    open_session(&bench);
    assert_non_null(open_with(&bench, metadata, 2));
    assert_string_equal(sent(&bench), "HEADERS 1 :method=POST :scheme=http "
                                      ":path=/pkg.Service/Method :authority=leaf1:57400 "
                                      "te=trailers content-type=application/grpc "
                                      "grpc-accept-encoding=identity user-agent=sluice/test "
                                      "username=admin !password=secret\n");
    assert_int_equal(sl_grpc_call_send_bytes(bench.record.call, "hello", 5), SL_GRPC_SENT);
    assert_int_equal(sl_grpc_call_unsent(bench.record.call), 10);
    assert_string_equal(sent(&bench), "DATA 1 10\n");
    sl_grpc_call_half_close(bench.record.call);
    assert_int_equal(sl_grpc_call_send_bytes(bench.record.call, "x", 1), SL_GRPC_CLOSED);
    assert_string_equal(sent(&bench), "DATA 1 +end 0\n");
    close_bench(&bench);
}

static void metadata_that_cannot_be_sent_ends_the_call_before_it_leaves(void **state)
{
    static const struct sl_grpc_field broken[] = {
        {{"Upper", 5}, {"x", 1}, false},
        {{"grpc-timeout", 12}, {"1S", 2}, false},
        {{":path", 5}, {"/", 1}, false},
        {{"", 0}, {"x", 1}, false},
        {{"te", 2}, {"x", 1}, false},
        {{"password", 8}, {"a\nb", 3}, true},
        {{"password", 8}, {"\xc3\xa9", 2}, true},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(broken); i++) {
        struct bench bench;

        open_session(&bench);
        assert_non_null(open_with(&bench, &broken[i], 1));
        expect_said(&bench.record, "");
        assert_string_equal(sent(&bench), "");
        expect_said(&bench.record, "status:INVALID_ARGUMENT ");
        assert_null(strstr(bench.record.status.text, "\xc3"));
        close_bench(&bench);
    }
}

static void no_call_opens_after_a_goaway(void **state)
{
    struct bench bench;

    (void)state;
    open_session(&bench);
    put_goaway(&bench.in, 0, SL_H2_NO_ERROR, "");
    feed_ok(&bench);
    assert_null(open_with(&bench, NULL, 0));
    close_bench(&bench);
}

/* ---- responses ---- */

static void messages_and_status_come_in_order(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    put_headers(&bench.in, 0, 1, headers);
    put_message(&bench.in, 0, "one");
    put_message(&bench.in, 0, "");
    put_message(&bench.in, 0, "two");
    put_headers(&bench.in, END_STREAM, 1, trailers);
    feed_ok(&bench);
    assert_string_equal(sent(&bench), "RST_STREAM 1 NO_ERROR\n");
    expect_said(&bench.record, "headers msg:one msg: msg:two half-close status:OK ");
    assert_int_equal(bench.record.received_bytes, 21);
    close_bench(&bench);
}

static void messages_may_be_split_and_padded_in_any_way(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 8; cut++) {
        static const char bytes[] = "\0\0\0\0\3abc";
        struct bench bench;
        struct sl_buf padded = {0};

        open_bench(&bench);
        put_headers(&bench.in, 0, 1, headers);
        put_frame(&bench.in, DATA, 0, 1, bytes, cut);
        sl_buf_add_byte(&padded, 3);
        sl_buf_add(&padded, bytes + cut, 8 - cut);
        sl_buf_add(&padded, "\0\0\0", 3);
        put_frame(&bench.in, DATA, PADDED, 1, padded.data, padded.len);
        put_headers(&bench.in, END_STREAM, 1, trailers);
        feed_ok(&bench);
        sent(&bench);
        expect_said(&bench.record, "headers msg:abc half-close status:OK ");
        assert_int_equal(bench.record.received_bytes, 8);
        sl_buf_fini(&padded);
        close_bench(&bench);
    }
}

static void metadata_of_the_response_can_be_read(void **state)
{
    static const char *const fields[] = {":status=200", "content-type=application/grpc;x=y",
                                         "vendor=acme", "vendor=other",
                                         "empty=",      NULL};
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench);

    (void)state;
    put_headers(&bench.in, 0, 1, fields);
    feed_ok(&bench);
    expect_said(&bench.record, "headers ");
    struct sl_str vendor = sl_grpc_call_metadata(call, "vendor");
    assert_true(sl_str_eq(vendor, SL_STR("acme")));
    assert_int_equal(sl_grpc_call_metadata(call, "empty").len, 0);
    assert_int_equal(sl_grpc_call_metadata(call, "absent").len, 0);
    close_bench(&bench);
}

static void trailers_only_gives_each_status(void **state)
{
    (void)state;
    for (unsigned code = 0; code <= SL_CODES; code++) {
        struct bench bench;
        char line[32];
        const char *fields[] = {":status=200", "content-type=application/grpc", line,
                                "grpc-message=no%20such%20%22path%22", NULL};

        open_bench(&bench);
        snprintf(line, sizeof(line), "grpc-status=%u", code);
        put_headers(&bench.in, END_STREAM, 1, fields);
        feed_ok(&bench);
        sent(&bench);
        assert_int_equal(bench.record.status.code, code < SL_CODES ? code : SL_UNKNOWN);
        assert_string_equal(bench.record.status.text, "the peer says: no such .path.");
        assert_null(strstr(sl_buf_text(&bench.record.said), "headers"));
        close_bench(&bench);
    }
}

static void expect_outcome(const char *const *first, const char *const *last, enum sl_code code)
{
    struct bench bench;

    open_bench(&bench);
    put_headers(&bench.in, last ? 0 : END_STREAM, 1, first);
    if (last) {
        put_headers(&bench.in, END_STREAM, 1, last);
    }
    feed_ok(&bench);
    sent(&bench);
    assert_int_equal(bench.record.status.code, code);
    assert_null(bench.record.call);
    close_bench(&bench);
}

static void an_answer_that_is_not_grpc_is_mapped(void **state)
{
    static const struct {
        const char *status;
        enum sl_code code;
    } https[] = {
        {":status=400", SL_INTERNAL},          {":status=401", SL_UNAUTHENTICATED},
        {":status=403", SL_PERMISSION_DENIED}, {":status=404", SL_UNIMPLEMENTED},
        {":status=429", SL_UNAVAILABLE},       {":status=502", SL_UNAVAILABLE},
        {":status=503", SL_UNAVAILABLE},       {":status=504", SL_UNAVAILABLE},
        {":status=500", SL_UNKNOWN},           {":status=302", SL_UNKNOWN},
    };
    static const char *const html[] = {":status=200", "content-type=text/html", NULL};
    static const char *const web[] = {":status=200", "content-type=application/grpc-web", NULL};
    static const char *const none[] = {":status=200", NULL};
    static const char *const word[] = {"grpc-status=fine", NULL};
    static const char *const empty[] = {"x=y", NULL};
    static const char *const both[] = {":status=503", "grpc-status=7", NULL};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(https); i++) {
        const char *const fields[] = {https[i].status, "content-type=text/plain", NULL};
        expect_outcome(fields, NULL, https[i].code);
        expect_outcome(fields, empty, https[i].code);
    }
    expect_outcome(html, empty, SL_UNKNOWN);
    expect_outcome(web, trailers, SL_UNKNOWN);
    expect_outcome(none, trailers, SL_UNKNOWN);
    expect_outcome(headers, word, SL_UNKNOWN);
    expect_outcome(headers, empty, SL_UNKNOWN);
    expect_outcome(headers, NULL, SL_UNKNOWN);
    expect_outcome(both, NULL, SL_PERMISSION_DENIED);
    expect_outcome(headers, trailers, SL_OK);
}

static void a_broken_escape_in_a_message_stays_as_it_is(void **state)
{
    static const char *const fields[] = {"grpc-status=2", "grpc-message=100%: %4 %zz %c3%a9%25",
                                         NULL};
    struct bench bench;

    (void)state;
    open_bench(&bench);
    put_headers(&bench.in, 0, 1, headers);
    put_headers(&bench.in, END_STREAM, 1, fields);
    feed_ok(&bench);
    sent(&bench);
    assert_string_equal(bench.record.status.text, "the peer says: 100%: %4 %zz ..%");
    close_bench(&bench);
}

static void a_reset_is_mapped_at_every_point(void **state)
{
    static const enum sl_code codes[] = {
        [SL_H2_NO_ERROR] = SL_INTERNAL,
        [SL_H2_PROTOCOL_ERROR] = SL_INTERNAL,
        [SL_H2_INTERNAL_ERROR] = SL_INTERNAL,
        [SL_H2_FLOW_CONTROL_ERROR] = SL_INTERNAL,
        [SL_H2_SETTINGS_TIMEOUT] = SL_INTERNAL,
        [SL_H2_STREAM_CLOSED] = SL_INTERNAL,
        [SL_H2_FRAME_SIZE_ERROR] = SL_INTERNAL,
        [SL_H2_REFUSED_STREAM] = SL_UNAVAILABLE,
        [SL_H2_CANCEL] = SL_CANCELLED,
        [SL_H2_COMPRESSION_ERROR] = SL_INTERNAL,
        [SL_H2_CONNECT_ERROR] = SL_INTERNAL,
        [SL_H2_ENHANCE_YOUR_CALM] = SL_RESOURCE_EXHAUSTED,
        [SL_H2_INADEQUATE_SECURITY] = SL_PERMISSION_DENIED,
    };

    (void)state;
    for (uint32_t error = 0; error < SL_ARRAY_LEN(codes); error++) {
        for (int point = 0; point < 4; point++) {
            struct bench bench;

            open_bench(&bench);
            if (point > 0) {
                put_headers(&bench.in, 0, 1, headers);
            }
            if (point > 1) {
                put_message(&bench.in, 0, "one");
            }
            if (point > 2) {
                put_frame(&bench.in, DATA, 0, 1, "\0\0\0\0\5he", 7);
            }
            put_u32_frame(&bench.in, RST_STREAM, 1, error);
            feed_ok(&bench);
            assert_int_equal(bench.record.status.code, codes[error]);
            assert_null(bench.record.call);
            assert_string_equal(sent(&bench), "");
            close_bench(&bench);
        }
    }
}

static void a_goaway_below_the_call_is_unavailable(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    put_goaway(&bench.in, 0, SL_H2_NO_ERROR, "");
    feed_ok(&bench);
    expect_said(&bench.record, "status:UNAVAILABLE ");
    close_bench(&bench);
}

static void a_connection_that_ends_is_unavailable(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    put_headers(&bench.in, 0, 1, headers);
    feed_ok(&bench);
    sl_h2_session_free(bench.session);
    expect_said(&bench.record, "headers status:UNAVAILABLE ");
    bench.session = sl_h2_session_new(SL_H2_CLIENT, NULL, &no_events, NULL);
    close_bench(&bench);
}

/* ---- messages that are wrong ---- */

static void expect_refused(const char *const *first, const void *bytes, size_t len, int flags,
                           enum sl_code code)
{
    struct bench bench;

    open_bench(&bench);
    put_headers(&bench.in, 0, 1, first);
    put_frame(&bench.in, DATA, flags, 1, bytes, len);
    feed_ok(&bench);
    expect_said(&bench.record, "headers ");
    assert_non_null(strstr(sent(&bench), "RST_STREAM 1"));
    assert_int_equal(bench.record.status.code, code);
    assert_null(bench.record.call);
    close_bench(&bench);
}

static void a_message_that_is_wrong_ends_the_call(void **state)
{
    (void)state;
    expect_refused(headers, "\1\0\0\0\1x", 6, 0, SL_INTERNAL);
    expect_refused(headers_gzip, "\1\0\0\0\1x", 6, 0, SL_UNIMPLEMENTED);
    expect_refused(headers, "\2\0\0\0\1x", 6, 0, SL_INTERNAL);
    expect_refused(headers, "\0\xff\xff\xff\xff", 5, 0, SL_RESOURCE_EXHAUSTED);
    expect_refused(headers, "\0\1\0\0\1", 5, 0, SL_RESOURCE_EXHAUSTED);
    expect_refused(headers, "\0\0\0\0\5he", 7, END_STREAM, SL_INTERNAL);
    expect_refused(headers, "\0\0", 2, END_STREAM, SL_INTERNAL);
}

static void an_uncompressed_message_passes_whatever_the_encoding(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    put_headers(&bench.in, 0, 1, headers_gzip);
    put_message(&bench.in, 0, "plain");
    feed_ok(&bench);
    expect_said(&bench.record, "headers msg:plain ");
    close_bench(&bench);
}

static void a_cut_message_does_not_hide_the_peers_error(void **state)
{
    static const char *const fields[] = {"grpc-status=14", NULL};
    struct bench bench;

    (void)state;
    open_bench(&bench);
    put_headers(&bench.in, 0, 1, headers);
    put_frame(&bench.in, DATA, 0, 1, "\0\0\0\0\5he", 7);
    put_headers(&bench.in, END_STREAM, 1, fields);
    feed_ok(&bench);
    sent(&bench);
    assert_int_equal(bench.record.status.code, SL_UNAVAILABLE);
    close_bench(&bench);
}

static void a_cut_message_spoils_an_ok(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    put_headers(&bench.in, 0, 1, headers);
    put_frame(&bench.in, DATA, 0, 1, "\0\0\0\0\5he", 7);
    put_headers(&bench.in, END_STREAM, 1, trailers);
    feed_ok(&bench);
    sent(&bench);
    assert_int_equal(bench.record.status.code, SL_INTERNAL);
    close_bench(&bench);
}

/* ---- credit ---- */

static void only_grants_return_the_window(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench);

    (void)state;
    put_headers(&bench.in, 0, 1, headers);
    put_frame(&bench.in, DATA, 0, 1, "\0\0\0\x3f\xfb", 5); /* 16,379: the window to the last byte */
    put_zeros(&bench.in, 0, 1, 16379);
    feed_ok(&bench);
    assert_int_equal(bench.record.messages, 1);
    assert_int_equal(bench.record.received_bytes, 16384);
    assert_string_equal(sent(&bench), "");
    assert_int_equal(sl_h2_stream_window(sl_grpc_call_stream(call)), 0);
    sl_grpc_call_grant(call, 16384);
    assert_string_equal(sent(&bench), "WINDOW_UPDATE 1 16384\n");
    put_frame(&bench.in, DATA, 0, 1, "\0\0\x10\0\0", 5);
    feed_ok(&bench);
    assert_int_equal(sl_grpc_call_missing(call), 0x100000);
    assert_string_equal(sent(&bench), "");
    sl_grpc_call_grant(call, 0x100000);
    assert_string_equal(sent(&bench), "WINDOW_UPDATE 1 1048576\n");
    close_bench(&bench);
}

static void bytes_beyond_the_ledger_end_the_call(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    bench.record.limit_bytes = 8;
    put_headers(&bench.in, 0, 1, headers);
    put_message(&bench.in, 0, "one");
    put_message(&bench.in, 0, "two");
    feed_ok(&bench);
    assert_string_equal(sent(&bench), "RST_STREAM 1 CANCEL\n");
    expect_said(&bench.record, "headers msg:one status:RESOURCE_EXHAUSTED ");
    close_bench(&bench);
}

static void bytes_beyond_the_window_end_the_call(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    put_headers(&bench.in, 0, 1, headers);
    put_frame(&bench.in, DATA, 0, 1, "\0\0\0\xff\xff", 5);
    put_zeros(&bench.in, 0, 1, 16380);
    feed_ok(&bench);
    assert_int_equal(bench.record.received_bytes, 5);
    assert_string_equal(sent(&bench), "RST_STREAM 1 FLOW_CONTROL_ERROR\n");
    expect_said(&bench.record, "headers status:RESOURCE_EXHAUSTED ");
    assert_string_equal(sl_status_reason(&bench.record.status), "window-overshoot");
    close_bench(&bench);
}

/* ---- holding ---- */

static void nothing_overtakes_a_held_message(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench);

    (void)state;
    bench.record.holds = 1;
    put_headers(&bench.in, 0, 1, headers);
    put_message(&bench.in, 0, "one");
    put_message(&bench.in, 0, "two");
    put_headers(&bench.in, END_STREAM, 1, trailers);
    put_u32_frame(&bench.in, RST_STREAM, 1, SL_H2_NO_ERROR);
    feed_ok(&bench);
    sent(&bench);
    expect_said(&bench.record, "headers hold ");
    assert_int_equal(bench.record.received_bytes, 16);
    assert_int_equal(sl_h2_session_streams(bench.session), 1);
    sl_grpc_call_grant(call, 8); /* changes nothing, and nothing breaks */
    bench.record.holds = 1;
    sl_grpc_call_resume(call);
    expect_said(&bench.record, "hold ");
    sl_grpc_call_resume(call);
    expect_said(&bench.record, "msg:one msg:two half-close ");
    sl_grpc_call_resume(call);
    expect_said(&bench.record, "");
    sent(&bench);
    expect_said(&bench.record, "status:OK ");
    close_bench(&bench);
}

static void a_held_call_can_be_cancelled_at_every_point(void **state)
{
    (void)state;
    for (int point = 0; point < 3; point++) {
        struct bench bench;
        struct sl_grpc_call *call = open_bench(&bench);

        bench.record.holds = 1;
        put_headers(&bench.in, 0, 1, headers);
        put_message(&bench.in, 0, "one");
        if (point == 1) {
            put_headers(&bench.in, END_STREAM, 1, trailers);
        } else if (point == 2) {
            put_u32_frame(&bench.in, RST_STREAM, 1, SL_H2_CANCEL);
        }
        feed_ok(&bench);
        sent(&bench);
        expect_said(&bench.record, "headers hold ");
        sl_grpc_call_cancel(call);
        sl_grpc_call_resume(call);
        expect_said(&bench.record, "");
        assert_string_equal(sent(&bench), point ? "" : "RST_STREAM 1 CANCEL\n");
        expect_said(&bench.record, "status:CANCELLED ");
        close_bench(&bench);
    }
}

static void a_held_call_whose_connection_goes_is_unavailable(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench);
    bench.record.holds = 1;
    put_headers(&bench.in, 0, 1, headers);
    put_message(&bench.in, 0, "one");
    put_headers(&bench.in, END_STREAM, 1, trailers);
    feed_ok(&bench);
    sl_h2_session_free(bench.session);
    expect_said(&bench.record, "headers hold status:UNAVAILABLE ");
    bench.session = sl_h2_session_new(SL_H2_CLIENT, NULL, &no_events, NULL);
    close_bench(&bench);
}

static void a_message_cut_behind_a_held_one_is_found_on_resume(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench);

    (void)state;
    bench.record.holds = 1;
    put_headers(&bench.in, 0, 1, headers);
    put_message(&bench.in, 0, "one");
    put_frame(&bench.in, DATA, 0, 1, "\0\0\0\0\5he", 7);
    put_headers(&bench.in, END_STREAM, 1, trailers);
    feed_ok(&bench);
    sent(&bench);
    sl_grpc_call_resume(call);
    sent(&bench);
    expect_said(&bench.record, "headers hold msg:one status:INTERNAL ");
    close_bench(&bench);
}

/* ---- ending it here ---- */

static void a_cancel_ends_the_call_once_and_never_from_within(void **state)
{
    struct bench bench;
    struct sl_grpc_call *call = open_bench(&bench);

    (void)state;
    sl_grpc_call_cancel(call);
    sl_grpc_call_cancel(call);
    assert_int_equal(sl_grpc_call_send_bytes(call, "x", 1), SL_GRPC_CLOSED);
    put_headers(&bench.in, 0, 1, headers);
    put_message(&bench.in, 0, "late");
    put_headers(&bench.in, END_STREAM, 1, trailers);
    feed_ok(&bench);
    expect_said(&bench.record, "");
    assert_string_equal(sent(&bench), "RST_STREAM 1 CANCEL\n");
    expect_said(&bench.record, "status:CANCELLED ");
    assert_string_equal(bench.record.status.text, "cancelled here");
    close_bench(&bench);
}

static void a_call_may_be_cancelled_within_its_message(void **state)
{
    for (int stops = 0; stops < 2; stops++) {
        struct bench bench;

        (void)state;
        open_bench(&bench);
        bench.record.cancels = !stops;
        bench.record.stops = stops;
        put_headers(&bench.in, 0, 1, headers);
        put_frame(&bench.in, DATA, 0, 1, "\0\0\0\0\1a\0\0\0\0\1b", 12);
        put_headers(&bench.in, END_STREAM, 1, trailers);
        feed_ok(&bench);
        assert_string_equal(sent(&bench), "RST_STREAM 1 CANCEL\n");
        expect_said(&bench.record, "headers msg:a status:CANCELLED ");
        close_bench(&bench);
    }
}

static void a_call_cancelled_before_it_left_was_never_there(void **state)
{
    struct bench bench;

    (void)state;
    open_session(&bench);
    sl_grpc_call_cancel(open_with(&bench, NULL, 0));
    assert_string_equal(sent(&bench), "");
    expect_said(&bench.record, "status:CANCELLED ");
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scheme_is_https_over_tls),
        cmocka_unit_test(a_request_says_what_the_protocol_wants),
        cmocka_unit_test(metadata_that_cannot_be_sent_ends_the_call_before_it_leaves),
        cmocka_unit_test(no_call_opens_after_a_goaway),
        cmocka_unit_test(messages_and_status_come_in_order),
        cmocka_unit_test(messages_may_be_split_and_padded_in_any_way),
        cmocka_unit_test(metadata_of_the_response_can_be_read),
        cmocka_unit_test(trailers_only_gives_each_status),
        cmocka_unit_test(an_answer_that_is_not_grpc_is_mapped),
        cmocka_unit_test(a_broken_escape_in_a_message_stays_as_it_is),
        cmocka_unit_test(a_reset_is_mapped_at_every_point),
        cmocka_unit_test(a_goaway_below_the_call_is_unavailable),
        cmocka_unit_test(a_connection_that_ends_is_unavailable),
        cmocka_unit_test(a_message_that_is_wrong_ends_the_call),
        cmocka_unit_test(an_uncompressed_message_passes_whatever_the_encoding),
        cmocka_unit_test(a_cut_message_does_not_hide_the_peers_error),
        cmocka_unit_test(a_cut_message_spoils_an_ok),
        cmocka_unit_test(only_grants_return_the_window),
        cmocka_unit_test(bytes_beyond_the_ledger_end_the_call),
        cmocka_unit_test(bytes_beyond_the_window_end_the_call),
        cmocka_unit_test(nothing_overtakes_a_held_message),
        cmocka_unit_test(a_held_call_can_be_cancelled_at_every_point),
        cmocka_unit_test(a_held_call_whose_connection_goes_is_unavailable),
        cmocka_unit_test(a_message_cut_behind_a_held_one_is_found_on_resume),
        cmocka_unit_test(a_cancel_ends_the_call_once_and_never_from_within),
        cmocka_unit_test(a_call_may_be_cancelled_within_its_message),
        cmocka_unit_test(a_call_cancelled_before_it_left_was_never_there),
    };
    int failed = cmocka_run_group_tests_name("client", tests, NULL, NULL);

    feeds_bytes = true;
    return failed + cmocka_run_group_tests_name("client, byte by byte", tests, NULL, NULL);
}
