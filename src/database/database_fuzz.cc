// DATABASE_URL and the text of a query, whatever they are: no part of a password in a refusal, and a
// statement whose parameters are those that are counted.
#include "database/address.h"
#include "database/query_text.h"

namespace {

using namespace maeil::database;

void check(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto address = parse_address(text)) {
    for (const auto& secret : address->secrets) {
      // What is no more than a sign that separates, or stands elsewhere too, says nothing.
      if (secret.size() > 7) check(scrub(*address, "driver: " + secret).find(secret) == std::string::npos);
    }
    scrub(*address, text);
  }
  for (const auto kind : {Kind::kPostgresql, Kind::kSqlite, Kind::kOdbc}) {
    const auto statement = make_statement(kind, {"day.sql", text});
    if (!statement) continue;
    check(!statement->sql.empty());
    check(statement->sql.size() <= 32 * (text.size() + 1));
    if (kind == Kind::kPostgresql && statement->dates > 0)
      check(statement->sql.find("$1") != std::string::npos);
  }
  return 0;
}
