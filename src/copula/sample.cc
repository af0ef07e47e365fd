// Blocks of 512 rows: normals, correlation, then column by column the inverse transform, so that a column's
// table is in cache while it is used.
#include "copula/sample.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/threads.h"
#include "copula/column_draw.h"
#include "copula/normal_block.h"

namespace maeil::copula {
namespace {

constexpr uint64_t kChunkRows = 1024;

}  // namespace

struct Sampler::Prepared {
  std::vector<float> factor;           // (C,C)
  std::vector<ColumnDraw> transforms;  // (C)
  TextDraws texts;
  Table empty;  // names, types and dictionaries
};

namespace {

// Per worker: (C, kBlockRows) normals, and one column's words.
struct Scratch {
  std::vector<float> z;
  std::vector<uint32_t> words;
};

void draw_normals(const std::vector<float>& factor, size_t C, uint64_t seed, uint64_t block,
                  Scratch& scratch) {
  scratch.z.resize(C * kBlockRows);
  scratch.words.resize(kBlockRows);
  for (size_t c = 0; c < C; ++c) {
    philox_words(seed, RandomStream::kCopula, block, static_cast<uint32_t>(c), scratch.words.data());
    box_muller(scratch.words.data(), kBlockRows / 2, &scratch.z[c * kBlockRows]);
  }
  correlate(factor, C, scratch.z.data());
}

}  // namespace

Sampler::Sampler(const CopulaModel& model) {
  auto prepared = std::make_unique<Prepared>();
  const size_t C = model.columns.size();
  prepared->factor = correlation_factor(model);
  std::vector<std::optional<ColumnDraw>> transforms(C);
  prepared->empty.columns.resize(C);
  parallel_for(C, 1, [&](size_t first, size_t last) {
    for (size_t c = first; c < last; ++c) {
      const auto& from = model.columns[c];
      auto& column = prepared->empty.columns[c];
      column.name = from.name;
      if (const auto* category = std::get_if<CategoryOutput>(&from.output)) {
        column.type = ColumnType::kText;
        std::unordered_map<std::string, uint32_t> known;
        transforms[c].emplace(CategoryDraw(from.marginal, *category, column.dictionary, known));
      } else {
        column.type = ColumnType::kNumber;
        transforms[c].emplace(NumberDraw(from.marginal, std::get<NumberOutput>(from.output)));
      }
    }
  });
  for (auto& transform : transforms) prepared->transforms.push_back(std::move(*transform));
  prepared->texts = TextDraws(model.columns, C);
  prepared_ = std::move(prepared);
}

Sampler::~Sampler() = default;
Sampler::Sampler(Sampler&&) noexcept = default;

void Sampler::draw(uint64_t first_row, uint64_t rows, uint64_t seed, Table& out) const {
  const size_t C = prepared_->transforms.size();
  thread_local Scratch scratch;
  if (out.columns.size() != C) out = prepared_->empty;
  prepared_->texts.begin(out);
  out.rows = rows;
  for (auto& column : out.columns) {
    if (column.type == ColumnType::kText)
      column.codes.resize(rows);
    else
      column.numbers.resize(rows);
  }
  const uint64_t end = first_row + rows;
  for (uint64_t start = first_row; start < end;) {
    const uint64_t block = start / kBlockRows, block_row = block * kBlockRows;
    const size_t from = start - block_row, to = std::min(end - block_row, uint64_t{kBlockRows}),
                 at = start - first_row;
    draw_normals(prepared_->factor, C, seed, block, scratch);
    for (size_t c = 0; c < C; ++c) {
      const float* z = &scratch.z[c * kBlockRows];
      if (const auto* category = std::get_if<CategoryDraw>(&prepared_->transforms[c])) {
        (*category)(z + from, to - from, &out.columns[c].codes[at]);
        continue;
      }
      const auto& number = std::get<NumberDraw>(prepared_->transforms[c]);
      if (number.missing_below)
        philox_words(seed, RandomStream::kCopulaNulls, block, static_cast<uint32_t>(c), scratch.words.data());
      number(z + from, number.missing_below ? scratch.words.data() + from : nullptr, to - from,
             &out.columns[c].numbers[at]);
    }
    start = block_row + to;
  }
  prepared_->texts.end(first_row, out);
}

Status Sampler::sample(uint64_t first_row, uint64_t rows, uint64_t seed,
                       const std::function<Status(const Table& chunk)>& sink) const {
  if (rows > std::numeric_limits<uint64_t>::max() - first_row)
    return usage_error("the rows asked for go beyond row 2^64 - 1");
  return run_pieces<Table>(
      first_row, rows, kChunkRows,
      [&](uint64_t first, uint64_t count, Table& chunk) -> Status {
        draw(first, count, seed, chunk);
        return {};
      },
      [&](Table& chunk) { return sink(chunk); });
}

}  // namespace maeil::copula
