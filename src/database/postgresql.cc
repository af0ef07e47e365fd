// PostgreSQL by libpq. A query is a cursor of a read-only transaction that sees one state, fetched by some
// megabytes; every wait has an end, also for a server that neither answers nor hangs up.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>

#include "database/connection.h"
#include "database/libpq.h"

namespace maeil::database {
namespace {

using Clock = std::chrono::steady_clock;

// The server ends a statement itself after the time-out, and says so; only one that is silent is waited for
// longer.
constexpr std::chrono::seconds kGrace{5};
constexpr size_t kFetchedBytes = 4 << 20, kFirstRows = 500, kMostRows = 20000;

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, Clear>;

// SQLSTATEs, by class or whole, after which the same may work: connections, resources, others' transactions,
// the server's end, its time-outs.
bool may_pass(std::string_view state) {
  constexpr std::string_view kPassing[] = {"08", "40", "53", "57P", "57014", "55P03", "55006", "58"};
  return std::ranges::any_of(kPassing, [&](auto one) { return state.starts_with(one); });
}

class Postgresql : public Connection {
 public:
  Postgresql(const Address& address, const Access& access) : address_(address), access_(access) {}
  ~Postgresql() override {
    answer_.reset();
    if (connection_) PQfinish(connection_);  // the server rolls back
  }

  Status connect() {
    std::vector<const char*> keywords, values;
    const std::pair<std::string, std::string> ours[] = {{"application_name", "maeil"},
                                                        {"client_encoding", "UTF8"},
                                                        {"keepalives", "1"},
                                                        {"keepalives_idle", "60"}};
    const auto add = [&](const auto& option) {
      keywords.push_back(option.first.c_str());
      values.push_back(option.second.c_str());
    };
    for (const auto& option : ours) add(option);
    for (const auto& option : address_.options) {
      if (option.first != "client_encoding") add(option);  // a later one of the same name counts
    }
    keywords.push_back(nullptr), values.push_back(nullptr);
    deadline_ = Clock::now() + std::chrono::seconds(access_.timeout);
    connection_ = PQconnectStartParams(keywords.data(), values.data(), 0);
    if (!connection_) return fail(ErrorCode::kUnavailable, "no memory for a connection");
    PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
    for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK; state = PQconnectPoll(connection_)) {
      if (state == PGRES_POLLING_FAILED || PQstatus(connection_) == CONNECTION_BAD) return not_connected();
      MAEIL_TRY(wait(state == PGRES_POLLING_WRITING ? POLLOUT : POLLIN));
    }
    return {};
  }

  std::string description() const override {
    const char* version = PQparameterStatus(connection_, "server_version");
    const std::string_view number = version ? version : "";
    return fmt::format("PostgreSQL {}, {}", number.substr(0, number.find(' ')), address_.shown);
  }

  Result<std::vector<std::string>> begin_query(const Query& query, std::optional<Days> date) override {
    query_ = &query_copy_, query_copy_ = query;
    MAEIL_ASSIGN(const Statement statement, make_statement(Kind::kPostgresql, query));
    MAEIL_ASSIGN(const std::string bound, date_to_bind(statement, query, date));
    MAEIL_TRY(begin("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"));
    prefix_ = "DECLARE maeil_rows NO SCROLL CURSOR FOR ";
    Row values;
    if (statement.dates > 0) values.emplace_back(bound);
    MAEIL_ASSIGN(const Answer declared, ask(prefix_ + statement.sql, values));
    prefix_.clear();
    MAEIL_ASSIGN(answer_, ask("FETCH FORWARD 1 FROM maeil_rows", {}));
    std::vector<std::string> names;
    for (int c = 0; c < PQnfields(answer_.get()); ++c) {
      names.emplace_back(PQfname(answer_.get(), c));
      types_.push_back(PQftype(answer_.get(), c));
    }
    auto first = std::move(answer_);
    MAEIL_TRY(look_at_types(names));
    answer_ = std::move(first);
    return names;
  }

