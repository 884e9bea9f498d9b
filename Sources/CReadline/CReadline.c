#include "CReadline.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

// Set by Ctrl-C while a line is read; everything that waits for a key then gives up until the read has ended.
static volatile sig_atomic_t interrupted = 0;

static void note_interrupt(int signal_number) {
    (void)signal_number;
    interrupted = 1;
}

// Readline's own key reader goes back to waiting after SIGINT unless an event hook polls ten times a second.
// This one waits in pselect, which lets the signals in only while it waits, so that none is lost between the check
// and the wait. On EOF readline leaves whatever it was doing: a search, a listing, a line.
static int next_key(FILE *stream) {
    const int descriptor = fileno(stream);
    sigset_t blocked, original;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGWINCH);
    sigaddset(&blocked, SIGTSTP);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGHUP);
    sigaddset(&blocked, SIGQUIT);
    for (;;) {
        pthread_sigmask(SIG_BLOCK, &blocked, &original);
        bool pending = rl_pending_signal() != 0;
        int ready = 0;
        if (!pending && !interrupted) {
            fd_set descriptors;
            FD_ZERO(&descriptors);
            FD_SET(descriptor, &descriptors);
            // Another thread may take the signal, which doesn't wake this one: look again every second.
            struct timespec limit = {1, 0};
            sigset_t waiting = original;
            sigdelset(&waiting, SIGINT);
            sigdelset(&waiting, SIGWINCH);
            ready = pselect(descriptor + 1, &descriptors, NULL, NULL, &limit, &waiting);
        }
        int error = errno;
        pthread_sigmask(SIG_SETMASK, &original, NULL);
        // Readline's handlers only noted the signal: this restores the terminal for it and passes it on.
        const bool stops = rl_pending_signal() == SIGTSTP;
        rl_check_signals();
        if (stops) {
            // Back in the foreground, below what the other shell wrote: readline doesn't draw the line again.
            rl_on_new_line();
            rl_forced_update_display();
        }
        if (interrupted) return EOF;
        if (ready < 0 && error != EINTR) return EOF;
        if (ready <= 0) continue;
        unsigned char byte;
        ssize_t count = read(descriptor, &byte, 1);
        if (count == 1) return byte;
        if (count == 0 || errno != EINTR) return EOF;
    }
}

// Completion. Readline splits words by its own rules; here a "word" is the whole line before the cursor, and the
// completer says which part of it is replaced, so the shell's grammar decides alone.

static nacre_completer completer = NULL;
static void *completer_context = NULL;

static struct {
    size_t replace_start;
    char *common;
    char append;
    size_t count, capacity;
    char **texts;
    char **shown;
    int widest;
} completion;

static void forget_completion(void) {
    for (size_t i = 0; i < completion.count; i++) {
        free(completion.texts[i]);
        free(completion.shown[i]);
    }
    free(completion.common);
    completion.common = NULL;
    completion.count = 0;
}

void nacre_completion_begin(size_t replace_start, const char *common, char append) {
    forget_completion();
    completion.replace_start = replace_start;
    completion.common = strdup(common);
    completion.append = append;
    completion.widest = 0;
}

void nacre_completion_add(const char *text, const char *shown, int width) {
    if (completion.count == completion.capacity) {
        size_t capacity = completion.capacity ? 2 * completion.capacity : 64;
        char **texts = realloc(completion.texts, capacity * sizeof *texts);
        if (texts) completion.texts = texts;
        char **all_shown = realloc(completion.shown, capacity * sizeof *all_shown);
        if (all_shown) completion.shown = all_shown;
        if (!texts || !all_shown) return;
        completion.capacity = capacity;
    }
    char *text_copy = strdup(text), *shown_copy = strdup(shown);
    if (!text_copy || !shown_copy) {
        free(text_copy);
        free(shown_copy);
        return;
    }
    completion.texts[completion.count] = text_copy;
    completion.shown[completion.count] = shown_copy;
    completion.count++;
    if (width > completion.widest) completion.widest = width;
}

static char *whole_line(const char *line, const char *replacement) {
    size_t length = strlen(replacement);
    char *whole = malloc(completion.replace_start + length + 1);
    if (!whole) return NULL;
    memcpy(whole, line, completion.replace_start);
    memcpy(whole + completion.replace_start, replacement, length + 1);
    return whole;
}

