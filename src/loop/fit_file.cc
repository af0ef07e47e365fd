#include "loop/fit_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/file.h"
#include "loop/file_rows.h"
#include "loop/validation.h"
#include "table/csv_table.h"
#include "table/infer.h"
#include "table/sdv_metadata.h"

namespace maeil::loop {
namespace {

// The constraints between columns that the file has; an optional column that it lacks is missing in every
// row, and so are its constraints.
std::vector<table::Constraint> constraints_of(const table::DatasetSpec& known,
                                              const table::DatasetSpec& present, const Watcher& watcher) {
  std::vector<table::Constraint> out = known.constraints;
  std::erase_if(out, [&](const table::Constraint& constraint) {
    const auto lacks = [&](const std::string& column) { return !present.find(column); };
    if (std::none_of(constraint.columns.begin(), constraint.columns.end(), lacks)) return false;
    watcher.note(fmt::format("{}: {} is left out: the file lacks a column of it", constraint.place,
                             table::describe(constraint)),
                 false);
    return true;
  });
  return out;
}

// The columns whose values are made anew, marked in `columns`. What is a date, the target, a number with a
// marginal of its own in the spec, or part of an order or a sum is a quantity.
std::vector<copula::GeneratedColumn> generated_columns(table::InferredColumns& columns,
                                                       const std::string& target,
                                                       const std::vector<table::Constraint>& constraints,
                                                       const std::string& file, const Watcher& watcher,
                                                       std::vector<AnewColumn>& anew) {
  std::vector<copula::GeneratedColumn> out;
  for (size_t c = 0; c < columns.spec.columns.size(); ++c) {
    auto& column = columns.spec.columns[c];
    const bool bound =
        std::any_of(constraints.begin(), constraints.end(), [&](const table::Constraint& constraint) {
          return constraint.kind != table::Constraint::Kind::kOnlyWhen &&
                 std::find(constraint.columns.begin(), constraint.columns.end(), column.name) !=
                     constraint.columns.end();
        });
    if (column.name == target || column.type == table::SpecType::kDate || bound || !column.marginal.empty())
      continue;
    const auto found = table::find_identifier(column.name, column.type == table::SpecType::kNumber,
                                              column.identifier, columns.values[c]);
    column.identifier = found.has_value();
    if (!found) continue;
    const auto pattern = table::describe(found->pattern);
    watcher.note(fmt::format("{}: column '{}' is an identifier ({:.0f} different values in {} rows): its "
                             "values are not learned, new ones are made as {}",
                             file, column.name, found->values, found->rows, pattern),
                 false);
    anew.push_back({column.name, found->values, found->rows, pattern});
    out.push_back({column.name, found->pattern});
  }
  return out;
}

// What the fit is told of the columns beside their values.
Result<copula::FitPlan> plan_for(const FitFileRequest& request, const table::DatasetSpec* known,
                                 const std::string& target, const table::InferredColumns& inferred) {
  copula::FitPlan plan{.target = target, .formats = inferred.formats, .seed = request.seed};
  for (const auto& column : inferred.spec.columns) {
    if (column.type == table::SpecType::kDate) plan.dates.push_back({column.name, column.format});
  }
  const auto everywhere = copula::parse_marginal_choice(request.marginals);
  if (!everywhere)
    return usage_error(
        fmt::format("--marginals: '{}' is none of {}", request.marginals, copula::kMarginalChoices));
  for (const auto& column : inferred.spec.columns) {
    const auto* own = known ? known->find(column.name) : nullptr;
    const auto choice =
        own && !own->marginal.empty() ? copula::parse_marginal_choice(own->marginal) : everywhere;
    if (!choice)
      return bad_input(fmt::format("the dataset spec: column '{}': marginal '{}' is none of {}", column.name,
                                   own->marginal, copula::kMarginalChoices));
    plan.marginals.push_back(*choice);
  }
  return plan;
}

// Rows drawn keep the constraints, and differ from data that break them.
void note_broken(const std::vector<BrokenConstraint>& constraints, uint64_t rows, const Watcher& watcher) {
  for (const auto& one : constraints) {
    if (one.rows == 0) continue;
    watcher.note(fmt::format("warning: {}: {} of {} rows break the constraint {}", one.place, one.rows, rows,
                             one.constraint),
                 true);
  }
}

void note_fitted(const copula::FittedMixture& fitted, const std::string& target, const std::string& file,
                 const Watcher& watcher) {
  for (const auto& rare : fitted.rare)
    watcher.note(fmt::format("{}: {}", file, copula::describe(rare)), false);
  for (const auto& merged : fitted.merged) {
    watcher.note(
        fmt::format("warning: {} = {} has {} rows, fewer than {}: they are merged with all others, so that "
                    "class is drawn as the whole file is, under its label",
                    target, merged.label.empty() ? "(missing)" : merged.label, merged.rows,
                    copula::kLeastClassRows),
        true);
  }
}

}  // namespace

Result<FileFit> fit_file(const FitFileRequest& request, const Watcher& watcher) {
  std::optional<table::DatasetSpec> named;
  const table::DatasetSpec* known = nullptr;
  if (!request.spec.empty()) {
    const bool sdv = request.spec.ends_with(".json");
    MAEIL_ASSIGN(named, sdv ? table::read_sdv_spec(request.spec) : table::read_dataset_spec(request.spec));
    known = &*named;
  } else if (request.usual_spec) {
    const auto usual = table::RowFile::open(request.in, request.usual_spec);
    if (usual && table::has_columns_of(*usual, *request.usual_spec).value_or(false)) {
      known = request.usual_spec;
      if (!request.usual_is_builtin)
        watcher.note(fmt::format("dataset {} ({})", known->name, known->file), false);
    }
  }
  MAEIL_ASSIGN(table::RowFile file, table::RowFile::open(request.in, known));
  FileFit out;
  out.target = !request.target.empty() ? request.target : known ? known->target : "";
  MAEIL_ASSIGN(auto inferred, table::infer_columns(file, known, out.target));
  if (known && out.target == known->target) {  // its values as the spec has them; each is a class
    inferred.spec.target = known->target;
    inferred.spec.negative = known->negative;
    inferred.spec.positive = known->positive;
    inferred.spec.target_forms = known->target_forms;
  }
  MAEIL_ASSIGN(auto plan, plan_for(request, known, out.target, inferred));
  if (known) plan.constraints = constraints_of(*known, inferred.spec, watcher);
  for (const auto& constraint : plan.constraints)
    out.constraints.push_back({table::describe(constraint), constraint.place});
  for (const auto& line : inferred.notes) watcher.note(fmt::format("{}: {}", request.in, line), false);
  copula::CopulaFitter fitter(
      generated_columns(inferred, out.target, plan.constraints, request.in, watcher, out.anew));
  const auto take = [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
    watcher.rows(out.rows += chunk.rows, inferred.rows);
    fitter.add(chunk);
    for (size_t k = 0; k < plan.constraints.size(); ++k) {
      MAEIL_ASSIGN(const size_t broken, table::count_broken(plan.constraints[k], chunk));
      out.constraints[k].rows += broken;
    }
    return {};
  };
  // What the contract sets aside is not learned, as a model's training leaves it out.
  table::SetAside set_aside;
  if (known) {
    MAEIL_ASSIGN(set_aside, hold_to_contract(file, *known, table::FileRules::kNotRows, watcher));
  }
  const table::ReadOptions options{.target_required = false, .any_target = true, .set_aside = &set_aside};
  MAEIL_ASSIGN(out.read, table::read_csv_file(file, inferred.spec, options, take));
  note_read(out.read, request.in, watcher);
  MAEIL_TRY(table::check_read(out.read, request.in));
  note_broken(out.constraints, out.rows, watcher);
  const auto begin = std::chrono::steady_clock::now();
  MAEIL_ASSIGN(out.fitted, fitter.fit(plan));
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  note_fitted(out.fitted, out.target, request.in, watcher);
  out.fitted.mixture.source = std::filesystem::path(request.in).filename().string();
  out.columns = std::move(inferred.spec);
  if (!request.metadata.empty())
    MAEIL_TRY(write_file_atomically(request.metadata, table::to_sdv_metadata(out.columns)));
  MAEIL_TRY(copula::write_mixture(out.fitted.mixture, request.out));
  return out;
}

}  // namespace maeil::loop
