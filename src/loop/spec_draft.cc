#include "loop/spec_draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/dataset_name.h"
#include "base/hash.h"
#include "format/csv.h"
#include "loop/contract_draft.h"
#include "loop/file_rows.h"
#include "loop/leaking_column.h"
#include "loop/query_rows.h"
#include "prep/preparation.h"
#include "table/csv_table.h"
#include "table/identifier.h"
#include "table/infer.h"
#include "table/spec_text.h"

namespace maeil::loop {
namespace {

using table::SpecColumn;
using table::SpecType;

// Numbers that the sample for leaking columns may hold: 32 MB; and its rows of a class, of which the area
// under a curve of 0.99 is known to 0.002.
constexpr size_t kSampleNumbers = size_t{4} << 20, kSampleRows = 20000;
// A date that lies after the time in more of the rows is known only later; fewer are mistakes of typing.
constexpr double kFewLateDates = 0.01;
// So many texts are categories in a table of any size.
constexpr double kCategories = 20;

// Letters, digits and "-" of the file's name without its endings, "_" for all else between them.
std::string dataset_name(const std::string& file) {
  std::string stem = std::filesystem::path(is_query(file) ? file.substr(4) : file).filename().string(), name;
  stem = stem.substr(0, stem.find('.', 1));
  for (const char c : stem) {
    const bool kept = std::isalnum(static_cast<unsigned char>(c)) || (c == '-' && !name.empty());
    if (kept)
      name += c;
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  name.resize(std::min<size_t>(name.size(), 60));
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name.empty() || name == kBuiltinDataset ? "dataset" : name;
}

class Drafting {
 public:
  Drafting(const DraftRequest& request, table::RowFile& file, table::InferredColumns inferred, SpecDraft& out)
      : request_(request), file_(file), inferred_(std::move(inferred)), out_(out) {
    out_.spec = inferred_.spec;
    out_.spec.name = request_.name.empty() ? dataset_name(request_.in) : request_.name;
    out_.rows = inferred_.rows;
    for (size_t c = 0; c < out_.spec.columns.size(); ++c) {
      out_.spec.columns[c].nullable = false;
      out_.columns.push_back({inferred_.missing[c], inferred_.values[c].distinct(), ""});
    }
  }

  Status give_roles() {
    for (const auto& id : request_.id) MAEIL_TRY(give_role("--id", id));
    if (!request_.group.empty()) MAEIL_TRY(give_role("--group", request_.group));
    if (!request_.time.empty()) MAEIL_TRY(give_role("--time", request_.time));
    out_.spec.roles = {request_.id, request_.group, request_.time};
    return {};
  }

  Status give_target() {
    MAEIL_ASSIGN(const size_t c, index_of("--target", request_.target));
    SpecColumn& column = out_.spec.columns[c];
    if (column.role)
      return usage_error(fmt::format(
          "--target: '{}' has a role already: a target is neither id, group nor time", request_.target));
    MAEIL_ASSIGN(out_.target,
                 choose_target(column.name, inferred_.values[c], request_.positive, request_.in));
    const SpecColumn plain{.name = column.name,
                           .type = out_.target.numbers ? SpecType::kNumber : SpecType::kText};
    column = plain;
    out_.spec.target = column.name;
    out_.spec.delay_days = request_.delay_days;
    out_.spec.positive = out_.target.positive.value;
    out_.spec.negative = out_.target.negative.value;
    return {};
  }

  // By the values that each column has by itself.
  void drop_useless() {
    for (size_t c = 0; c < out_.spec.columns.size(); ++c) {
      const SpecColumn& column = out_.spec.columns[c];
      if (column.role || column.name == out_.spec.target) continue;
      const auto& values = inferred_.values[c];
      const DraftColumn& about = out_.columns[c];
      std::string& why = out_.columns[c].dropped;
      const auto many = [&] {
        return fmt::format("{:.0f} different values in {} rows", about.values, values.rows());
      };
      const bool number = column.type == SpecType::kNumber;
      if (about.values == 0) {
        why = "no value in any row";
      } else if (about.values == 1 && about.missing == 0) {
        why = fmt::format("constant: '{}' in every row", format::clip_utf8(values.texts().front(), 40));
      } else if (!inferred_.unclear[c].empty() && about.values > kCategories) {
        why =
            fmt::format("text of {}, since it can be read in two ways: say which, and take out drop", many());
      } else if (column.type != SpecType::kDate && (number || about.values > kCategories) &&
                 table::find_identifier(column.name, number, false, values)) {
        why = fmt::format("names a row or a person: {} (--id or --group keeps it)", many());
      } else if (column.type == SpecType::kText && about.values > kCategories &&
                 about.values * 2 > static_cast<double>(values.rows())) {
        why = "nearly unique: " + many();
      }
    }
  }

  // By the rows: what tells the target alone, and dates that lie after the time.
  Status drop_known_later(const Watcher& watcher) {
    MAEIL_ASSIGN(const auto spec, table::parse_dataset_spec(text(), "the drafted spec"));
    begin_sample();
    contract_.emplace(spec);
    uint64_t done = 0;
    // A file again, by what the draft says of numbers; a query was asked, and stays what it was.
    std::optional<table::RowFile> again;
    if (!is_query(request_.in)) {
      MAEIL_ASSIGN(auto opened, table::RowFile::open(request_.in, &spec));
      again.emplace(std::move(opened));
    }
    table::RowFile* file = again ? &*again : &file_;
    MAEIL_ASSIGN(const auto report,
                 table::read_csv_file(*file, spec, {},
                                      [&](Table&& chunk, const std::vector<uint64_t>& rows) -> Status {
                                        watcher.rows(done += chunk.rows, inferred_.rows);
                                        add(spec, chunk, rows);
                                        contract_->add(chunk, rows);
                                        return {};
                                      }));
    note_read(report, request_.in, watcher);
    MAEIL_TRY(table::check_read(report, request_.in));
    out_.rows = report.rows;
    out_.quarantined = report.quarantined;
    for (const size_t c : sampled_) {
      std::string& why = out_.columns[c].dropped;
      const auto told = separation(sample_[c], labels_);
      if (told && *told >= kLeakingAuc) {
        why = fmt::format("leaks: it alone tells '{}' from '{}' (AUC {:.3f}); is it known only afterwards?",
                          out_.spec.positive, out_.spec.negative, *told);
      } else if (late_[c] > kFewLateDates * static_cast<double>(dated_[c])) {
        why = fmt::format("lies after {} in {} of {} rows: it is not known by then, or is the end of a term",
                          request_.time, late_[c], dated_[c]);
      }
    }
    if (!sampled_.empty() && !separation(sample_[sampled_.front()], labels_))
      out_.warnings.push_back(
          fmt::format("fewer than {} rows of a class: leaking columns cannot be found", kLeakRows));
    return {};
  }

  Status finish() {
    table::DatasetSpec& spec = out_.spec;
    for (size_t c = 0; c < spec.columns.size(); ++c) {
      SpecColumn& column = spec.columns[c];
      column.drop = !out_.columns[c].dropped.empty();
      // A dropped column's null flag would be a feature all the same.
      column.nullable =
          !column.drop && !column.role && column.name != spec.target && out_.columns[c].missing > 0;
      if (column.type != SpecType::kDate || column.role || column.drop || spec.roles.time.empty()) continue;
      const std::string name = column.name + "_days";
      if (!spec.find(name)) spec.day_counts.push_back({name, column.name, spec.roles.time});
    }
    spec.contract = contract_->finish(spec, inferred_, out_.target.positive.rows,
                                      out_.target.positive.rows + out_.target.negative.rows);
    out_.text = text();
    // Rows that have a time come day by day, and their labels when they are known.
    if (!request_.time.empty()) {
      if (!request_.delay_days) {
        out_.text +=
            "\n# Labels that come later than their rows: `delay_days = 90` in [target] says after how "
            "many days they\n# are due (docs/labels.md).";
      }
      out_.text += fmt::format("\n[settings]\nJUDGE_DAYS = {}\nRETRAIN_DAYS = {}\n", kDraftJudgeDays,
                               kDraftRetrainDays);
    }
    MAEIL_ASSIGN(const auto parsed, table::parse_dataset_spec(out_.text, "the drafted spec"));
    const auto features = prep::unfitted(parsed);
    out_.features = features.categorical.size() + features.numeric.size();
    warn();
    out_.values = std::move(inferred_.values);
    return {};
  }

 private:
  Result<size_t> index_of(const char* option, const std::string& name) {
    const auto& columns = out_.spec.columns;
    const auto found = std::ranges::find(columns, name, &SpecColumn::name);
    if (found != columns.end()) return static_cast<size_t>(found - columns.begin());
    std::string names;
    for (size_t c = 0; c < std::min<size_t>(columns.size(), 12); ++c)
      names += (c > 0 ? ", " : "") + format::clip_utf8(columns[c].name, 40);
    return usage_error(fmt::format("{}: {} has no column '{}'; it has {}{}", option, request_.in, name, names,
                                   columns.size() > 12 ? ", ..." : ""));
  }

  Status give_role(const char* option, const std::string& name) {
    MAEIL_ASSIGN(const size_t c, index_of(option, name));
    SpecColumn& column = out_.spec.columns[c];
    if (option == std::string_view("--id") && column.role)
      return usage_error(fmt::format("--id: '{}' is named twice", name));
    if (option == std::string_view("--time") && column.type != SpecType::kDate) {
      const auto texts = inferred_.values[c].texts();
      if (auto months = table::month_format(texts)) {
        column.type = SpecType::kDate;
        column.thousands = false;
        column.format = std::move(*months);
        column.role = true;
        return {};
      }
      return bad_input(fmt::format(
          "{}: --time: column '{}' holds no dates that can be read{}", request_.in, name,
          texts.empty()
              ? " (it is empty)"
              : fmt::format(", such as '{}': write whole dates as YYYY-MM-DD, or draft without --time and "
                            "say format = \"%d/%m/%Y\" and time = \"{}\" in the dataset.toml",
                            format::clip_utf8(texts[0], 40), name)));
    }
    column.role = true;
    if (column.type == SpecType::kDate) return {};
    column.type = SpecType::kText;  // what it is read as
    column.thousands = false;
    return {};
  }

  void begin_sample() {
    const size_t C = out_.spec.columns.size();
    sample_.resize(C);
    late_.assign(C, 0);
    dated_.assign(C, 0);
    for (size_t c = 0; c < C; ++c) {
      const SpecColumn& column = out_.spec.columns[c];
      if (column.name == request_.time) time_ = c;
      if (column.role || column.name == out_.spec.target || !out_.columns[c].dropped.empty()) continue;
      sampled_.push_back(c);
      sample_[c].ordered = column.type != SpecType::kText;
    }
    const size_t rows = std::min(kSampleRows, kSampleNumbers / 2 / std::max<size_t>(sampled_.size(), 1));
    const auto share = [&](uint64_t all) {
      return all <= rows ? UINT64_MAX
                         : static_cast<uint64_t>(
                               std::ldexp(static_cast<double>(rows) / static_cast<double>(all), 64));
    };
    kept_[0] = share(out_.target.negative.rows);
    kept_[1] = share(out_.target.positive.rows);
  }

  static std::vector<double> numbers_of(const SpecColumn& column, const Column& values) {
    if (values.type == ColumnType::kNumber) return values.numbers;
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> known;
    known.reserve(values.dictionary.size());
    for (const auto& text : values.dictionary) {
      if (column.type == SpecType::kText) {
        known.push_back(static_cast<double>(hash64(text) >> 11));
        continue;
      }
      const auto day = table::read_day(text, column.format);
      known.push_back(day ? static_cast<double>(day->time_since_epoch().count()) : kNaN);
    }
    std::vector<double> out;
    out.reserve(values.codes.size());
    for (const uint32_t code : values.codes) out.push_back(code == kMissing ? kNaN : known[code]);
    return out;
  }

  void add(const table::DatasetSpec& spec, const Table& chunk, const std::vector<uint64_t>& rows) {
    const Column& target = *chunk.find(spec.target);
    std::vector<size_t> picked;
    for (size_t i = 0; i < chunk.rows; ++i) {
      if (target.is_missing(i)) {
        ++out_.unlabelled;
        continue;
      }
      const bool positive = target.text(i) == spec.positive;
      const uint64_t hash = hash64({reinterpret_cast<const char*>(&rows[i]), sizeof rows[i]});
      if (hash > kept_[positive]) continue;
      picked.push_back(i);
      labels_.push_back(positive);
    }
    std::vector<double> time;
    if (time_ != SIZE_MAX) time = numbers_of(spec.columns[time_], chunk.columns[time_]);
    // A month stands for its first day: what lies in it is not later.
    const double within = time_ != SIZE_MAX && table::is_month(spec.columns[time_].format) ? 30 : 0;
    for (const size_t c : sampled_) {
      const bool date = spec.columns[c].type == SpecType::kDate && !time.empty();
      if (picked.empty() && !date) continue;
      const auto values = numbers_of(spec.columns[c], chunk.columns[c]);
      for (const size_t i : picked) sample_[c].values.push_back(values[i]);
      for (size_t i = 0; date && i < chunk.rows; ++i) {
        dated_[c] += values[i] == values[i] && time[i] == time[i];
        late_[c] += values[i] > time[i] + within;
      }
    }
  }

  std::string text() const {
    std::vector<std::string> comments;
    for (size_t c = 0; c < out_.columns.size(); ++c) {
      const SpecColumn& column = out_.spec.columns[c];
      std::string said = out_.columns[c].dropped;
      if (said.empty() && !inferred_.unclear[c].empty()) said = "text, because " + inferred_.unclear[c];
      if (said.empty() && column.type == SpecType::kDate && !column.role && request_.time.empty())
        said = "no feature by itself: day_counts count the days between two dates";
      comments.push_back(said);
    }
    return table::dataset_spec_text(
        out_.spec,
        fmt::format("Drafted by `maeil init` from {}, {} rows: look at it and change what is wrong.\n"
                    "What each key means: docs/formats/dataset_spec.md. Yours to add, of a column:\n"
                    "monotone = \"up\" or \"down\" (as it rises the risk never falls, or never rises);\n"
                    "segment = true (no new version may be much worse in one of its values).",
                    std::filesystem::path(request_.in).filename().string(), out_.rows),
        comments);
  }

  void warn() {
    if (out_.rows < kFewDraftRows)
      out_.warnings.push_back(
          fmt::format("{} rows are few: nothing that is learned from them can be judged", out_.rows));
    if (out_.features == 0) out_.warnings.push_back("no column is left to learn from");
    for (size_t c = 0; c < out_.columns.size(); ++c) {
      const SpecColumn& column = out_.spec.columns[c];
      if (!inferred_.unclear[c].empty() && !column.role && column.name != out_.spec.target)
        out_.warnings.push_back(
            fmt::format("column '{}' is drafted as text: {}", column.name, inferred_.unclear[c]));
      if (request_.id.size() != 1 || column.name != request_.id[0]) continue;
      if (out_.columns[c].values < 0.95 * static_cast<double>(out_.rows))  // a sample's count is off by 2 %
        out_.warnings.push_back(fmt::format(
            "the id '{}' does not tell rows apart: {:.0f} different values in {} "
            "rows; if it names whom they are about, it is the --group, and --id may be given more than once",
            column.name, out_.columns[c].values, out_.rows));
    }
  }

  const DraftRequest& request_;
  table::RowFile& file_;
  table::InferredColumns inferred_;
  SpecDraft& out_;
  std::vector<size_t> sampled_;  // columns
  std::vector<ColumnSample> sample_;
  std::vector<uint8_t> labels_;
  std::vector<uint64_t> late_, dated_;  // (C) rows whose date lies after the time, and that have both
  size_t time_ = SIZE_MAX;
  std::optional<ContractDraft> contract_;
  uint64_t kept_[2] = {0, 0};  // rows of a class are kept up to this hash
};

}  // namespace

Result<SpecDraft> draft_spec(const DraftRequest& request, const Settings& settings, const Watcher& watcher) {
  MAEIL_ASSIGN(auto file, open_rows(settings, request.in, nullptr));
  MAEIL_ASSIGN(auto inferred, table::infer_columns(file, nullptr, "", table::Unclear::kText));
  if (inferred.rows == 0)
    return bad_input(fmt::format("{} has a header and no rows: there is nothing to draft from", request.in));
  for (const auto& line : inferred.notes) watcher.note(fmt::format("{}: {}", request.in, line), false);
  SpecDraft out;
  if (request.target.empty()) {
    out.proposed = propose_targets(inferred);
    out.rows = inferred.rows;
    std::erase_if(out.proposed, [&](const TargetChoice& one) {
      return one.column == request.group || one.column == request.time ||
             std::ranges::find(request.id, one.column) != request.id.end();
    });
    return out;
  }
  Drafting drafting(request, file, std::move(inferred), out);
  MAEIL_TRY(drafting.give_roles());
  MAEIL_TRY(drafting.give_target());
  drafting.drop_useless();
  MAEIL_TRY(drafting.drop_known_later(watcher));
  MAEIL_TRY(drafting.finish());
  return out;
}

}  // namespace maeil::loop
