// `maeil init`: a dataset spec drafted from a file, and on one screen what was seen. What is drafted, and why
// a column should be dropped, is loop/spec_draft.h's.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "base/dataset_choice.h"
#include "base/dataset_name.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/file_output.h"
#include "cli/output.h"
#include "format/csv.h"
#include "loop/spec_draft.h"
#include "quality/column_page.h"
#include "quality/page.h"
#include "table/field_values.h"
#include "table/spec_text.h"

namespace maeil::cli {
namespace {

using store::Document;

constexpr size_t kShownLines = 12;  // of dropped columns and of proposals, on one screen

std::string share(uint64_t part, uint64_t all) {
  return fmt::format("{} row{} ({:.1f} %)", part, part == 1 ? "" : "s",
                     100.0 * static_cast<double>(part) / static_cast<double>(all));
}

Document choice_document(const loop::TargetChoice& choice) {
  return {{"column", choice.column},           {"positive", choice.positive.value},
          {"negative", choice.negative.value}, {"positives", choice.positive.rows},
          {"negatives", choice.negative.rows}, {"positive_chosen", choice.was_chosen}};
}

// A name or a value on one line of a screen.
std::string shown(const std::string& text) {
  std::string out = format::clip_utf8(text, 40);
  for (char& c : out) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return out;
}

// A word of a command line, quoted where a shell needs it.
std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) || c >= 0x80 ||
           std::string_view("_-./:=+,@%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string command_with(const InitOptions& options, const std::string& target) {
  std::string out = "maeil init --in " + shell_word(options.in) + " --target " + shell_word(target);
  for (const auto& id : options.id) out += " --id " + shell_word(id);
  if (!options.group.empty()) out += " --group " + shell_word(options.group);
  if (!options.time.empty()) out += " --time " + shell_word(options.time);
  if (options.out != kInitOut) out += " --out " + shell_word(options.out);
  if (!options.html.empty()) out += " --html " + shell_word(options.html);
  return out;
}

int propose(const Context& context, const InitOptions& options, const loop::SpecDraft& draft) {
  if (context.json) {
    auto list = Document::array();
    for (const auto& one : draft.proposed) list.push_back(choice_document(one));
    print_json({{"written", false}, {"rows", draft.rows}, {"proposed_targets", std::move(list)}});
    return exit_code(ErrorCode::kUsage);
  }
  if (draft.proposed.empty()) {
    print_line(
        fmt::format("{}: {} rows. No column has two values, so that none is proposed as the target: "
                    "--target names one, or make a column that says yes or no and run this again.",
                    options.in, draft.rows));
    return exit_code(ErrorCode::kUsage);
  }
  print_line(
      fmt::format("{}: {} rows. Which column is the target? These have two values:", options.in, draft.rows));
  std::vector<std::vector<std::string>> lines;
  for (const auto& one : draft.proposed) {
    if (lines.size() == kShownLines) break;
    lines.push_back({shown(one.column), shown(one.positive.value),
                     share(one.positive.rows, one.positive.rows + one.negative.rows),
                     shown(one.negative.value), fmt::format("{} rows", one.negative.rows)});
  }
  print_table({"column", "positive", "", "negative", ""}, lines);
  if (draft.proposed.size() > kShownLines)
    print_line(fmt::format("and {} more", draft.proposed.size() - kShownLines));
  print_line("nothing is written; name one:");
  print_line("  " + command_with(options, draft.proposed.front().column));
  return exit_code(ErrorCode::kUsage);
}

const char* type_name(table::SpecType type) {
  return type == table::SpecType::kText ? "text" : type == table::SpecType::kNumber ? "number" : "date";
}

// What the contract checks, in kinds of rules.
std::string describe_contract(const table::Contract& contract) {
  size_t ranges = 0, values = 0, missing = 0;
  for (const auto& one : contract.columns) {
    ranges += one.min || one.max;
    values += !one.allowed_texts.empty() || !one.allowed_numbers.empty();
    missing += one.max_missing.has_value();
  }
  std::vector<std::string> parts;
  if (contract.unique_id) parts.push_back("unique ids");
  if (contract.min_rows) parts.push_back("rows a day");
  if (contract.min_target_rate) parts.push_back("the target's rate");
  const auto many = [](size_t count) { return count == 1 ? "" : "s"; };
  if (ranges > 0) parts.push_back(fmt::format("{} range{}", ranges, many(ranges)));
  if (values > 0) parts.push_back(fmt::format("{} list{} of values", values, many(values)));
  if (missing > 0) parts.push_back(fmt::format("missing values of {} column{}", missing, many(missing)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

Document draft_document(const InitOptions& options, const loop::SpecDraft& draft) {
  auto columns = Document::array();
  for (size_t c = 0; c < draft.columns.size(); ++c) {
    const auto& column = draft.spec.columns[c];
    Document one = {{"name", column.name},
                    {"type", type_name(column.type)},
                    {"missing", draft.columns[c].missing},
                    {"values", draft.columns[c].values}};
    if (column.drop) one["dropped"] = draft.columns[c].dropped;
    columns.push_back(std::move(one));
  }
  Document target = choice_document(draft.target);
  target["unlabelled"] = draft.unlabelled;
  return {{"written", true},
          {"path", options.out},
          {"dataset", draft.spec.name},
          {"rows", draft.rows},
          {"quarantined", draft.quarantined},
          {"features", draft.features},
          {"target", std::move(target)},
          {"roles",
           {{"id", draft.spec.roles.id}, {"group", draft.spec.roles.group}, {"time", draft.spec.roles.time}}},
          {"columns", std::move(columns)},
          {"contract", describe_contract(draft.spec.contract)},
          {"warnings", draft.warnings}};
}

// Of a column whose values name rows or people nothing is shown.
bool is_shown(const table::DatasetSpec& spec, const loop::DraftColumn& about,
              const table::SpecColumn& column) {
  const bool names =
      column.name == spec.roles.group || std::ranges::find(spec.roles.id, column.name) != spec.roles.id.end();
  return !names && about.dropped.find("names a row or a person") == std::string::npos &&
         about.dropped.find("nearly unique") == std::string::npos;
}

quality::ColumnPicture picture_of(const loop::SpecDraft& draft, size_t c) {
  const auto& column = draft.spec.columns[c];
  const auto& about = draft.columns[c];
  quality::ColumnPicture out;
  out.name = column.name;
  out.missing = about.missing;
  out.about = fmt::format("{}, {:.0f} different values{}", type_name(column.type), about.values,
                          about.missing > 0 ? fmt::format(", {} rows without one", about.missing) : "");
  if (column.name == draft.spec.target)
    out.note = fmt::format("the target: '{}' is positive", draft.spec.positive);
  else if (column.role)
    out.note = column.name == draft.spec.roles.time ? "the time" : "an id or the group: values are not shown";
  else if (!about.dropped.empty())
    out.note = "dropped: " + about.dropped;
  if (!is_shown(draft.spec, about, column)) return out;
  const bool as_text = column.type == table::SpecType::kText || column.name == draft.spec.target;
  out.is_date = column.type == table::SpecType::kDate;
  for (const auto& [text, rows] : draft.values[c].counts()) {
    if (as_text) {
      out.texts.emplace_back(text, rows);
    } else if (out.is_date) {
      if (const auto day = table::read_day(text, column.format))
        out.numbers.emplace_back(day->time_since_epoch().count(), rows);
    } else if (auto number = table::read_number(text); number || column.thousands) {
      if (!number) number = table::read_grouped_number(text);
      if (number) out.numbers.emplace_back(*number, rows);
    }
  }
  return out;
}

Status write_page(const InitOptions& options, const loop::SpecDraft& draft) {
  std::vector<quality::ColumnPicture> pictures;
  for (size_t c = 0; c < std::min(draft.columns.size(), quality::kShownColumns + 1); ++c)
    pictures.push_back(picture_of(draft, c));
  pictures.resize(draft.columns.size());
  std::vector<std::string> facts = {
      fmt::format("{} rows, {} columns; {} features are learnt from.", draft.rows, draft.columns.size(),
                  draft.features),
      fmt::format("{}: '{}' is positive, {} rows; '{}' is negative, {} rows; {} rows without a label.",
                  draft.target.column, draft.target.positive.value, draft.target.positive.rows,
                  draft.target.negative.value, draft.target.negative.rows, draft.unlabelled)};
  for (const auto& warning : draft.warnings) facts.push_back("Warning: " + warning);
  facts.emplace_back(
      "Of a column with more than 4,096 different values a sample of them is shown, with all of their rows.");
  return write_file_atomically(
      options.html, quality::columns_page(std::filesystem::path(options.in).filename().string(), facts,
                                          std::move(pictures)));
}

// How many columns of each type there are: "7 numbers, 2 texts".
std::string count_types(const table::DatasetSpec& spec) {
  size_t of[3] = {0, 0, 0};
  for (const auto& column : spec.columns) ++of[static_cast<size_t>(column.type)];
  std::vector<std::string> parts;
  for (const auto& [type, name] : {std::pair{table::SpecType::kNumber, "number"},
                                   {table::SpecType::kText, "text"},
                                   {table::SpecType::kDate, "date"}}) {
    const size_t n = of[static_cast<size_t>(type)];
    if (n > 0) parts.push_back(fmt::format("{} {}{}", n, name, n == 1 ? "" : "s"));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// The name of a dataset that is described by datasets/NAME.toml; "": by another file.
std::string listed_name(const InitOptions& options) {
  const auto out = std::filesystem::path(options.out).lexically_normal();
  return out.parent_path() == kDatasetsFolder && out.extension() == ".toml" ? out.stem().string() : "";
}

void print_draft(const InitOptions& options, const loop::SpecDraft& draft) {
  const auto& spec = draft.spec;
  const auto& target = draft.target;
  const uint64_t labelled = target.positive.rows + target.negative.rows;
  print_line(fmt::format("{}: {} rows, {} columns ({})", options.in, draft.rows, spec.columns.size(),
                         count_types(spec)));
  if (draft.quarantined > 0)
    print_line(fmt::format("        {} of the rows cannot be read and are set aside", draft.quarantined));
  print_line(fmt::format(
      "target  {}: '{}' is positive, {}; '{}' is negative{}", shown(target.column),
      shown(target.positive.value), share(target.positive.rows, labelled), shown(target.negative.value),
      draft.unlabelled > 0 ? fmt::format("; {} rows without a label", draft.unlabelled) : ""));
  if (target.was_chosen)
    print_line(fmt::format("        '{}' is the rarer value; --positive {} for the other one",
                           shown(target.positive.value), shell_word(target.negative.value)));
  std::vector<std::string> roles;
  if (!spec.roles.id.empty()) roles.push_back(fmt::format("id {}", fmt::join(spec.roles.id, " + ")));
  if (!spec.roles.group.empty()) roles.push_back("group " + spec.roles.group);
  if (!spec.roles.time.empty()) roles.push_back("time " + spec.roles.time);
  print_line(fmt::format("roles   {}", roles.empty() ? "none (--id, --group, --time)"
                                                     : fmt::format("{}", fmt::join(roles, ", "))));
  if (!spec.roles.time.empty() && !spec.delay_days)
    print_line(
        "labels  expected with the rows, and a day without any is an alert (--delay-days N: they come "
        "later)");
  print_line(fmt::format("learns  {} feature{}", draft.features, draft.features == 1 ? "" : "s"));
  if (spec.contract.has_rules()) print_line("checks  " + describe_contract(spec.contract));
  size_t dropped = 0;
  for (size_t c = 0; c < draft.columns.size(); ++c) {
    if (!spec.columns[c].drop) continue;
    if (++dropped <= kShownLines)
      print_line(fmt::format("drops   {}: {}", shown(spec.columns[c].name), draft.columns[c].dropped));
  }
  if (dropped > kShownLines)
    print_line(fmt::format("        and {} more, each with its reason in the file", dropped - kShownLines));
  for (const auto& warning : draft.warnings) print_line("warning " + warning);
  print_line(fmt::format("written to {}: look at it and change what is wrong{}", options.out,
                         std::filesystem::path(options.out).lexically_normal() == kInitOut ? ""
                         : listed_name(options).empty()
                             ? fmt::format("; DATASET_SPEC={} makes it the dataset", shell_word(options.out))
                             : fmt::format("; DATASET={} makes it the dataset", listed_name(options))));
  if (!options.html.empty()) print_line("the page: " + options.html);
}

}  // namespace

Result<int> init(Context& context, const InitOptions& options) {
  if (options.delay_days && options.time.empty())
    return usage_error("--delay-days counts from a row's day: --time says which column has it");
  MAEIL_TRY(check_output(options.out, {options.in}));
  MAEIL_TRY(check_output(options.html, {options.in, options.out}));
  if (!options.html.empty() && same_place(options.html, options.out))
    return usage_error("--html and --out are one file: name another for the page");
  std::error_code ignored;
  if (!options.force && !options.target.empty() && std::filesystem::exists(options.out, ignored)) {
    return usage_error(
        fmt::format("{} is there already: --force overwrites it, --out writes another file", options.out));
  }
  const std::string name = listed_name(options);
  if (!name.empty()) {
    MAEIL_TRY(check_dataset_name(name));
    for (const auto& other : datasets_in(".")) {
      std::error_code absent;
      const bool same = std::filesystem::equivalent(other.spec, options.out, absent);
      if (!same && !other.wrong && (other.name == name || other.recorded_as == name))
        return usage_error(fmt::format("{} describes a dataset '{}' already: write to another file of {}/",
                                       other.spec.lexically_normal().string(), name, kDatasetsFolder));
    }
    std::filesystem::create_directories(kDatasetsFolder, ignored);
  }
  Progress progress;
  const auto draft = loop::draft_spec({.in = options.in,
                                       .target = options.target,
                                       .positive = options.positive,
                                       .name = name,
                                       .id = options.id,
                                       .group = options.group,
                                       .time = options.time,
                                       .delay_days = options.delay_days},
                                      context.settings, watcher_of(progress));
  progress.finish();
  if (!draft) return tl::make_unexpected(draft.error());
  if (draft->target.column.empty()) return propose(context, options, *draft);
  if (const auto& wrong = context.settings.dataset_error; wrong && !context.settings.dataset_spec.empty())
    note("what was there before could not be read: " + wrong->message, LogLevel::kWarning);
  MAEIL_TRY(write_file_atomically(options.out, draft->text));
  if (!options.html.empty()) MAEIL_TRY(write_page(options, *draft));
  if (context.json)
    print_json(draft_document(options, *draft));
  else
    print_draft(options, *draft);
  return 0;
}

}  // namespace maeil::cli
