// libpq, loaded when a PostgreSQL server is first spoken to (as libmongoc, store/mongo/driver.h): each name
// is a pointer in this namespace and hides the library's function of the same name.
#pragma once

#include <libpq-fe.h>

#include "base/error.h"
#include "base/shared_library.h"

namespace maeil::database {

// clang-format off
#define MAEIL_LIBPQ_FUNCTIONS(X) \
  X(PQclear) \
  X(PQcmdTuples) \
  X(PQconnectPoll) \
  X(PQconnectStartParams) \
  X(PQconsumeInput) \
  X(PQerrorMessage) \
  X(PQfinish) \
  X(PQfname) \
  X(PQftype) \
  X(PQgetResult) \
  X(PQgetisnull) \
  X(PQgetlength) \
  X(PQgetvalue) \
  X(PQisBusy) \
  X(PQnfields) \
  X(PQntuples) \
  X(PQparameterStatus) \
  X(PQresultErrorField) \
  X(PQresultStatus) \
  X(PQsendQueryParams) \
  X(PQserverVersion) \
  X(PQsetNoticeProcessor) \
  X(PQsocket) \
  X(PQstatus)
// clang-format on

MAEIL_LIBPQ_FUNCTIONS(MAEIL_LIBRARY_DECLARATION)

// kNotFound: it is not installed, with the package that has it. Thread safe.
Status load_libpq();

}  // namespace maeil::database
