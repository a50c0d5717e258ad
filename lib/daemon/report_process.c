/* What the process is and takes: families of the metrics page, with the names that Prometheus'
 * own clients give them. What the system does not tell has no sample. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/report.h"
#include "metrics/text.h"

enum {
    LINE_BYTES = 1024,
    FIRST_FIELD = 3, /* of /proc/self/stat, behind the name; proc_pid_stat(5) */
    START_FIELD = 22,
    VIRTUAL_FIELD = 23,
    RESIDENT_FIELD = 24,
};

struct numbers {
    uint64_t start_ticks; /* since the system started */
    uint64_t virtual_bytes;
    uint64_t resident_pages;
};

/* The first line of a file that begins with `word`. */
static bool read_line(const char *file, const char *word, char *line)
{
    FILE *stream = fopen(file, "re");
    bool is_found = false;

    while (stream && !is_found && fgets(line, LINE_BYTES, stream)) {
        is_found = strncmp(line, word, strlen(word)) == 0;
    }
    if (stream) {
        fclose(stream);
    }
    return is_found;
}

/* Behind the name in brackets, which may hold anything, there are numbers and one letter. */
static bool read_numbers(struct numbers *numbers)
{
    char line[LINE_BYTES];
    char *rest = NULL;

    if (!read_line("/proc/self/stat", "", line)) {
        return false;
    }
    char *field = strrchr(line, ')');
    field = field ? strtok_r(field + 1, " ", &rest) : NULL;
    for (int i = FIRST_FIELD; field && i <= RESIDENT_FIELD; i++) {
        if (i == START_FIELD) {
            (void)sscanf(field, "%" SCNu64, &numbers->start_ticks);
        } else if (i == VIRTUAL_FIELD) {
            (void)sscanf(field, "%" SCNu64, &numbers->virtual_bytes);
        } else if (i == RESIDENT_FIELD) {
            (void)sscanf(field, "%" SCNu64, &numbers->resident_pages);
        }
        field = strtok_r(NULL, " ", &rest);
    }
    return field != NULL;
}

static void gauge(struct sl_buf *out, const char *name, const char *help, uint64_t value)
{
    sl_metrics_family(out, name, SL_METRIC_GAUGE, help);
    sl_metrics_u64(out, name, SL_METRIC_GAUGE, NULL, 0, value);
}

static void put_memory(struct sl_buf *out)
{
    const uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
    struct numbers numbers = {0};
    char line[LINE_BYTES];
    uint64_t boot_s = 0;

    if (!read_numbers(&numbers)) {
        return;
    }
    gauge(out, "process_resident_memory_bytes", "Memory that lies in RAM.",
          numbers.resident_pages * (uint64_t)sysconf(_SC_PAGESIZE));
    gauge(out, "process_virtual_memory_bytes", "Memory mapped.", numbers.virtual_bytes);
    if (read_line("/proc/stat", "btime ", line) && sscanf(line, "btime %" SCNu64, &boot_s) == 1) {
        const char *name = "process_start_time_seconds";
        sl_metrics_family(out, name, SL_METRIC_GAUGE, "When it started, since 1970.");
        sl_metrics_seconds(out, name, SL_METRIC_GAUGE, NULL, 0,
                           (int64_t)boot_s * SL_NS_PER_S +
                               (int64_t)(numbers.start_ticks * (uint64_t)SL_NS_PER_S / ticks));
    }
}

static int64_t to_ns(struct timeval time)
{
    return time.tv_sec * SL_NS_PER_S + time.tv_usec * SL_NS_PER_US;
}

static void put_cpu(struct sl_buf *out)
{
    const char *name = "process_cpu_seconds";
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        sl_metrics_family(out, name, SL_METRIC_COUNTER, "CPU time, of user and system.");
        sl_metrics_seconds(out, name, SL_METRIC_COUNTER, NULL, 0,
                           to_ns(usage.ru_utime) + to_ns(usage.ru_stime));
    }
}

static void put_descriptors(struct sl_buf *out)
{
    DIR *directory = opendir("/proc/self/fd");
    struct rlimit limit;
    uint64_t count = 0;

    while (directory && readdir(directory)) {
        count++;
    }
    if (directory) {
        closedir(directory);
        gauge(out, "process_open_fds", "Descriptors.", count - 3); /* ".", "..", the directory's */
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        gauge(out, "process_max_fds", "As many as there may be.", limit.rlim_cur);
    }
}

void sl_report_reloads(const struct sl_reload_outcome *outcome, struct sl_buf *out)
{
    const char *name = "sluice_config_last_success_timestamp_seconds";

    gauge(out, "sluice_config_generation", "Of the configuration in force, from 1.",
          outcome->generation);
    gauge(out, "sluice_config_last_reload_successful",
          "0: the file as it was read last is refused, and an earlier one is in force.",
          outcome->result != SL_RELOAD_REFUSED);
    sl_metrics_family(out, name, SL_METRIC_GAUGE,
                      "When the file was taken last, or said what is in force, since 1970.");
    sl_metrics_seconds(out, name, SL_METRIC_GAUGE, NULL, 0, outcome->in_force_ns);
    name = "sluice_config_reloads";
    sl_metrics_family(out, name, SL_METRIC_COUNTER, "Of the configuration, by what came of them.");
    for (int i = SL_RELOAD_OK; i < SL_RELOAD_RESULTS; i++) {
        const char *result = sl_reload_result_name((enum sl_reload_result)i);
        const struct sl_metric_label label = {"result", sl_str_from(result)};
        sl_metrics_u64(out, name, SL_METRIC_COUNTER, &label, 1, outcome->counts[i]);
    }
}

static void put_log(struct sl_buf *out)
{
    const char *name = "sluice_log_lines";

    sl_metrics_family(out, name, SL_METRIC_COUNTER,
                      "Log lines, by level; repeats left out are none.");
    for (int i = SL_LOG_DEBUG; i <= SL_LOG_ERROR; i++) {
        const enum sl_log_level level = (enum sl_log_level)i;
        const struct sl_metric_label label = {"level", sl_str_from(sl_log_level_name(level))};
        sl_metrics_u64(out, name, SL_METRIC_COUNTER, &label, 1, sl_log_lines(level));
    }
    name = "sluice_log_lines_left_out";
    sl_metrics_family(out, name, SL_METRIC_COUNTER, "Repeated log lines that were not printed.");
    sl_metrics_u64(out, name, SL_METRIC_COUNTER, NULL, 0, sl_log_left_out());
}

void sl_report_process(struct sl_buf *out)
{
    const struct sl_metric_label version = {"version", SL_STR(SLUICE_VERSION)};

    sl_metrics_family(out, "sluice_build", SL_METRIC_INFO, "What runs here.");
    sl_metrics_u64(out, "sluice_build", SL_METRIC_INFO, &version, 1, 1);
    put_cpu(out);
    put_memory(out);
    put_descriptors(out);
    put_log(out);
}
