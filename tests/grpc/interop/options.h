/* options.h - the words that start the programs of the suite: those that others' programs take too.
 */
#ifndef SLUICE_INTEROP_OPTIONS_H
#define SLUICE_INTEROP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct interop_options {
    uint16_t port; /* --port, --server_port */
    bool use_tls;
    const char *tls_cert_file;
    const char *tls_key_file;
    const char *ca_file;
    const char *server_host;
    const char *server_host_override;
    const char *test_case;
    uint32_t soak_iterations;
};

/* "--name value", "--name=value"; a bool is true where no "=false" follows. False after an error,
 * which is said. */
bool interop_options_parse(struct interop_options *options, int argc, char **argv);

#endif
