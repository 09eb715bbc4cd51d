// The functions of libpq that are used, each handed on to the library itself, which is loaded with the first connection.
//
// libpq brings some twenty libraries along (TLS, Kerberos, LDAP). Whoever has no PostgreSQL needn't have them on the
// machine, nor pay for them: 5 MB of memory and some milliseconds at each start of the program.

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

// Hidden, or libpq's own calls would find these functions instead of its own.
#pragma GCC visibility push(hidden)
#include "CLibPQ.h"
#pragma GCC visibility pop

#ifdef __APPLE__
#define LIBRARY "libpq.5.dylib"
#else
#define LIBRARY "libpq.so.5"
#endif

// Result, name, parameters, arguments.
#define FUNCTIONS(X) \
  X(PGconn *, PQconnectStartParams, (const char *const *keywords, const char *const *values, int expand), \
    (keywords, values, expand)) \
  X(PostgresPollingStatusType, PQconnectPoll, (PGconn * connection), (connection)) \
  X(ConnStatusType, PQstatus, (const PGconn *connection), (connection)) \
  X(PGTransactionStatusType, PQtransactionStatus, (const PGconn *connection), (connection)) \
  X(char *, PQerrorMessage, (const PGconn *connection), (connection)) \
  X(char *, PQuser, (const PGconn *connection), (connection)) \
  X(int, PQsocket, (const PGconn *connection), (connection)) \
  X(int, PQconsumeInput, (PGconn * connection), (connection)) \
  X(int, PQflush, (PGconn * connection), (connection)) \
  X(int, PQisBusy, (PGconn * connection), (connection)) \
  X(PGresult *, PQgetResult, (PGconn * connection), (connection)) \
  X(int, PQsetSingleRowMode, (PGconn * connection), (connection)) \
  X(PGVerbosity, PQsetErrorVerbosity, (PGconn * connection, PGVerbosity verbosity), (connection, verbosity)) \
  X(PQnoticeProcessor, PQsetNoticeProcessor, (PGconn * connection, PQnoticeProcessor processor, void *value), \
    (connection, processor, value)) \
  X(int, PQsendQuery, (PGconn * connection, const char *query), (connection, query)) \
  X(int, PQsendQueryParams, \
    (PGconn * connection, const char *command, int count, const Oid *types, const char *const *values, \
     const int *lengths, const int *formats, int format), \
    (connection, command, count, types, values, lengths, formats, format)) \
  X(int, PQsendPrepare, \
    (PGconn * connection, const char *name, const char *query, int count, const Oid *types), \
    (connection, name, query, count, types)) \
  X(int, PQsendQueryPrepared, \
    (PGconn * connection, const char *name, int count, const char *const *values, const int *lengths, \
     const int *formats, int format), \
    (connection, name, count, values, lengths, formats, format)) \
  X(PGcancel *, PQgetCancel, (PGconn * connection), (connection)) \
  X(int, PQcancel, (PGcancel * cancel, char *message, int size), (cancel, message, size)) \
  X(ExecStatusType, PQresultStatus, (const PGresult *result), (result)) \
  X(char *, PQresultErrorField, (const PGresult *result, int field), (result, field)) \
  X(char *, PQcmdStatus, (PGresult * result), (result)) \
  X(char *, PQcmdTuples, (PGresult * result), (result)) \
  X(int, PQntuples, (const PGresult *result), (result)) \
  X(int, PQnfields, (const PGresult *result), (result)) \
  X(Oid, PQftype, (const PGresult *result, int column), (result, column)) \
  X(char *, PQgetvalue, (const PGresult *result, int row, int column), (result, row, column)) \
  X(int, PQgetisnull, (const PGresult *result, int row, int column), (result, row, column))

// Those without a result.
#define PROCEDURES(X) \
  X(PQfinish, (PGconn * connection), (connection)) \
  X(PQclear, (PGresult * result), (result)) \
  X(PQfreeCancel, (PGcancel * cancel), (cancel))

#define FUNCTION_POINTER(result, name, parameters, arguments) result(*name) parameters;
#define PROCEDURE_POINTER(name, parameters, arguments) void(*name) parameters;
static struct {
  FUNCTIONS(FUNCTION_POINTER)
  PROCEDURES(PROCEDURE_POINTER)
} library;

static const char *problem;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/// Keeps what the loader says: its own text is gone with the next call.
static void note_problem(void) {
  const char *said = dlerror();
  const char *copy = strdup(said ? said : LIBRARY);
  problem = copy ? copy : LIBRARY;
}

static void *found(void *handle, const char *name) {
  void *function = dlsym(handle, name);
  if (!function && !problem) note_problem();
  return function;
}

static void load(void) {
  // Never closed: it stays for as long as the program runs.
  void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    note_problem();
    return;
  }
#define LOAD_FUNCTION(result, name, parameters, arguments) library.name = (result(*) parameters)found(handle, #name);
#define LOAD_PROCEDURE(name, parameters, arguments) library.name = (void(*) parameters)found(handle, #name);
  FUNCTIONS(LOAD_FUNCTION)
  PROCEDURES(LOAD_PROCEDURE)
}

const char *libpq_problem(void) {
  pthread_once(&once, load);
  return problem;
}

#define DEFINE_FUNCTION(result, name, parameters, arguments) \
  result name parameters { return library.name arguments; }
#define DEFINE_PROCEDURE(name, parameters, arguments) \
  void name parameters { library.name arguments; }
FUNCTIONS(DEFINE_FUNCTION)
PROCEDURES(DEFINE_PROCEDURE)
