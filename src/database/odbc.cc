// Any database with an ODBC driver. Each value is asked for at its full length, in pieces, whatever length
// the column was declared with; text comes as UTF-16, so that no locale stands between.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "database/connection.h"
#include "database/libodbc.h"
#include "format/number_text.h"

namespace maeil::database {
namespace {

bool succeeded(SQLRETURN code) { return code == SQL_SUCCESS || code == SQL_SUCCESS_WITH_INFO; }

SQLPOINTER number(uint64_t value) { return reinterpret_cast<SQLPOINTER>(value); }

// A half of a pair that stands alone is U+FFFD.
void append_utf8(std::string& out, const char16_t* text, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    char32_t c = text[i];
    const bool pair =
        c >= 0xD800 && c < 0xDC00 && i + 1 < size && text[i + 1] >= 0xDC00 && text[i + 1] < 0xE000;
    if (pair)
      c = 0x10000 + ((c - 0xD800) << 10) + (text[++i] - 0xDC00);
    else if (c >= 0xD800 && c < 0xE000)
      c = 0xFFFD;
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xC0 | (c >> 6));
      out += static_cast<char>(0x80 | (c & 0x3F));
    } else {
      if (c < 0x10000) {
        out += static_cast<char>(0xE0 | (c >> 12));
      } else {
        out += static_cast<char>(0xF0 | (c >> 18));
        out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
      }
      out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
      out += static_cast<char>(0x80 | (c & 0x3F));
    }
  }
}

// Of UTF-8 that is whole, as all texts of ours are.
std::u16string to_utf16(std::string_view text) {
  std::u16string out;
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t c = size == 1 ? first : first & (0xFF >> (size + 1));
    for (size_t k = 1; k < size && i + k < text.size(); ++k)
      c = (c << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3F);
    if (c < 0x10000) {
      out += static_cast<char16_t>(c);
    } else {
      out += static_cast<char16_t>(0xD800 + ((c - 0x10000) >> 10));
      out += static_cast<char16_t>(0xDC00 + ((c - 0x10000) & 0x3FF));
    }
    i += size;
  }
  return out;
}

class Odbc : public Connection {
 public:
  Odbc(const Address& address, const Access& access)
      : address_(address), access_(access), place_(address.shown) {}
  ~Odbc() override {
    if (statement_) SQLFreeHandle(SQL_HANDLE_STMT, statement_);
    if (connected_) {
      SQLEndTran(SQL_HANDLE_DBC, connection_, SQL_ROLLBACK);
      SQLDisconnect(connection_);
    }
    if (connection_) SQLFreeHandle(SQL_HANDLE_DBC, connection_);
    if (environment_) SQLFreeHandle(SQL_HANDLE_ENV, environment_);
  }

