#include "loop/prepared/read_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "loop/prepared/store_rows.h"
#include "prep/split.h"

namespace maeil::loop {
namespace {

template <class T>
const std::vector<T>& values_of(const store::RowColumn& column) {
  return std::get<std::vector<T>>(column.values);
}

// Which of a chunk's rows are of the validation part of `fine`: by what was stored with them, else by number.
class ValidationRows {
 public:
  ValidationRows(const store::RowChunk& chunk, uint64_t seed, Days date) : seed_(seed), date_(date) {
    for (const auto& column : chunk) {
      if (column.name == "row") rows_ = &values_of<int64_t>(column);
      if (column.name == kValidationField) stored_ = &values_of<int64_t>(column);
    }
  }
  bool operator[](size_t i) const {
    if (stored_) return (*stored_)[i] != 0;
    return prep::is_validation(seed_, date_, static_cast<uint64_t>((*rows_)[i]));
  }

 private:
  const uint64_t seed_;
  const Days date_;
  const std::vector<int64_t>* rows_ = nullptr;
  const std::vector<int64_t>* stored_ = nullptr;
};

// The labelled rows of one split in one stored chunk.
struct SampleChunk {
  Samples samples;
  std::vector<uint8_t> validation;  // (B); of `fine`
  uint64_t unlabelled = 0;          // rows of the split that have no label
};

// The raw row that the stored row at `position` came from; nullopt behind the last one.
Result<std::optional<uint64_t>> raw_row_at(store::Store& store, const std::string& partition,
                                           uint64_t position) {
  std::optional<uint64_t> raw_row;
  MAEIL_TRY(store.read_rows(kRows, partition, {"row"},
                            [&](const store::RowChunk& chunk) -> Status {
                              raw_row = static_cast<uint64_t>(values_of<int64_t>(chunk[0]).at(0));
                              return {};
                            },
                            {position, 1}));
  return raw_row;
}

// The position of the first stored row that came from the raw row `raw_row` or a later one (where there is
// none: behind the last). Raw numbers grow by one or more from row to row, so each row that is looked at
// bounds the position on both sides: one look where no row was set aside, log2 of the number set aside where
// some were.
Result<uint64_t> first_position(store::Store& store, const std::string& partition, uint64_t raw_row) {
  uint64_t low = 0, high = raw_row;  // it is one of low .. high
  for (uint64_t probe = high; low < high; probe = low + (high - low) / 2) {
    MAEIL_ASSIGN(const auto found, raw_row_at(store, partition, probe));
    if (!found || *found >= raw_row) {
      high = probe;
      if (found) low = std::max(low, probe - std::min(probe, *found - raw_row));
    } else {
      low = probe + 1;
      high = std::min(high, probe + (raw_row - *found));
    }
  }
  return low;
}

// Calls `visit` for each stored chunk, as far as its rows came from the raw rows `first_row` to first_row +
// rows - 1. Stored rows are in the order of the raw ones, so nothing before the row in front of these is
// read, and nothing beyond their chunk. kConflict when the rows were replaced meanwhile.
Status for_each_sample_chunk(store::Store& store, Days date, const prep::Preparation& preparation,
                             std::string_view split, const std::function<Status(const SampleChunk&)>& visit,
                             uint64_t first_row = 0, uint64_t rows = UINT64_MAX, uint64_t seed = 0) {
  const size_t C = preparation.categorical.size(), N = preparation.numeric.size();
  SampleChunk out;
  Samples& samples = out.samples;
  bool enough = false;
  const std::string partition = partition_of(date, preparation);
  MAEIL_ASSIGN(const uint64_t position, first_position(store, partition, first_row));
  // With the row in front, if there is one: exactly that one is before `first_row`, or the rows are others by
  // now.
  const uint64_t in_front = std::min<uint64_t>(position, 1);
  uint64_t before = 0;
  const store::RowSpan span{position - in_front, std::max(rows, rows + in_front)};
  const Status read = store.read_rows(
      kRows, partition, {},
      [&](const store::RowChunk& chunk) -> Status {
        // Columns are in the order of row_chunk (prepare.cc): row, split, C codes, N numbers, label, dates.
        if (chunk.size() < 3 + C + N)
          return bad_input("processed_data: the stored rows have other columns than the model reads");
        const auto& raw_rows = values_of<int64_t>(chunk[0]);
        const auto& splits = values_of<std::string>(chunk[1]);
        const auto& labels = values_of<int64_t>(chunk[2 + C + N]);
        std::vector<size_t> picked;
        samples.labels.clear();
        out.validation.clear();
        out.unlabelled = 0;
        const ValidationRows validation(chunk, seed, date);
        for (size_t i = 0; i < splits.size(); ++i) {
          const auto row = static_cast<uint64_t>(raw_rows[i]);
          before += row < first_row;
          enough |= row >= first_row && row - first_row >= rows;
          if (row < first_row || enough || splits[i] != split) continue;
          if (labels[i] < 0) {
            ++out.unlabelled;
            continue;
          }
          picked.push_back(i);
          out.validation.push_back(validation[i]);
          samples.labels.push_back(static_cast<int32_t>(labels[i]));
        }
        samples.codes.resize(picked.size() * C);
        samples.numbers.resize(picked.size() * N);
        for (size_t f = 0; f < C; ++f) {
          const auto& values = values_of<int64_t>(chunk[2 + f]);
          for (size_t i = 0; i < picked.size(); ++i)
            samples.codes[i * C + f] = static_cast<int32_t>(values[picked[i]]);
        }
        for (size_t f = 0; f < N; ++f) {
          const auto& values = values_of<double>(chunk[2 + C + f]);
          for (size_t i = 0; i < picked.size(); ++i)
            samples.numbers[i * N + f] = static_cast<float>(values[picked[i]]);
        }
        MAEIL_TRY(visit(out));
        return enough ? fail(ErrorCode::kCancelled, "enough") : Status{};
      },
      span);
  if (!read && !(enough && read.error().code == ErrorCode::kCancelled)) return read;
  if (before == in_front) return {};
  return fail(
      ErrorCode::kConflict,
      fmt::format("the rows of {} {} were replaced while they were read: read them again", kRows, partition));
}

}  // namespace

Result<FineRows> read_fine(store::Store& store, Days date, const prep::Preparation& preparation,
                           uint64_t seed) {
  const auto C = static_cast<std::ptrdiff_t>(preparation.categorical.size()),
             N = static_cast<std::ptrdiff_t>(preparation.numeric.size());
  FineRows out;
  const auto take = [&](const SampleChunk& chunk) -> Status {
    const Samples& from = chunk.samples;
    for (std::ptrdiff_t i = 0; i < std::ssize(from.labels); ++i) {
      Samples& to = chunk.validation[static_cast<size_t>(i)] ? out.validation : out.learn;
      to.codes.insert(to.codes.end(), from.codes.begin() + i * C, from.codes.begin() + (i + 1) * C);
      to.numbers.insert(to.numbers.end(), from.numbers.begin() + i * N, from.numbers.begin() + (i + 1) * N);
      to.labels.push_back(from.labels[i]);
    }
    out.unlabelled += chunk.unlabelled;
    return {};
  };
  MAEIL_TRY(for_each_sample_chunk(store, date, preparation, "fine", take, 0, UINT64_MAX, seed));
  return out;
}

Result<Scores> score_split(store::Store& store, Days date, const prep::Preparation& preparation,
                           std::string_view split, const model::ModelFile& model,
                           std::span<const size_t> segments, uint64_t first_row, uint64_t rows) {
  Scores out{.threshold = model::threshold_of(model),
             .segments = std::vector<std::vector<int32_t>>(segments.size())};
  MAEIL_TRY(for_each_sample_chunk(
      store, date, preparation, split,
      [&](const SampleChunk& chunk) -> Status {
        MAEIL_ASSIGN(Scores scores, score_samples(model, chunk.samples, segments));
        scores.unlabelled = chunk.unlabelled;
        append(out, scores);
        return {};
      },
      first_row, rows));
  return out;
}

Result<Scores> score_samples(const model::ModelFile& model, const Samples& samples,
                             std::span<const size_t> segments) {
  Scores out;
  if (samples.rows() > 0) {
    MAEIL_ASSIGN(out.probabilities, model::probabilities(model, samples.view().rows));
  }
  out.labels.assign(samples.labels.begin(), samples.labels.end());
  const size_t C = model.preparation->categorical.size();
  for (const size_t feature : segments) {
    auto& codes = out.segments.emplace_back();
    for (size_t i = 0; i < samples.rows(); ++i) codes.push_back(samples.codes[i * C + feature]);
  }
  return out;
}

void append(Scores& to, const Scores& from) {
  const auto add = [](auto& all, const auto& some) { all.insert(all.end(), some.begin(), some.end()); };
  add(to.probabilities, from.probabilities);
  add(to.labels, from.labels);
  add(to.champion, from.champion);
  add(to.units, from.units);
  to.segments.resize(std::max(to.segments.size(), from.segments.size()));
  for (size_t k = 0; k < from.segments.size(); ++k) add(to.segments[k], from.segments[k]);
  to.unlabelled += from.unlabelled;
}

Result<SplitSizes> split_sizes(store::Store& store, Days date, const prep::Preparation& preparation,
                               uint64_t seed) {
  SplitSizes out;
  // Rows of a dataset with roles have the field, unless an older maeil prepared them.
  const std::vector<std::string> columns =
      preparation.spec ? std::vector<std::string>() : std::vector<std::string>{"row", "split"};
  MAEIL_TRY(store.read_rows(
      kRows, partition_of(date, preparation), columns, [&](const store::RowChunk& chunk) -> Status {
        const ValidationRows validation(chunk, seed, date);
        const auto& splits = values_of<std::string>(chunk[1]);
        for (size_t i = 0; i < splits.size(); ++i) {
          ++(splits[i] == "train" ? out.train : splits[i] == "fine" ? out.fine : out.test);
          out.validation += splits[i] == "fine" && validation[i];
        }
        return {};
      }));
  return out;
}

}  // namespace maeil::loop
