/* What is in force, and the reference of what could be: both from the tables. */
#include "daemon/settings_read.h"

static void print_stream(const struct sl_stream_settings *stream, struct sl_buf *out)
{
    size_t paths = 0;

    sl_buf_add_c(out, stream->member_count > 1 ? "    # one RPC: subscriptions"
                                               : "    # one RPC: subscription");
    for (size_t i = 0; i < stream->member_count; i++) {
        sl_buf_printf(out, "%s %s", i ? "," : "", stream->members[i]->name);
        paths += sl_subscription_paths(stream->members[i]);
    }
    sl_buf_printf(out, " (%zu path%s), to", paths, paths == 1 ? "" : "s");
    for (size_t i = 0; i < stream->sink_count; i++) {
        sl_buf_printf(out, "%s %s", i ? "," : "", stream->sinks[i]->spec.name);
    }
    sl_buf_add_byte(out, '\n');
}

/* In a comment, which a path's bytes must not end. */
static void print_address(const struct sl_address *address, struct sl_buf *out)
{
    if (!sl_address_is_unix(address)) {
        sl_buf_printf(out, "host %s, port %u", address->host, (unsigned)address->port);
        return;
    }
    sl_buf_add_c(out, address->kind == SL_ADDRESS_UNIX ? "socket " : "abstract socket ");
    for (const char *at = address->host; *at; at++) {
        sl_buf_add_byte(out, *at < ' ' || *at > '~' ? '.' : *at);
    }
}

/* What is known of such devices, where the target goes beyond it. */
static void print_limits(const struct sl_target_settings *target, struct sl_buf *out)
{
    const struct sl_gnmi_vendor *vendor = sl_settings_vendor(target);

    if (vendor->max_rpcs && target->stream_count > vendor->max_rpcs) {
        sl_buf_printf(out, "    # %zu RPCs: %s is known to bear %u at once\n", target->stream_count,
                      vendor->name, (unsigned)vendor->max_rpcs);
    }
}

static void print_target(const struct sl_target_settings *target, struct sl_buf *out)
{
    sl_config_print_text(target->name, NULL, 2, out);
    sl_buf_add_c(out, "    # ");
    if (target->replay.file) {
        sl_buf_add_c(out, "replay of a capture");
    } else {
        print_address(&target->address, out);
    }
    sl_buf_printf(out, ", worker %u\n", target->worker);
    for (size_t i = 0; i < target->stream_count; i++) {
        print_stream(&target->streams[i], out);
    }
    print_limits(target, out);
    sl_config_print(sl_target_table, &target->options, 4, out);
}

size_t sl_settings_streams(const struct sl_settings *settings)
{
    size_t count = 0;

    for (size_t i = 0; i < settings->target_count; i++) {
        count += settings->targets[i].stream_count;
    }
    return count;
}

void sl_settings_print(const struct sl_settings *settings, struct sl_buf *out)
{
    sl_buf_printf(out, "# %zu targets, %zu streams, %zu sinks; %u workers; a stream's share of ",
                  settings->target_count, sl_settings_streams(settings), settings->sink_count,
                  settings->workers);
    sl_buf_printf(out, "the memory: %llu bytes\n", (unsigned long long)settings->plan.share_bytes);
    sl_config_print_text("collector", NULL, 0, out);
    sl_config_print(sl_collector_table, &settings->collector, 2, out);
    sl_settings_print_sources(settings, out);
    if (settings->target_count) {
        sl_config_print_text("targets", NULL, 0, out);
    }
    for (size_t i = 0; i < settings->target_count; i++) {
        print_target(&settings->targets[i], out);
    }
    sl_config_print_text("subscriptions", NULL, 0, out);
    for (size_t i = 0; i < settings->subscription_count; i++) {
        sl_config_print_text(settings->subscriptions[i].name, NULL, 2, out);
        sl_config_print(sl_subscription_table, &settings->subscriptions[i].options, 4, out);
    }
    sl_settings_print_rules(settings, out);
    sl_settings_print_processors(settings, out);
    sl_config_print_text("sinks", NULL, 0, out);
    sl_settings_print_sinks(settings, out);
}

void sl_settings_reference(const struct sl_plugins *plugins, struct sl_buf *out)
{
    sl_config_reference_line("collector", 0, out, "%s", "");
    sl_config_reference(sl_collector_table, 2, out);
    sl_config_reference_line("defaults", 0, out, "What others do not say themselves.");
    sl_config_reference_line("target", 2, out, "The keys of a target.");
    sl_config_reference_line("subscription", 2, out, "The keys of a subscription.");
    sl_config_reference_line("targets", 0, out, "The devices; at least one.");
    sl_config_reference_line("NAME", 2, out, "%s", "");
    sl_config_reference(sl_target_table, 4, out);
    sl_settings_reference_sources(out);
    sl_config_reference_line("subscriptions", 0, out, "What to ask them for; at least one.");
    sl_config_reference_line("NAME", 2, out, "%s", "");
    sl_config_reference(sl_subscription_table, 4, out);
    sl_settings_reference_rules(out);
    sl_settings_reference_processors(plugins, out);
    sl_settings_reference_sinks(plugins, out);
}
