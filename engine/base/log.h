/* log: messages for the user, on stderr. Data goes to stdout, without this module. */
#ifndef AN_BASE_LOG_H
#define AN_BASE_LOG_H

typedef enum { AN_DEBUG, AN_INFO, AN_WARN, AN_ERROR } an_level;

void an_log_level(an_level lowest); /* default AN_INFO; ANISO_DEBUG=1 gives AN_DEBUG */
void an_log(an_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