  Result<bool> next(Row& row) override {
    if (at_ == PQntuples(answer_.get())) {
      if (at_ < asked_) return false;
      asked_ = static_cast<int>(std::clamp(bytes_ == 0 ? kFirstRows : kFetchedBytes * rows_ / bytes_,
                                           size_t{1}, rows_ < kFirstRows ? kFirstRows : kMostRows));
      answer_.reset();  // before the next ones come
      MAEIL_ASSIGN(answer_, ask(fmt::format("FETCH FORWARD {} FROM maeil_rows", asked_), {}));
      at_ = 0;
      if (PQntuples(answer_.get()) == 0) return false;
    }
    row.resize(types_.size());
    for (int c = 0; c < static_cast<int>(types_.size()); ++c) {
      auto& field = row[static_cast<size_t>(c)];
      if (PQgetisnull(answer_.get(), at_, c) == 1) {
        field.reset();
        continue;
      }
      const auto size = static_cast<size_t>(PQgetlength(answer_.get(), at_, c));
      field = {PQgetvalue(answer_.get(), at_, c), size};
      bytes_ += size;
      if (types_[static_cast<size_t>(c)] == kBoolean) field = *field == "t" ? "True" : "False";
    }
    ++at_, ++rows_;
    return true;
  }

  Status begin_writing(const std::string& lock) override {
    MAEIL_TRY(begin("BEGIN"));
    MAEIL_ASSIGN(const Answer locked, ask("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", {lock}));
    return {};
  }

  Result<uint64_t> execute(const std::string& sql, const Row& values) override {
    std::string numbered;
    bool in_name = false;
    int values_so_far = 0;
    for (const char c : sql) {
      in_name ^= c == '"';
      if (c == '?' && !in_name)
        numbered += fmt::format("${}", ++values_so_far);
      else
        numbered += c;
    }
    MAEIL_ASSIGN(const Answer done, ask(numbered, values));
    const std::string rows = PQcmdTuples(done.get());
    return rows.empty() ? 0 : std::stoull(rows);
  }

  Status commit() override {
    MAEIL_ASSIGN(const Answer done, ask("COMMIT", {}));
    return {};
  }

  size_t rows_of_insert() const override { return 500; }

 private:
  static constexpr Oid kBoolean = 16, kBytea = 17;

  // What of the server's or the role's habits would change a text, and so a result, is set for the
  // transaction alone: behind a pooler another one may be another session's.
  Status begin(const std::string& how) {
    MAEIL_ASSIGN(const Answer begun, ask(how, {}));
    const std::string milliseconds = std::to_string(access_.timeout * 1000);
    const Row settings = {"DateStyle",
                          "ISO, YMD",
                          "IntervalStyle",
                          "postgres",
                          "standard_conforming_strings",
                          "on",
                          "bytea_output",
                          "hex",
                          "TimeZone",
                          access_.time_zone,
                          "statement_timeout",
                          milliseconds,
                          "extra_float_digits",
                          PQserverVersion(connection_) < 90000 ? "2" : "3"};
    std::string sql = "SELECT ";
    for (size_t i = 1; i < settings.size(); i += 2)
      sql += fmt::format("{}set_config(${}, ${}, true)", i > 1 ? ", " : "", i, i + 1);
    MAEIL_ASSIGN(const Answer set, ask(sql, settings));
    return {};
  }

  tl::unexpected<Error> unavailable(const std::string& why) const {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", address_.shown, scrub(address_, why)));
  }

  // The server's words, of which only English ones are told apart; without them it may pass.
  tl::unexpected<Error> not_connected() const {
    const std::string why = scrub(address_, PQerrorMessage(connection_));
    const auto says = [&](const char* words) { return why.find(words) != std::string::npos; };
    const bool wrong = says("invalid connection option") || (says("invalid ") && says(" value:"));
    const bool refused = says("password authentication failed") || says("no password supplied") ||
                         says("\" does not exist") || says("no pg_hba.conf entry") ||
                         says("permission denied");
    return fail(wrong     ? ErrorCode::kUsage
                : refused ? ErrorCode::kBadInput
                          : ErrorCode::kUnavailable,
                fmt::format("{}: {}", address_.shown, why.empty() ? "no connection" : why));
  }

  Status wait(short events) {
    for (;;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
      if (left <= 0)
        return unavailable(fmt::format("no answer within {} s (DATABASE_TIMEOUT)", access_.timeout));
      pollfd waited{PQsocket(connection_), events, 0};
      const int ready = ::poll(&waited, 1, static_cast<int>(std::min<int64_t>(left, 60000)));
      if (ready > 0) return {};
      if (ready < 0 && errno != EINTR) return unavailable("the connection cannot be waited for");
    }
  }

