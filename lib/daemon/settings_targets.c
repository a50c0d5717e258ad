/* Targets, one by one, wherever they are said. */
#include <string.h>

#include "capture/source.h"
#include "daemon/settings_read.h"

/* What a header of HTTP/2 carries as it is. */
static bool is_header_text(const char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

static void check_address(struct sl_settings_reader *reader, const struct sl_settings_place *place,
                          struct sl_target_settings *target)
{
    const struct sl_config_node *node =
        sl_settings_own_or(place->node, reader->default_target, "address");
    const char *text = target->options.address;
    struct sl_status why;

    if (!*text) {
        text = target->name;
        node = place->key;
    }
    if (!sl_address_parse(text, SL_TARGET_DEFAULT_PORT, &target->address) ||
        (!target->address.port && !sl_address_is_unix(&target->address))) {
        sl_config_error(reader->config, node,
                        "'address': expected host:port, [v6]:port, host or unix:path, found "
                        "'%.80s'",
                        text);
    } else if (!sl_address_check(&target->address, &why)) {
        sl_config_error(reader->config, node, "'address': %s", why.text);
    }
}

/* Where the configuration leaves it open: whose device it was, as the capture has it. */
static int vendor_of(const struct sl_gnmi_capture_header *header)
{
    int vendor = 0;

    while (sl_target_vendor_names[vendor] &&
           !sl_str_eq_c(header->vendor, sl_target_vendor_names[vendor])) {
        vendor++;
    }
    return sl_target_vendor_names[vendor] ? vendor : 0;
}

static void read_replay(struct sl_settings_reader *reader, const struct sl_config_node *node,
                        struct sl_target_settings *target)
{
    struct sl_target_options *options = &target->options;
    struct sl_status why;
    struct sl_capture_source *source = sl_capture_source_open(options->replay.file, &why);

    target->address = (struct sl_address){.kind = SL_ADDRESS_PRIVATE};
    target->replay = (struct sl_device_replay){
        .file = options->replay.file,
        .is_fast = options->replay.pace == SL_TARGET_PACE_FAST,
        .loops = options->replay.loop,
        .ends = true,
        .shifts = options->replay.timestamps == SL_TARGET_TIMES_SHIFTED,
        .tells_times = options->replay.timestamps == SL_TARGET_TIMES_AS_IS,
    };
    if (!source) {
        sl_config_error(reader->config, sl_settings_own_or(node, reader->default_target, "replay"),
                        "'replay': '%.80s': %s", options->replay.file, why.text);
    } else if (options->vendor == 0) {
        options->vendor = vendor_of(sl_capture_source_header(source));
    }
    sl_capture_source_close(source);
}

/* Fills target->proxy, which a target before it may have made. False when memory is out. */
static bool read_proxy(struct sl_settings_reader *reader, const struct sl_config_node *node,
                       struct sl_target_settings *target)
{
    const char *text = target->options.proxy;
    struct sl_status why;

    if (!*text) {
        return true;
    }
    if (!reader->proxy_text || strcmp(reader->proxy_text, text) != 0) {
        reader->proxy_text = text;
        reader->proxy = sl_config_alloc(reader->config, 1, sizeof(*reader->proxy));
    }
    if (!reader->proxy) {
        return false;
    }
    target->proxy = reader->proxy;
    if (!sl_proxy_parse(text, reader->proxy, &why) || !sl_proxy_can_reach(&target->address, &why)) {
        sl_config_error(reader->config, sl_settings_own_or(node, reader->default_target, "proxy"),
                        "'proxy': %s", why.text);
    }
    return true;
}

static void check_target(struct sl_settings_reader *reader, const struct sl_config_node *node,
                         const struct sl_target_options *options)
{
    const struct sl_config_node *defaults = reader->default_target;

    if (!is_header_text(options->username)) {
        sl_config_error(reader->config, sl_settings_own_or(node, defaults, "username"),
                        "'username': expected printable ASCII");
    }
    if (!is_header_text(options->password)) {
        sl_config_error(reader->config, sl_settings_own_or(node, defaults, "password"),
                        "'password': expected printable ASCII");
    }
    if (options->backoff.min_ns > options->backoff.max_ns) {
        sl_config_error(reader->config, sl_settings_own_or(node, defaults, "backoff"),
                        "'backoff': expected a min that is not above max");
    }
    for (size_t i = 0; i < options->labels.count; i++) {
        sl_settings_check_name(reader->config, sl_settings_own_or(node, defaults, "labels"),
                               options->labels.pairs[i].name);
    }
}

/* A capture is a file of this machine, and its end may be the daemon's. */
static void check_replay(struct sl_settings_reader *reader, const struct sl_settings_place *place,
                         struct sl_target_settings *target)
{
    if (place->document) {
        sl_config_error(reader->config, sl_settings_own_or(place->node, NULL, "replay"),
                        "'replay': only targets of the configuration itself replay captures");
        target->address = (struct sl_address){.kind = SL_ADDRESS_PRIVATE};
        return;
    }
    read_replay(reader, place->node, target);
}

static bool read_target(struct sl_settings_reader *reader, const struct sl_settings_place *place,
                        struct sl_target_settings *target)
{
    static const char *const known[] = {"name", NULL};

    sl_config_fill(reader->config, place->node, sl_target_table, &target->options,
                   reader->target_base, place->is_listed ? known : NULL);
    check_target(reader, place->node, &target->options);
    if (*target->options.replay.file) {
        check_replay(reader, place, target);
        return true;
    }
    check_address(reader, place, target);
    return read_proxy(reader, place->node, target) &&
           sl_settings_read_tls(reader, place->node, target);
}

bool sl_settings_read_targets(struct sl_settings_reader *reader)
{
    struct sl_settings *settings = reader->settings;
    bool is_read = true;

    settings->is_finite = settings->target_count > 0 && !settings->source_count;
    for (size_t i = 0; is_read && i < settings->target_count; i++) {
        struct sl_target_settings *target = &settings->targets[i];
        sl_settings_enter(reader, &reader->places[i]);
        is_read = read_target(reader, &reader->places[i], target);
        sl_settings_leave(reader, &reader->places[i]);
        settings->is_finite = settings->is_finite && target->replay.file && !target->replay.loops;
    }
    return is_read;
}
