// `maeil report DATE` and `maeil model document V`: what the store has of a date or of a version, as text, as
// one JSON value, and as a page.
#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "loop/day_record.h"
#include "loop/model_record.h"
#include "pages/day_page.h"
#include "pages/model_page.h"

namespace maeil::cli {
namespace {

void print_facts(const std::vector<std::vector<std::string>>& rows) {
  size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row[0].size());
  for (const auto& row : rows) print_line(fmt::format("  {:<{}}  {}", row[0], width, row[1]));
}

// What a page shows, without its pictures: their numbers are in the tables.
struct Printed {
  void operator()(const std::string& text) const { print_line(text); }
  void operator()(const std::vector<pages::Tile>& tiles) const {
    std::vector<std::vector<std::string>> rows;
    for (const auto& tile : tiles) rows.push_back({tile.name, tile.value});
    print_facts(rows);
  }
  void operator()(const pages::Table& table) const {
    if (!table.caption.empty()) print_line(table.caption);
    if (table.header.empty())
      print_facts(table.rows);
    else
      print_table(table.header, table.rows);
  }
  void operator()(const pages::Picture& /*picture*/) const {}
};

void print_report(const pages::Report& report) {
  print_line(report.title);
  print_line(report.lead);
  for (const auto& section : report.sections) {
    print_line(fmt::format("\n{}\n{}", section.heading, std::string(section.heading.size(), '=')));
    for (const auto& block : section.blocks) std::visit(Printed{}, block);
    if (const std::string sources = pages::sources_text(section); !sources.empty()) print_line(sources);
  }
}

// A page where one is asked for, else text; with --json the documents, whichever.
Status show(const Context& context, const pages::Report& report, const store::Document& documents,
            const std::string& html) {
  if (!html.empty()) MAEIL_TRY(write_file_atomically(html, pages::report_html(report)));
  if (context.json)
    print_json(documents);
  else if (html.empty())
    print_report(report);
  else
    print_line("the page: " + html);
  return {};
}

}  // namespace

Result<int> report_day(Context& context, const DayReportOptions& options) {
  if (options.date.empty())
    return usage_error("report: name a date, `maeil report 2026-11-23`, or `quality` for synthetic rows");
  const auto date = parse_date(options.date);
  if (!date) return usage_error(fmt::format("DATE: {}", date.error().message));
  MAEIL_TRY(check_output(options.html, {}));
  MAEIL_ASSIGN(store::Store & store, context.store_to_read());
  MAEIL_ASSIGN(const auto record, loop::read_day_record(store, context.settings.dataset, *date));
  MAEIL_TRY(show(context, pages::day_report(record), pages::to_document(record), options.html));
  return 0;
}

Result<int> model_document(Context& context, const ModelOptions& options) {
  MAEIL_TRY(check_output(options.html, {}));
  MAEIL_ASSIGN(store::Store & store, context.store_to_read());
  MAEIL_ASSIGN(const auto version, registry::find_version(store, options.version));
  MAEIL_ASSIGN(auto record, loop::read_model_record(store, version));
  record.dataset = context.settings.dataset;
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  record.target = spec.target;
  record.positive = spec.positive;
  record.description = spec.file;
  MAEIL_TRY(show(context, pages::model_report(record), pages::to_document(record), options.html));
  return 0;
}

}  // namespace maeil::cli
