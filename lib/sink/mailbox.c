#include "sink/mailbox.h"

#include <pthread.h>
#include <stdlib.h>

struct letter {
    struct letter *next;
    sl_loop_fn fn;
    void *arg;
};

struct sl_mailbox {
    struct sl_loop *loop;
    pthread_mutex_t lock;
    struct letter *first; /* oldest first */
    struct letter **end;  /* where the next one goes */
    bool is_posted;       /* the loop has a wake-up for us */
    bool is_closed;
};

struct sl_mailbox *sl_mailbox_open(struct sl_loop *loop)
{
    struct sl_mailbox *mailbox = calloc(1, sizeof(*mailbox));

    if (!mailbox) {
        return NULL;
    }
    if (pthread_mutex_init(&mailbox->lock, NULL) != 0) {
        free(mailbox);
        return NULL;
    }
    mailbox->loop = loop;
    mailbox->end = &mailbox->first;
    return mailbox;
}

static struct letter *take_all(struct sl_mailbox *mailbox)
{
    struct letter *first = mailbox->first;

    mailbox->first = NULL;
    mailbox->end = &mailbox->first;
    return first;
}

static void mailbox_free(struct sl_mailbox *mailbox)
{
    struct letter *letter = take_all(mailbox);

    while (letter) {
        struct letter *next = letter->next;
        free(letter);
        letter = next;
    }
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

/* A letter may close the mailbox: then the rest is forgotten and the mailbox goes at the end. */
static void run_letters(struct sl_mailbox *mailbox, struct letter *letter)
{
    while (letter) {
        struct letter *next = letter->next;

        if (!mailbox->is_closed) {
            letter->fn(letter->arg);
        }
        free(letter);
        letter = next;
    }
}

static void on_wake(void *arg)
{
    struct sl_mailbox *mailbox = arg;

    pthread_mutex_lock(&mailbox->lock);
    struct letter *letters = take_all(mailbox);
    pthread_mutex_unlock(&mailbox->lock);
    run_letters(mailbox, letters);
    pthread_mutex_lock(&mailbox->lock);
    bool is_closed = mailbox->is_closed;
    bool has_more = !is_closed && mailbox->first;
    mailbox->is_posted = has_more;
    pthread_mutex_unlock(&mailbox->lock);
    if (is_closed) {
        mailbox_free(mailbox);
    } else if (has_more && !sl_loop_post(mailbox->loop, on_wake, mailbox)) {
        on_wake(mailbox); /* no memory for a later turn: then in this one */
    }
}

void sl_mailbox_close(struct sl_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    mailbox->is_closed = true;
    bool is_posted = mailbox->is_posted;
    pthread_mutex_unlock(&mailbox->lock);
    if (!is_posted) {
        mailbox_free(mailbox);
    }
}

bool sl_mailbox_post(struct sl_mailbox *mailbox, sl_loop_fn fn, void *arg)
{
    struct letter *letter = malloc(sizeof(*letter));

    if (!letter) {
        return false;
    }
    *letter = (struct letter){.fn = fn, .arg = arg};
    pthread_mutex_lock(&mailbox->lock);
    SL_ASSERT(!mailbox->is_closed);
    bool is_due = mailbox->is_posted || sl_loop_post(mailbox->loop, on_wake, mailbox);
    if (is_due) {
        mailbox->is_posted = true;
        *mailbox->end = letter;
        mailbox->end = &letter->next;
    }
    pthread_mutex_unlock(&mailbox->lock);
    if (!is_due) {
        free(letter);
    }
    return is_due;
}
