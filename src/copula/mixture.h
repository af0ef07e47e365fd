// One Gaussian copula for each class of a target, with missing values as latents of their own: what `maeil
// fit` makes.
//
// A row is drawn by choosing a class by its share, then z ~ N(0, correlation of the class), then column by
// column x = F^-1(Phi(z)) as in model.h. A class's copula has C + G columns: the C columns of the table, the
// target among them as a category that is certain, and G patterns of missing values. Pattern g belongs to
// missing_sets[g], sets of columns that are missing in the same rows: character s of its category ("010")
// says whether the columns of set s are. So what is missing together, or never together, stays so, and what
// is missing for a reason (a class, a value) keeps it. Values are data: share them between threads when
// const.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "copula/model.h"
#include "table/constraint.h"
#include "table/identifier.h"
#include "table/rounding.h"

namespace maeil::copula {

using MissingSets = std::vector<std::vector<size_t>>;  // (sets) columns

struct MixtureClass {
  std::string label;   // of the target; "" when it is missing or there is none
  double share = 1;    // of the rows; the shares add up to 1
  CopulaModel copula;  // (C + G) columns
};

// A column whose values are made anew (table/identifier.h), where its copula column, which is constant, has a
// value.
struct GeneratedColumn {
  std::string name;
  table::IdentifierPattern pattern;
};

struct Mixture {
  std::string source, target;                  // target "": none
  std::vector<MissingSets> missing_sets;       // (G)
  std::vector<MixtureClass> classes;           // 1 or more
  std::vector<table::Constraint> constraints;  // hold in every row drawn
  // for people: what is drawn otherwise than where it was fitted
  std::vector<std::string> notes;
  std::vector<GeneratedColumn> generated;
  // of rows drawn from it against those it was fitted on, as the fit reported it
  std::optional<double> quality_score;

  size_t columns() const { return classes.front().copula.columns.size() - missing_sets.size(); }
};

inline constexpr size_t kMaxClasses = 256;

// kBadInput, naming the place: shares that do not add up to 1, one label twice, classes with other columns,
// patterns that are none, a target that is no column or has another value than its class's label, constraints
// on columns that are not there or of the wrong type.
Status check_mixture(const Mixture& mixture);

// The shares of the classes as asked for: `label` gets `share`, the others keep their proportions. kUsage,
// listing the labels: no such class, a share outside 0..1, a share below 1 of the only class that has rows.
Status set_class_share(Mixture& mixture, const std::string& label, double share);

// Leaves the classes whose label `keep` accepts; they keep their proportions. kUsage, listing the labels:
// none of them has rows. REQUIRES: check_mixture(mixture) holds, and it has a target.
Status keep_classes(Mixture& mixture, const std::function<bool(const std::string& label)>& keep);

std::vector<std::string> column_names(const Mixture& mixture);
std::vector<NumberFormat> number_formats(const Mixture& mixture);
// By column; of numbers what all classes together need, nothing of texts.
std::vector<table::ValueRange> value_ranges(const Mixture& mixture);

// Any file that rows can be drawn from: our JSON (docs/formats/copula.md) or SDV's .pkl, told apart by the
// first byte. Version 1 and SDV's are a mixture of one class without a target. kNotFound, kIo; kBadInput for
// a damaged file or a class of SDV's that is not supported, by name.
Result<Mixture> read_mixture(const std::filesystem::path& path);
std::string to_json(const Mixture& mixture);
Result<Mixture> parse_mixture_json(const std::string& json, const std::string& file_name);
Status write_mixture(const Mixture& mixture, const std::filesystem::path& path);

}  // namespace maeil::copula
