// unixODBC's driver manager, loaded when a database is first reached through it (as libmongoc,
// store/mongo/driver.h): each name is a pointer in this namespace and hides the library's function.
#pragma once

#include <sql.h>
#include <sqlext.h>

#include "base/error.h"
#include "base/shared_library.h"

namespace maeil::database {

// clang-format off
#define MAEIL_ODBC_FUNCTIONS(X) \
  X(SQLAllocHandle) \
  X(SQLBindParameter) \
  X(SQLDescribeCol) \
  X(SQLDisconnect) \
  X(SQLDriverConnect) \
  X(SQLEndTran) \
  X(SQLExecute) \
  X(SQLFetch) \
  X(SQLFreeHandle) \
  X(SQLFreeStmt) \
  X(SQLGetData) \
  X(SQLGetDiagRec) \
  X(SQLGetInfo) \
  X(SQLNumParams) \
  X(SQLNumResultCols) \
  X(SQLPrepare) \
  X(SQLRowCount) \
  X(SQLSetConnectAttr) \
  X(SQLSetEnvAttr) \
  X(SQLSetStmtAttr)
// clang-format on

MAEIL_ODBC_FUNCTIONS(MAEIL_LIBRARY_DECLARATION)

// kNotFound: it is not installed, with the package that has it. Thread safe.
Status load_odbc();

}  // namespace maeil::database
