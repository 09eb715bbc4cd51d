#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#error "libpq is missing, the client library of PostgreSQL: install it (Debian, Ubuntu: apt-get install libpq-dev pkg-config; macOS: brew install libpq)"
#endif