static char *no_word_breaks(void) {
    static char none[] = "";
    return none;
}

static char **complete(const char *text, int start, int end) {
    (void)start;
    (void)end;
    rl_attempted_completion_over = 1;
    rl_filename_completion_desired = 0;
    rl_completion_suppress_append = 1;
    forget_completion();
    if (!completer) return NULL;
    // The word begins at 0, so the cursor stands at its end; the callback sees what comes after it too.
    completer(rl_line_buffer, strlen(text), completer_context);
    size_t count = completion.count;
    if (count == 0 || !completion.common || completion.replace_start > strlen(text)) return NULL;
    // Readline owns this array: [0] is what to insert, the rest the candidates if there are several.
    char **matches = calloc(count + 2, sizeof *matches);
    if (!matches) return NULL;
    matches[0] = whole_line(text, count == 1 ? completion.texts[0] : completion.common);
    for (size_t i = 0; count > 1 && i < count; i++) {
        matches[i + 1] = whole_line(text, completion.texts[i]);
        if (!matches[i + 1]) matches[i + 1] = strdup(text);
    }
    if (!matches[0]) {
        free(matches);
        return NULL;
    }
    if (completion.append) {
        rl_completion_suppress_append = 0;
        rl_completion_append_character = completion.append;
    }
    return matches;
}

// Lists what the completer wants shown instead of the whole lines that are the matches.
static void list_candidates(char **matches, int count, int longest) {
    (void)matches;
    (void)count;
    (void)longest;
    if (completion.count == 0) return;
    static char **shown = NULL;
    free(shown);
    shown = calloc(completion.count + 2, sizeof *shown);
    if (!shown) return;
    // Readline reads the entries from 1 on.
    shown[0] = completion.common;
    memcpy(shown + 1, completion.shown, completion.count * sizeof *shown);
    rl_display_match_list(shown, (int)completion.count, completion.widest);
    rl_forced_update_display();
}

void nacre_readline_complete_with(nacre_completer function, void *context) {
    completer = function;
    completer_context = context;
}

void nacre_readline_start(const char *application) {
    // nacre's text is UTF-8: where no locale is set, as in many containers, choose one that can show it.
    setlocale(LC_CTYPE, "");
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    bool chosen = false;
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        chosen = chosen || (value && *value);
    }
    if (!chosen && strcmp(nl_langinfo(CODESET), "UTF-8") != 0) setlocale(LC_CTYPE, "C.UTF-8");
    rl_readline_name = application;
    rl_getc_function = next_key;
    rl_catch_signals = 1;
    rl_catch_sigwinch = 1;
    rl_change_environment = 0;
    rl_completer_quote_characters = NULL;
    rl_completion_word_break_hook = no_word_breaks;
    rl_attempted_completion_function = complete;
    rl_completion_display_matches_hook = list_candidates;
    rl_sort_completion_matches = 0;
    rl_ignore_completion_duplicates = 0;
    using_history();
    rl_initialize();
}

nacre_read_result nacre_readline_read(const char *prompt, char **line) {
    *line = NULL;
    // Readline's handler restores the terminal and then passes the signal on to this one.
    struct sigaction action, previous;
    memset(&action, 0, sizeof action);
    action.sa_handler = note_interrupt;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &previous);
    interrupted = 0;
    // The window may have changed while a command ran, when readline didn't watch.
    rl_reset_screen_size();
    char *read = readline(prompt);
    sigaction(SIGINT, &previous, NULL);
    // On an empty line only the end of a bracketed paste brings a line break, which a dumb terminal has not.
    const char *pastes = rl_variable_value("enable-bracketed-paste");
    if (!read && !(pastes && strcmp(pastes, "on") == 0)) {
        fputc('\n', rl_outstream ? rl_outstream : stdout);
        fflush(rl_outstream ? rl_outstream : stdout);
    }
    if (interrupted) {
        free(read);
        return NACRE_INTERRUPTED;
    }
    if (!read) return NACRE_END_OF_INPUT;
    *line = read;
    return NACRE_LINE;
}

void nacre_line_free(char *line) { free(line); }

void nacre_history_limit(int entries) { stifle_history(entries); }

void nacre_history_add(const char *line) { add_history(line); }

const char *nacre_history_entry(int index) {
    HIST_ENTRY *entry = history_get(history_base + index);
    return entry ? entry->line : NULL;
}
