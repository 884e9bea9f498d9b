#pragma once
#include <stddef.h>

// GNU readline behind a few calls. All of readline's globals stay in CReadline.c, where Swift's checks on shared
// mutable state don't reach; readline.h is not included here, so its names don't leak into Swift.
// One thread at a time may call these.

/// Answers with nacre_completion_begin and nacre_completion_add, or not at all.
typedef void (*nacre_completer)(const char *line, size_t cursor, void *context);

typedef enum {
    NACRE_LINE,
    NACRE_END_OF_INPUT,
    NACRE_INTERRUPTED
} nacre_read_result;

/// Once, before the others. `application` is the name that conditionals in inputrc test, and must stay valid.
void nacre_readline_start(const char *application);
/// Who answers TAB from now on; NULL for nobody.
void nacre_readline_complete_with(nacre_completer completer, void *context);

/// Reads a line with editing. On NACRE_LINE, `*line` is to be freed with nacre_line_free.
/// While it waits, Ctrl-C ends it with NACRE_INTERRUPTED; the process's own SIGINT action is put back on return.
nacre_read_result nacre_readline_read(const char *prompt, char **line);
void nacre_line_free(char *line);

void nacre_history_limit(int entries);
void nacre_history_add(const char *line);
/// The entry at `index`, 0 the oldest, or NULL. Valid until the history changes.
const char *nacre_history_entry(int index);

/// Bytes from `replace_start` up to the cursor are replaced; `common` is what several candidates share.
/// `append` is put after a lone candidate, 0 for nothing.
void nacre_completion_begin(size_t replace_start, const char *common, char append);
/// `text` goes into the line, `shown`, `width` columns wide, into the listing.
void nacre_completion_add(const char *text, const char *shown, int width);
