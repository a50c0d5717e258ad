#include "world/trial.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "world/run.h"

enum { HANG_S = 40 }; /* of processor time: a trial takes a hundredth of a second */

void *trial_shared(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    SL_ASSERT(memory != MAP_FAILED);
    return memory;
}

static void child(const struct trial *trial, struct cover *cover, struct trial_outcome *outcome)
{
    static struct run run;
    static struct plan plan;
    static struct cover own;

    if (trial->is_quiet) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDERR_FILENO);
    }
    sl_log_set(trial->has_log ? SL_LOG_DEBUG : SL_LOG_ERROR, SL_LOG_LOGFMT);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const struct rlimit limit = {HANG_S, HANG_S + 1};

    setrlimit(RLIMIT_CPU, &limit);
    plan_draw(&plan, trial->seed, trial->events);
    if (!plan_drop(&plan, trial->drop)) {
        snprintf(outcome->text, sizeof(outcome->text), "no such part: %s", trial->drop);
        _exit(1);
    }
    bool is_good = run_plan(&run, &plan, &own);

    outcome->has_failed = !is_good;
    outcome->events = run.events;
    outcome->trace = run.trace;
    outcome->kind = run.kind;
    snprintf(outcome->text, sizeof(outcome->text), "%s", run.failure);
    if (cover) {
        cover_add(cover, &own);
    }
    if (is_good) {
        exit(0); /* so that leaks are looked for where the build does that */
    }
    if (trial->has_log) {
        world_print_recent(stderr);
    }
    _exit(0);
}

void trial_run(const struct trial *trial, struct cover *cover, struct trial_outcome *outcome)
{
    struct trial_outcome *shared = trial_shared(sizeof(*shared));
    int status = 0;

    fflush(stdout);
    shared->has_failed = true;
    pid_t pid = fork();
    if (pid == 0) {
        child(trial, cover, shared);
    }
    SL_ASSERT(pid > 0);
    waitpid(pid, &status, 0);
    *outcome = *shared;
    munmap(shared, sizeof(*shared));
    if (WIFSIGNALED(status)) {
        outcome->has_failed = true;
        snprintf(outcome->text, sizeof(outcome->text), "%s",
                 WTERMSIG(status) == SIGXCPU ? "it hangs" : strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0) {
        outcome->has_failed = true;
        if (!outcome->text[0]) {
            snprintf(outcome->text, sizeof(outcome->text), "it ends with %d", WEXITSTATUS(status));
        }
    }
}
