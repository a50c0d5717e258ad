#include "unary.h"

#include "tool/print.h"

static const ProtobufCMessage *request(struct sl_tool_target *target, void *arg,
                                       struct sl_status *why)
{
    const struct unary *unary = arg;

    (void)target;
    (void)why;
    return unary->request;
}

static enum sl_tool_exit run(struct unary *unary, const struct unary_kind *kind)
{
    struct sl_tool_ask ask = {
        .method = kind->method, .request = request, .take = kind->take, .arg = unary};

    if (unary->common.wants_help) {
        sl_tool_print_help(kind->tool, stdout);
        return SL_TOOL_EXIT_OK;
    }
    if (!kind->make_request(unary)) {
        return SL_TOOL_EXIT_USAGE;
    }
    if (unary->dry_run) {
        return sl_print_request(&unary->common, unary->request) ? SL_TOOL_EXIT_OK
                                                                : SL_TOOL_EXIT_FAILED;
    }
    return sl_tool_ask(&unary->common, &ask);
}

int unary_main(struct unary *unary, const struct unary_kind *kind, int argc, char **argv)
{
    enum sl_tool_exit code = SL_TOOL_EXIT_USAGE;

    if (sl_tool_parse(kind->tool, argc, argv, &unary->common)) {
        code = run(unary, kind);
    }
    if (unary->request) {
        protobuf_c_message_free_unpacked(unary->request, NULL);
    }
    sl_tool_fini(&unary->common);
    return (int)code;
}
