#pragma once

#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#elif __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#error "libpq is missing, the client library of PostgreSQL: install it (Debian, Ubuntu: apt-get install libpq-dev; macOS: brew install libpq)"
#endif

/// Loads libpq, once, and tells why it can't be loaded; NULL once it is there. Before that no other function of libpq may
/// be called.
const char *_Nullable libpq_problem(void);