  Status connect() {
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment_);
    SQLSetEnvAttr(environment_, SQL_ATTR_ODBC_VERSION, number(SQL_OV_ODBC3), 0);
    SQLAllocHandle(SQL_HANDLE_DBC, environment_, &connection_);
    if (!connection_) return fail(ErrorCode::kUnavailable, "no memory for a connection");
    const auto seconds = number(static_cast<uint64_t>(access_.timeout));
    SQLSetConnectAttr(connection_, SQL_ATTR_LOGIN_TIMEOUT, seconds, SQL_IS_UINTEGER);
    std::string text = address_.connection;
    const SQLRETURN code =
        SQLDriverConnect(connection_, nullptr, bytes_of(text), static_cast<SQLSMALLINT>(text.size()), nullptr,
                         0, nullptr, SQL_DRIVER_NOPROMPT);
    if (!succeeded(code)) return error(SQL_HANDLE_DBC, connection_, address_.shown, true);
    connected_ = true;
    // Before the driver has one, an error only says that it has none: not every driver has all of these.
    SQLSetConnectAttr(connection_, SQL_ATTR_CONNECTION_TIMEOUT, seconds, SQL_IS_UINTEGER);
    if (!succeeded(
            SQLSetConnectAttr(connection_, SQL_ATTR_AUTOCOMMIT, number(SQL_AUTOCOMMIT_OFF), SQL_IS_UINTEGER)))
      return error(SQL_HANDLE_DBC, connection_, address_.shown);
    SQLAllocHandle(SQL_HANDLE_STMT, connection_, &statement_);
    SQLSetStmtAttr(statement_, SQL_ATTR_QUERY_TIMEOUT, seconds, 0);
    return {};
  }

  std::string description() const override {
    const auto info = [&](SQLUSMALLINT what) {
      std::array<char, 256> text{};
      SQLSMALLINT size = 0;
      SQLGetInfo(connection_, what, text.data(), text.size(), &size);
      return std::string(text.data());
    };
    return fmt::format("{} {} through ODBC, {}", info(SQL_DBMS_NAME), info(SQL_DBMS_VER), address_.shown);
  }

  Result<std::vector<std::string>> begin_query(const Query& query, std::optional<Days> date) override {
    place_ = query.path;
    MAEIL_ASSIGN(const Statement statement, make_statement(Kind::kOdbc, query));
    MAEIL_ASSIGN(bound_, date_to_bind(statement, query, date));
    // A hint to the driver, which few heed; nothing is committed in any case.
    SQLSetConnectAttr(connection_, SQL_ATTR_ACCESS_MODE, number(SQL_MODE_READ_ONLY), SQL_IS_UINTEGER);
    MAEIL_TRY(prepare(statement.sql));
    begin_binding(static_cast<size_t>(statement.dates));
    for (size_t i = 0; i < lengths_.size(); ++i) MAEIL_TRY(bind(i, bound_));
    const SQLRETURN code = SQLExecute(statement_);
    if (!succeeded(code) && code != SQL_NO_DATA) return error(SQL_HANDLE_STMT, statement_, place_);
    SQLSMALLINT columns = 0;
    if (!succeeded(SQLNumResultCols(statement_, &columns))) return error(SQL_HANDLE_STMT, statement_, place_);
    if (columns == 0) return bad_input(fmt::format("{}: a query only reads, and gives rows", place_));
    for (SQLSMALLINT c = 1; c <= columns; ++c) MAEIL_TRY(add_column(static_cast<SQLUSMALLINT>(c)));
    texts_.resize(names_.size());
    return names_;
  }

  Result<bool> next(Row& row) override {
    const SQLRETURN code = SQLFetch(statement_);
    if (code == SQL_NO_DATA) return false;
    if (!succeeded(code)) return error(SQL_HANDLE_STMT, statement_, place_);
    row.resize(names_.size());
    for (size_t c = 0; c < names_.size(); ++c) {
      MAEIL_ASSIGN(const bool is_value, take(c));
      if (is_value)
        row[c] = texts_[c];
      else
        row[c].reset();
    }
    return true;
  }

  Status begin_writing(const std::string&) override { return {}; }

  Result<uint64_t> execute(const std::string& sql, const Row& values) override {
    if (sql != prepared_) {
      MAEIL_TRY(prepare(sql));
      prepared_ = sql;
    }
    begin_binding(values.size());
    for (size_t i = 0; i < values.size(); ++i) MAEIL_TRY(bind(i, values[i]));
    const SQLRETURN code = SQLExecute(statement_);
    if (!succeeded(code) && code != SQL_NO_DATA) return error(SQL_HANDLE_STMT, statement_, place_);
    SQLLEN rows = 0;
    SQLRowCount(statement_, &rows);
    SQLFreeStmt(statement_, SQL_CLOSE);
    return rows < 0 ? 0 : static_cast<uint64_t>(rows);
  }

  Status commit() override {
    if (succeeded(SQLEndTran(SQL_HANDLE_DBC, connection_, SQL_COMMIT))) return {};
    return error(SQL_HANDLE_DBC, connection_, place_);
  }

  std::string quoted(const std::string& name) const override {
    std::array<char, 16> text{};
    SQLSMALLINT size = 0;
    SQLGetInfo(connection_, SQL_IDENTIFIER_QUOTE_CHAR, text.data(), text.size(), &size);
    const std::string quote = text.data();
    if (quote.empty() || quote == " " || quote == "\"") return Connection::quoted(name);
    std::string out = quote;
    for (const char c : name) out += std::string(quote == std::string(1, c) ? 2 : 1, c);
    return out + quote;
  }
  size_t rows_of_insert() const override { return 1; }  // the one form that all databases have

 private:
  enum class As { kText, kWideText, kDouble, kSingle, kBit };

  static SQLCHAR* bytes_of(std::string& text) { return reinterpret_cast<SQLCHAR*>(text.data()); }

  Status prepare(std::string sql) {
    SQLFreeStmt(statement_, SQL_CLOSE);
    SQLFreeStmt(statement_, SQL_RESET_PARAMS);
    if (succeeded(SQLPrepare(statement_, bytes_of(sql), static_cast<SQLINTEGER>(sql.size())))) return {};
    return error(SQL_HANDLE_STMT, statement_, place_);
  }

  // Room for so many parameters, which stays where it is while they are bound.
  void begin_binding(size_t parameters) {
    lengths_.assign(parameters, 0);
    wides_.assign(parameters, {});
  }

  // The text must stay until the statement is executed. Letters beyond ASCII go as UTF-16, as they come.
  Status bind(size_t index, std::optional<std::string_view> value) {
    SQLLEN& length = lengths_[index];
    const void* data = value ? value->data() : "";
    length = value ? static_cast<SQLLEN>(value->size()) : SQL_NULL_DATA;
    const bool wide =
        value && std::ranges::any_of(*value, [](char c) { return static_cast<signed char>(c) < 0; });
    size_t letters = value ? value->size() : 0;
    if (wide) {
      wides_[index] = to_utf16(*value);
      letters = wides_[index].size();
      length = static_cast<SQLLEN>(2 * letters);
      data = wides_[index].data();
    }
    if (succeeded(SQLBindParameter(statement_, static_cast<SQLUSMALLINT>(index + 1), SQL_PARAM_INPUT,
                                   wide ? SQL_C_WCHAR : SQL_C_CHAR, wide ? SQL_WVARCHAR : SQL_VARCHAR,
                                   std::max<size_t>(letters, 1), 0, const_cast<void*>(data), length,
                                   &length)))
      return {};
    return error(SQL_HANDLE_STMT, statement_, place_);
  }

  Status add_column(SQLUSMALLINT c) {
    std::array<SQLCHAR, 1024> name{};
    SQLSMALLINT size = 0, type = 0, digits = 0, nullable = 0;
    SQLULEN width = 0;
    if (!succeeded(SQLDescribeCol(statement_, c, name.data(), name.size(), &size, &type, &width, &digits,
                                  &nullable)))
      return error(SQL_HANDLE_STMT, statement_, place_);
    names_.emplace_back(reinterpret_cast<const char*>(name.data()));
    As as = As::kWideText;
    switch (type) {
      case SQL_BINARY:
      case SQL_VARBINARY:
      case SQL_LONGVARBINARY:
        return bad_input(
            fmt::format("{}: the column '{}' holds bytes, which are no value: leave it out, or take a part "
                        "or a text of it",
                        place_, names_.back()));
      case SQL_FLOAT:
      case SQL_DOUBLE:
        as = As::kDouble;
        break;
      case SQL_REAL:
        as = As::kSingle;
        break;
      case SQL_BIT:
        as = As::kBit;
        break;
      case SQL_TINYINT:
      case SQL_SMALLINT:
      case SQL_INTEGER:
      case SQL_BIGINT:
      case SQL_NUMERIC:
      case SQL_DECIMAL:
      case SQL_TYPE_DATE:
      case SQL_TYPE_TIME:
      case SQL_TYPE_TIMESTAMP:
        as = As::kText;
        break;
      default:
        break;
    }
    as_.push_back(as);
    return {};
  }

  // False: NULL.
  Result<bool> take(size_t c) {
    std::string& text = texts_[c];
    text.clear();
    if (as_[c] == As::kDouble || as_[c] == As::kSingle) return take_double(c);
    const bool wide = as_[c] == As::kWideText;
    wide_.clear();
    for (;;) {
      SQLLEN length = 0;
      const SQLRETURN code =
          SQLGetData(statement_, static_cast<SQLUSMALLINT>(c + 1), wide ? SQL_C_WCHAR : SQL_C_CHAR,
                     buffer_.data(), buffer_.size(), &length);
      if (code == SQL_NO_DATA) break;
      if (!succeeded(code)) return error(SQL_HANDLE_STMT, statement_, place_);
      if (length == SQL_NULL_DATA) return false;
      const size_t end = wide ? 2 : 1, room = buffer_.size() - end;
      const bool whole = length != SQL_NO_TOTAL && static_cast<size_t>(length) <= room;
      const size_t got = whole ? static_cast<size_t>(length) : room;
      if (wide) {
        const size_t before = wide_.size();
        wide_.resize(before + got / 2);
        std::memcpy(wide_.data() + before, buffer_.data(), got / 2 * 2);
      } else {
        text.append(buffer_.data(), got);
      }
      if (whole) break;
    }
    if (wide) append_utf8(text, wide_.data(), wide_.size());
    if (as_[c] == As::kBit) text = text == "1" ? "True" : "False";
    return true;
  }

  Result<bool> take_double(size_t c) {
    double value = 0;
    SQLLEN length = 0;
    if (!succeeded(SQLGetData(statement_, static_cast<SQLUSMALLINT>(c + 1), SQL_C_DOUBLE, &value,
                              sizeof value, &length)))
      return error(SQL_HANDLE_STMT, statement_, place_);
    if (length == SQL_NULL_DATA) return false;
    std::string& text = texts_[c];
    const auto single = static_cast<float>(value);
    if (!std::isfinite(value))
      text = std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    else if (as_[c] == As::kSingle && static_cast<double>(single) == value)
      text = fmt::format("{}", single);
    else
      format::append_float(text, value);
    return true;
  }

  tl::unexpected<Error> error(SQLSMALLINT kind, SQLHANDLE handle, const std::string& place,
                              bool connecting = false) const {
    std::array<SQLCHAR, 6> state{};
    std::array<SQLCHAR, 1024> text{};
    SQLINTEGER native = 0;
    SQLSMALLINT size = 0;
    const bool told =
        succeeded(SQLGetDiagRec(kind, handle, 1, state.data(), &native, text.data(), text.size(), &size));
    const std::string code(reinterpret_cast<const char*>(state.data()));
    const std::string what =
        told ? scrub(address_, reinterpret_cast<const char*>(text.data())) : "no reason is given";
    // IM: of the driver manager, which has no such driver (01: or cannot load it); 28: a login; HYT: a
    // time-out.
    const bool wrong = code.starts_with("IM") || (connecting && code == "01000");
    const bool passes = code.starts_with("08") || code.starts_with("40") || code.starts_with("HYT") ||
                        code.starts_with("57") || code.starts_with("53") ||
                        (connecting && !code.starts_with("28"));
    return fail(wrong    ? ErrorCode::kUsage
                : passes ? ErrorCode::kUnavailable
                         : ErrorCode::kBadInput,
                fmt::format("{}: {} (ODBC, {})", place, what, code));
  }

  const Address address_;
  const Access access_;
  SQLHANDLE environment_ = nullptr, connection_ = nullptr, statement_ = nullptr;
  bool connected_ = false;
  std::string place_, bound_, prepared_;
  std::vector<SQLLEN> lengths_;
  std::vector<std::u16string> wides_;
  std::vector<std::string> names_, texts_;
  std::vector<As> as_;
  std::u16string wide_;
  alignas(8) std::array<char, 8192> buffer_;
};

}  // namespace

Result<std::unique_ptr<Connection>> open_odbc(const Address& address, const Access& access) {
  MAEIL_TRY(load_odbc());
  auto out = std::make_unique<Odbc>(address, access);
  MAEIL_TRY(out->connect());
  return out;
}

}  // namespace maeil::database
