// `maeil validate`: a file held against the contract of its dataset, by hand. What the rules are and what
// they find is table/contract_check.h's.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "loop/query_rows.h"
#include "loop/validation.h"

namespace maeil::cli {
namespace {

void print_findings(const std::string& file, const loop::Validation& found) {
  std::vector<std::vector<std::string>> lines;
  for (const auto& one : found.findings) {
    const bool error = one.severity == table::Severity::kError;
    lines.push_back({error ? "error" : "warning", one.rule, one.column, std::to_string(one.count),
                     fmt::format("{:.3g} %", 100 * one.share),
                     fmt::format("{}", fmt::join(one.examples, ", "))});
  }
  if (!lines.empty()) print_table({"severity", "rule", "column", "count", "share", "examples"}, lines);
  for (const auto& one : found.findings) print_line(one.message);
  print_line(fmt::format("{}: {} rows, {} set aside: {}", file, found.rows, found.quarantined,
                         found.failed()           ? "the contract is broken"
                         : found.findings.empty() ? "the contract is kept"
                                                  : "the contract is kept, with warnings"));
}

}  // namespace

Result<int> validate(Context& context, const ValidateOptions& options) {
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  if (!spec.contract.has_rules() && !spec.contract.schema_only) {
    return bad_input(fmt::format(
        "{}: there is no [contract], so that nothing would be checked: `maeil init` drafts one, and "
        "docs/contract.md says what it can say",
        spec.file));
  }
  std::optional<Days> date;
  if (!options.date.empty()) {
    if (!loop::is_query(options.in)) return usage_error("--date is for a query: leave it out");
    auto parsed = parse_date(options.date);
    if (!parsed) return usage_error(fmt::format("--date: {}", parsed.error().message));
    date = *parsed;
  }
  MAEIL_ASSIGN(auto file, loop::open_rows(context.settings, options.in, &spec, date));
  if (const auto how = file.how(); !how.empty()) note(fmt::format("{}: read as {}", options.in, how));
  Progress progress;
  MAEIL_ASSIGN(const loop::Validation found,
               loop::validate_rows(file, spec, {.target_required = false, .progress = [&](uint64_t rows) {
                                                  progress.update("rows", rows, 0);
                                                }}));
  progress.finish();
  if (context.json) {
    print_json({{"path", options.in},
                {"dataset_name", spec.name},
                {"status", found.status()},
                {"findings", loop::findings_document(found.findings)},
                {"rows", found.rows},
                {"quarantined", found.quarantined},
                {"contract_hash", table::contract_hash(spec)}});
  } else {
    print_findings(options.in, found);
  }
  return found.failed() ? exit_code(ErrorCode::kBadInput) : 0;
}

}  // namespace maeil::cli
