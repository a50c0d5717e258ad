#include "h2/limits.h"

#include "base/base.h"

const struct sl_h2_limits sl_h2_default_limits = {
    .concurrent_streams = 1000,
    .header_bytes = 64 * SL_KIB,
    .header_fields = 200,
    .header_bomb_bytes = 512 * SL_KIB,
    .continuation_frames = 128,
    .setting_entries = 32,
    .unanswered_frames = 100,
    .queued_frames = 10 * 1000,
    .sent_table_bytes = 4096,
    .pings = {.burst = 1000, .per_s = 10},
    .settings = {.burst = 100, .per_s = 1},
    .priorities = {.burst = 1000, .per_s = 100},
    .empty_data = {.burst = 1000, .per_s = 100},
    .idle_bytes = {.burst = SL_MIB, .per_s = 64 * SL_KIB},
    .idle_bytes_per_byte = 16,
    .resets = {.burst = 20 * 1000, .per_s = 10 * 1000},
    .unanswered_resets = {.burst = 2000, .per_s = 1000},
    .provoked_resets = {.burst = 1000, .per_s = 100},
    .tiny_frames = {.burst = 1000, .per_s = 10},
    .ping_interval_ms = 5 * 60 * 1000,
    .idle_ping_interval_ms = 2 * 3600 * 1000,
    .hasty_pings = 3,
    .greeting_ms = 10 * 1000,
    .frame_ms = 30 * 1000,
    .idle_ms = 10 * 60 * 1000,
    .stall_ms = 60 * 1000,
    .stall_bytes_per_s = 4,
    .blocked_ms = 120 * 1000,
};
