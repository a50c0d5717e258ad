/* sim.h - what the files of `sluice sim` share. */
#ifndef SLUICE_CMD_SIM_H
#define SLUICE_CMD_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/base.h"
#include "device/device.h"
#include "loop/loop.h"

enum { SIM_DEFAULT_PORT = 57400 };

struct sim {
    struct sl_device_options options;
    struct sl_tls_options tls;
    const char *data; /* a file */
    bool is_quiet;
    bool is_verbose;
    bool wants_help;
    bool is_stopping;
    struct sl_loop *loop;
    struct sl_device_fleet *fleet;
    struct sl_timer *second;
    struct sl_signal *interrupt;
    struct sl_signal *terminate;
    struct sl_device_totals last; /* a second ago */
    int64_t last_ns;
};

/* Takes the command line. False: what is wrong is said. (sim_options.c) */
bool sim_parse(struct sim *sim, int argc, char **argv) SL_MUST_CHECK;
void sim_print_usage(FILE *out);

#endif
