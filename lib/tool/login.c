#include "tool/login.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/base64.h"
#include "tool/internal.h"

enum { PASSWORD_BYTES = 512, LOGIN_FIELDS = 3 };

/* ---- the terminal ---- */

/* Whoever interrupts the question gets his terminal back as it was. */
static volatile sig_atomic_t interrupt;

static void on_interrupt(int number)
{
    interrupt = number;
}

/* A line, however long; what does not fit is cut off. Ends without one when a signal came, which is
 * blocked but for the moments in which `open` holds: none comes unseen before a read. */
static size_t read_line(int terminal, const sigset_t *open, char *line, size_t room)
{
    struct pollfd readable = {.fd = terminal, .events = POLLIN};
    size_t len = 0;

    while (len < room - 1 && ppoll(&readable, 1, NULL, open) == 1 &&
           read(terminal, line + len, 1) == 1 && line[len] != '\n') {
        len++;
    }
    line[len] = '\0';
    return len;
}

/* A line from the terminal, without showing it; what is written before the question is no answer.
 */
static bool read_hidden(int terminal, const char *username, char *line, size_t room)
{
    const struct sigaction action = {.sa_handler = on_interrupt};
    struct sigaction before;
    sigset_t blocked;
    sigset_t open;
    struct termios shown;
    struct termios hidden;

    if (tcgetattr(terminal, &shown) != 0) {
        return false;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, &open);
    sigaction(SIGINT, &action, &before);
    tcsetattr(terminal, TCSAFLUSH, &hidden);
    dprintf(terminal, "password of %s: ", username);
    size_t len = read_line(terminal, &open, line, room);

    tcsetattr(terminal, TCSADRAIN, &shown);
    dprintf(terminal, "\n");
    sigaction(SIGINT, &before, NULL);
    sigprocmask(SIG_SETMASK, &open, NULL);
    if (interrupt) {
        raise(SIGINT);
    }
    return len > 0;
}

/* NULL: there is no terminal, or nobody wrote anything. */
static char *ask_for_password(const char *username)
{
    char line[PASSWORD_BYTES];
    char *password = NULL;
    int terminal = isatty(STDIN_FILENO) ? open("/dev/tty", O_RDWR | O_CLOEXEC) : -1;

    if (terminal < 0) {
        return NULL;
    }
    if (read_hidden(terminal, username, line, sizeof(line))) {
        password = strdup(line);
    }
    explicit_bzero(line, sizeof(line));
    close(terminal);
    return password;
}

/* ---- what is sent ---- */

static const char *username_of(const struct sl_tool_target *target)
{
    const char *ours = target->run->options->username;
    const char *files = target->settings ? target->settings->options.username : NULL;

    return ours ? ours : files && *files ? files : NULL;
}

const char *sl_tool_password(const struct sl_tool_target *target)
{
    const char *ours = target->run->dial->password;
    const char *files = target->settings ? target->settings->options.password : NULL;

    return ours ? ours : files && *files ? files : NULL;
}

static void add_field(struct sl_tool_target *target, struct sl_str name, const char *value,
                      bool is_secret)
{
    target->metadata[target->metadata_count++] =
        (struct sl_grpc_field){name, sl_str_from(value), is_secret};
}

/* "Basic …" and what it is made of (RFC 7617), padded. */
static const char *basic(struct sl_tool_target *target, const char *username, const char *password)
{
    struct sl_buf plain = {0};

    sl_buf_printf(&plain, "%s:%s", username, password);
    sl_buf_add_c(&target->login, "Basic ");
    size_t start = target->login.len;
    sl_base64_encode(sl_buf_str(&plain), &target->login);
    while ((target->login.len - start) % 4) {
        sl_buf_add_byte(&target->login, '=');
    }
    if (plain.data) {
        explicit_bzero(plain.data, plain.len);
    }
    sl_buf_fini(&plain);
    return sl_buf_text(&target->login);
}

static void add_login(struct sl_tool_target *target)
{
    const struct sl_tool_options *options = target->run->options;
    const char *username = username_of(target);
    const char *password = sl_tool_password(target);

    if (options->token) {
        sl_buf_printf(&target->login, "Bearer %s", options->token);
        add_field(target, SL_STR("authorization"), sl_buf_text(&target->login), true);
    } else if (username && options->auth_scheme == SL_TOOL_AUTH_BASIC) {
        add_field(target, SL_STR("authorization"),
                  basic(target, username, password ? password : ""), true);
        return;
    }
    if (username) {
        add_field(target, SL_STR("username"), username, false);
    }
    if (username && password) {
        add_field(target, SL_STR("password"), password, true);
    }
}

static void add_metadata(struct sl_tool_target *target)
{
    const struct sl_tool_list *list = &target->run->options->metadata;

    for (size_t i = 0; i < list->count; i++) {
        size_t len = strcspn(list->items[i], "=");
        add_field(target, (struct sl_str){list->items[i], len}, list->items[i] + len + 1, true);
    }
}

static bool make_metadata(struct sl_tool_target *target)
{
    const struct sl_tool_options *options = target->run->options;
    size_t most = LOGIN_FIELDS + options->metadata.count;

    target->metadata = calloc(most, sizeof(*target->metadata));
    if (!target->metadata) {
        return sl_tool_complain(options, "out of memory");
    }
    add_login(target);
    add_metadata(target);
    struct sl_status why = sl_grpc_metadata_check(target->metadata, target->metadata_count);
    sl_status_hide(&why, sl_tool_password(target));
    return sl_status_is_ok(&why) || sl_tool_complain(options, "%s", why.text);
}

/* ---- public ---- */

static bool check(const struct sl_tool_options *options)
{
    const struct sl_tool_list *list = &options->metadata;

    if (list->count > SL_TOOL_MAX_METADATA) {
        return sl_tool_complain(options, "--metadata: more than %d", SL_TOOL_MAX_METADATA);
    }
    for (size_t i = 0; i < list->count; i++) {
        const char *equals = strchr(list->items[i], '=');
        if (!equals || equals == list->items[i]) {
            return sl_tool_complain(options, "--metadata: expected NAME=VALUE");
        }
    }
    return options->auth_scheme != SL_TOOL_AUTH_BASIC || !options->token ||
           sl_tool_complain(options, "--auth-scheme basic and --token: one of the two");
}

bool sl_tool_login(struct sl_tool_run *run)
{
    const struct sl_tool_options *options = run->options;
    struct sl_tool_dial *dial = run->dial;

    dial->password = options->password;
    if (options->username && !options->password && !options->token) {
        dial->password = dial->asked = ask_for_password(options->username);
    }
    if (!check(options)) {
        return false;
    }
    for (size_t i = 0; i < run->target_count; i++) {
        if (!make_metadata(&run->targets[i])) {
            return false;
        }
    }
    return true;
}
