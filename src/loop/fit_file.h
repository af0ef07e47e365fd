// A copula fitted to a CSV file: what `maeil fit` does. Its columns are found out, identifiers are made anew
// instead of learned, the rows are read, and the mixture is fitted and written.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "copula/fit.h"
#include "loop/watcher.h"
#include "table/dataset_spec.h"
#include "table/read_report.h"

namespace maeil::loop {

struct FitFileRequest {
  std::string in, out;
  std::string spec;  // a dataset spec or SDV's metadata (.json) that knows the columns; "": `usual_spec`
  const table::DatasetSpec* usual_spec = nullptr;  // taken where the file has its columns
  bool usual_is_builtin = true;                    // else it is said that it is taken
  std::string target;                              // "": the spec's
  std::string marginals;                           // of the columns whose spec says nothing
  std::string metadata;                            // "" or where SDV's metadata of the columns is written
  uint64_t seed = 0;
};

// A column whose values are not learned.
struct AnewColumn {
  std::string column;
  double values = 0;  // different ones
  uint64_t rows = 0;
  std::string pattern;  // of the new ones
};

struct BrokenConstraint {
  std::string constraint, place;  // place: of it in the spec
  uint64_t rows = 0;              // that break it
};

struct FileFit {
  table::DatasetSpec columns;  // with the types that were fitted
  std::string target;
  uint64_t rows = 0;
  table::ReadReport read;
  std::vector<AnewColumn> anew;
  std::vector<BrokenConstraint> constraints;  // all that were kept, broken or not
  copula::FittedMixture fitted;
  double seconds = 0;  // of the fit, without the reading
};

// Says what was guessed, set aside, withheld and merged while it goes on. kUsage: `marginals` is none;
// kBadInput for what infer_columns, read_csv or the fit refuse; kNotFound, kIo.
Result<FileFit> fit_file(const FitFileRequest& request, const Watcher& watcher);

}  // namespace maeil::loop
