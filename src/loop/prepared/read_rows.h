// A day's prepared rows read back from the store: as samples to learn from, and scored. Reads nothing else
// and writes nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/model_file.h"
#include "model/samples.h"
#include "prep/preparation.h"
#include "prep/transform.h"
#include "store/store.h"

namespace maeil::loop {

using model::append;
using model::Samples;

// The labelled rows of `fine` in memory: those to learn from, and the validation part to choose by
// (prep/split.h).
struct FineRows {
  Samples learn, validation;
  uint64_t unlabelled = 0;  // rows of `fine` that are left out, since they have no label
};
// kNotFound when the date was never prepared for `preparation`.
Result<FineRows> read_fine(store::Store& store, Days date, const prep::Preparation& preparation,
                           uint64_t seed);

// One split scored, in bounded memory: P(default) and label of each row that has one.
struct Scores {
  std::vector<double> probabilities;
  std::vector<uint8_t> labels;
  uint64_t unlabelled = 0;             // rows without a label
  double threshold = 0.5;              // from which probability on the model decides for a positive
  std::vector<uint8_t> champion = {};  // decisions of another version (comparison.h); empty: of none
  std::vector<std::vector<int32_t>> segments = {};  // (S, rows) codes of the features that were asked for
  // which rows belong together, by a hash of their group or id; empty: nobody knows
  std::vector<uint64_t> units = {};
};
// `segments`: of preparation.categorical, whose codes are kept. Only what came from the raw rows `first_row`
// to first_row + rows - 1 counts, and little else is read. kConflict when the rows were replaced meanwhile.
Result<Scores> score_split(store::Store& store, Days date, const prep::Preparation& preparation,
                           std::string_view split, const model::ModelFile& model,
                           std::span<const size_t> segments = {}, uint64_t first_row = 0,
                           uint64_t rows = UINT64_MAX);
// Of samples with labels.
Result<Scores> score_samples(const model::ModelFile& model, const Samples& samples,
                             std::span<const size_t> segments = {});
// Adds the rows of `from` behind those of `to`.
void append(Scores& to, const Scores& from);

struct SplitSizes {
  int64_t train = 0, fine = 0, test = 0;
  int64_t validation = 0;  // rows of `fine` that are for choosing (prep/split.h)
};
Result<SplitSizes> split_sizes(store::Store& store, Days date, const prep::Preparation& preparation,
                               uint64_t seed);

}  // namespace maeil::loop