  Result<Answer> ask(const std::string& sql, const Row& values) {
    std::vector<std::string> texts;
    for (const auto& value : values) texts.emplace_back(value.value_or(""));
    std::vector<const char*> parameters;
    for (size_t i = 0; i < values.size(); ++i) parameters.push_back(values[i] ? texts[i].c_str() : nullptr);
    deadline_ = Clock::now() + std::chrono::seconds(access_.timeout) + kGrace;
    // Always with parameters, also with none: so a second statement is an error.
    if (PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(parameters.size()), nullptr,
                          parameters.data(), nullptr, nullptr, 0) != 1)
      return unavailable(PQerrorMessage(connection_));
    Answer out;
    for (;;) {
      while (PQisBusy(connection_) == 1) {
        MAEIL_TRY(wait(POLLIN));
        if (PQconsumeInput(connection_) != 1) return unavailable(PQerrorMessage(connection_));
      }
      Answer answer(PQgetResult(connection_));
      if (!answer) break;
      const auto status = PQresultStatus(answer.get());
      if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        return refused(answer.get(), sql);
      out = std::move(answer);
    }
    if (!out) return unavailable(PQerrorMessage(connection_));
    return out;
  }

  // "day.sql:3: column "x" does not exist (PostgreSQL, 42703)"
  tl::unexpected<Error> refused(const PGresult* answer, const std::string& sql) const {
    const auto field = [&](int code) {
      const char* text = PQresultErrorField(answer, code);
      return std::string(text ? text : "");
    };
    const std::string state = field(PG_DIAG_SQLSTATE);
    std::string what = field(PG_DIAG_MESSAGE_PRIMARY);
    if (what.empty()) what = PQerrorMessage(connection_);
    if (state == "57014") what += fmt::format(" (DATABASE_TIMEOUT: {} s)", access_.timeout);
    if (state == "25006") what += ": a query only reads";
    if (const auto hint = field(PG_DIAG_MESSAGE_HINT); !hint.empty()) what += "; " + hint;
    std::string place = address_.shown;
    if (query_) place = query_->path;
    const bool of_query = !prefix_.empty() && sql.starts_with(prefix_);
    if (const auto position = field(PG_DIAG_STATEMENT_POSITION); of_query && !position.empty()) {
      // Counted in characters; a line end is one, however many bytes the others have.
      size_t left = std::stoul(position) - 1;
      int line = 1;
      for (const char c : sql) {
        if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;
        if (left-- == 0) break;
        line += c == '\n';
      }
      place += fmt::format(":{}", line);
    }
    if (PQstatus(connection_) == CONNECTION_BAD || state.empty() || may_pass(state))
      return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", place, scrub(address_, what)));
    return bad_input(fmt::format("{}: {} (PostgreSQL, {})", place, scrub(address_, what), state));
  }

  // Refuses what has no text that anyone would read as a value: bytes, arrays, records.
  Status look_at_types(const std::vector<std::string>& names) {
    std::set<Oid> asked;
    for (size_t c = 0; c < types_.size(); ++c) {
      if (!asked.insert(types_[c]).second) continue;
      const std::string oid = std::to_string(types_[c]);
      MAEIL_ASSIGN(const Answer answer, ask("SELECT format_type(oid, NULL), typcategory FROM "
                                            "pg_catalog.pg_type WHERE oid = CAST($1 AS oid)",
                                            {oid}));
      if (PQntuples(answer.get()) != 1) continue;
      const std::string_view category = PQgetvalue(answer.get(), 0, 1);
      if (types_[c] != kBytea && category != "A" && category != "C" && category != "P") continue;
      return bad_input(
          fmt::format("{}: the column '{}' is of type {}, which is no single value: leave it out, or take a "
                      "part or a text of it",
                      query_->path, names[c], PQgetvalue(answer.get(), 0, 0)));
    }
    return {};
  }

  const Address address_;
  const Access access_;
  PGconn* connection_ = nullptr;
  Clock::time_point deadline_;
  Query query_copy_;
  const Query* query_ = nullptr;
  std::string prefix_;  // before the query, while it is sent
  std::vector<Oid> types_;
  Answer answer_;
  int at_ = 0, asked_ = 1;  // the next row of the answer; how many it was to have
  size_t rows_ = 0, bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<Connection>> open_postgresql(const Address& address, const Access& access) {
  MAEIL_TRY(load_libpq());
  auto out = std::make_unique<Postgresql>(address, access);
  MAEIL_TRY(out->connect());
  return out;
}

}  // namespace maeil::database
