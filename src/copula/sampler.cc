// Blocks of 512 rows: normals, correlation, then column by column the inverse transform, so that a column's
// table is in cache while it is used. The normals of a block are drawn in the rows' order and then put
// together by class, so that each class multiplies only its own rows and a column's table serves a run of
// rows.
#include "copula/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/threads.h"
#include "copula/column_draw.h"
#include "copula/normal_block.h"

namespace maeil::copula {
namespace {

constexpr size_t kLaneRows = 8;  // a class's rows begin at a multiple of this, as correlate_rows needs

struct ClassDraw {
  std::vector<float> factor;           // (L,L)
  std::vector<ColumnDraw> columns;     // (C)
  std::vector<CategoryDraw> patterns;  // (G) codes of Prepared::missing
};

// New values where the column has one.
void generate(const table::IdentifierWriter& writer, uint64_t first_row, uint64_t seed, Column& column) {
  if (column.type == ColumnType::kNumber) {
    for (size_t i = 0; i < column.numbers.size(); ++i) {
      if (!column.is_missing(i)) column.numbers[i] = writer.number(seed, first_row + i);
    }
    return;
  }
  column.dictionary.resize(column.codes.size());
  for (size_t i = 0; i < column.codes.size(); ++i) {
    if (column.codes[i] == kMissing) {
      column.dictionary[i].clear();
      continue;
    }
    writer.write(seed, first_row + i, column.dictionary[i]);
    column.codes[i] = static_cast<uint32_t>(i);
  }
}

}  // namespace

struct MixtureSampler::Prepared {
  size_t C = 0, L = 0;
  // a class word below it (and not below the one before) is the class; the last is 2^32
  std::vector<uint64_t> below;
  std::vector<ClassDraw> classes;
  std::vector<MissingSets> missing_sets;  // (G)
  // (G) labels by code: character s is '1' where set s is missing
  std::vector<std::vector<std::string>> missing;
  std::vector<table::Constraint> constraints;
  std::vector<table::ValueRange> ranges;  // (C)
  TextDraws texts;
  std::vector<std::pair<size_t, table::IdentifierWriter>> generated;  // by column
  Table empty;
};

MixtureSampler::MixtureSampler(std::unique_ptr<const Prepared> prepared) : prepared_(std::move(prepared)) {}
MixtureSampler::~MixtureSampler() = default;
MixtureSampler::MixtureSampler(MixtureSampler&&) noexcept = default;

Result<MixtureSampler> MixtureSampler::make(const Mixture& mixture) {
  auto prepared = std::make_unique<Prepared>();
  Prepared& p = *prepared;
  p.C = mixture.columns();
  p.L = mixture.classes.front().copula.columns.size();
  p.missing_sets = mixture.missing_sets;
  p.missing.resize(p.missing_sets.size());
  p.constraints = mixture.constraints;
  p.ranges = value_ranges(mixture);
  p.empty.columns.resize(p.C);
  // Over their sum, which may be 1e-6 off: else the last class, whose share may be 0, would get what is
  // missing.
  double share = 0, shares = 0;
  for (const auto& part : mixture.classes) shares += part.share;
  for (const auto& part : mixture.classes) {
    share += part.share;
    p.below.push_back(static_cast<uint64_t>(std::llround(std::min(share / shares, 1.0) * 0x1p32)));
  }
  p.below.back() = uint64_t{1} << 32;
  const size_t K = mixture.classes.size();
  p.classes.resize(K);
  parallel_for(K, 1, [&](size_t first, size_t last) {
    for (size_t k = first; k < last; ++k) p.classes[k].factor = correlation_factor(mixture.classes[k].copula);
  });
  std::vector<std::vector<ColumnDraw>> by_column(p.L);
  parallel_for(p.L, 1, [&](size_t first, size_t last) {
    for (size_t c = first; c < last; ++c) {
      std::unordered_map<std::string, uint32_t> known;
      std::vector<std::string> dictionary;
      for (const auto& part : mixture.classes) {
        const auto& from = part.copula.columns[c];
        if (const auto* category = std::get_if<CategoryOutput>(&from.output))
          by_column[c].emplace_back(CategoryDraw(from.marginal, *category, dictionary, known));
        else
          by_column[c].emplace_back(NumberDraw(from.marginal, std::get<NumberOutput>(from.output)));
      }
      if (c >= p.C) {
        p.missing[c - p.C] = std::move(dictionary);
        continue;
      }
      Column& column = p.empty.columns[c];
      column.name = mixture.classes.front().copula.columns[c].name;
      column.type = std::holds_alternative<CategoryDraw>(by_column[c].front()) ? ColumnType::kText
                                                                               : ColumnType::kNumber;
      column.dictionary = std::move(dictionary);
    }
  });
  for (size_t c = 0; c < p.L; ++c) {
    for (size_t k = 0; k < K; ++k) {
      if (c < p.C)
        p.classes[k].columns.push_back(std::move(by_column[c][k]));
      else
        p.classes[k].patterns.push_back(std::move(std::get<CategoryDraw>(by_column[c][k])));
    }
  }
  p.texts = TextDraws(mixture.classes.front().copula.columns, p.C);
  for (const auto& one : mixture.generated) {
    const auto* column = p.empty.find(one.name);
    const auto c = static_cast<size_t>(column - p.empty.columns.data());
    p.generated.emplace_back(c, table::IdentifierWriter(one.pattern, c));
  }
  Table none = p.empty;
  for (size_t c = 0; c < p.C; ++c) {
    if (is_text(mixture.classes.front().copula.columns[c])) none.columns[c].type = ColumnType::kText;
  }
  MAEIL_TRY(table::apply_constraints(p.constraints, none, p.ranges));
  return MixtureSampler(std::move(prepared));
}

void MixtureSampler::draw(uint64_t first_row, uint64_t rows, uint64_t seed, Table& out) const {
  const Prepared& p = *prepared_;
  const size_t K = p.classes.size(), stride = kBlockRows + K * kLaneRows;
  thread_local std::vector<float> z, column_z;
  thread_local std::vector<uint32_t> words, place, codes;
  thread_local std::vector<double> numbers;
  z.resize(p.L * stride);
  column_z.resize(kBlockRows);
  words.resize(kBlockRows);
  place.resize(kBlockRows);
  codes.resize(stride);
  numbers.resize(stride);
  if (out.columns.size() != p.C) out = p.empty;
  p.texts.begin(out);
  out.rows = rows;
  for (auto& column : out.columns) {
    if (column.type == ColumnType::kText)
      column.codes.resize(rows);
    else
      column.numbers.resize(rows);
  }
  std::vector<size_t> begin(K), count(K);
  const uint64_t end = first_row + rows;
  for (uint64_t start = first_row; start < end;) {
    const uint64_t block = start / kBlockRows, block_row = block * kBlockRows;
    const size_t from = start - block_row, to = std::min(end - block_row, uint64_t{kBlockRows}),
                 at = start - first_row;
    // place[row]: where the row's normals lie, its class's rows together.
    philox_words(seed, RandomStream::kCopulaClass, block, 0, words.data());
    std::fill(count.begin(), count.end(), 0);
    const auto class_of = [&](size_t row) {
      return static_cast<size_t>(std::upper_bound(p.below.begin(), p.below.end(), uint64_t{words[row]}) -
                                 p.below.begin());
    };
    for (size_t row = 0; row < kBlockRows; ++row) ++count[class_of(row)];
    size_t next = 0;
    for (size_t k = 0; k < K; ++k) {
      begin[k] = next;
      next += (count[k] + kLaneRows - 1) / kLaneRows * kLaneRows;
    }
    std::fill(count.begin(), count.end(), 0);
    for (size_t row = 0; row < kBlockRows; ++row) {
      const size_t k = class_of(row);
      place[row] = static_cast<uint32_t>(begin[k] + count[k]++);
    }
    for (size_t c = 0; c < p.L; ++c) {
      philox_words(seed, RandomStream::kCopula, block, static_cast<uint32_t>(c), words.data());
      box_muller(words.data(), kBlockRows / 2, column_z.data());
      float* to_z = &z[c * stride];
      for (size_t row = 0; row < kBlockRows; ++row) to_z[place[row]] = column_z[row];
    }
    for (size_t k = 0; k < K; ++k) {
      if (count[k] > 0)
        correlate_rows(p.classes[k].factor, p.L, z.data() + begin[k], stride,
                       (count[k] + kLaneRows - 1) / kLaneRows * kLaneRows);
    }
    for (size_t c = 0; c < p.C; ++c) {
      Column& column = out.columns[c];
      for (size_t k = 0; k < K; ++k) {
        const float* scores = &z[c * stride + begin[k]];
        if (const auto* category = std::get_if<CategoryDraw>(&p.classes[k].columns[c])) {
          (*category)(scores, count[k], &codes[begin[k]]);
          continue;
        }
        const auto& number = std::get<NumberDraw>(p.classes[k].columns[c]);
        if (number.missing_below)
          philox_words(seed, RandomStream::kCopulaNulls, block, static_cast<uint32_t>(c), words.data());
        number(scores, number.missing_below ? words.data() : nullptr, count[k], &numbers[begin[k]]);
      }
      if (column.type == ColumnType::kText) {
        for (size_t row = from; row < to; ++row) column.codes[at + row - from] = codes[place[row]];
      } else {
        for (size_t row = from; row < to; ++row) column.numbers[at + row - from] = numbers[place[row]];
      }
    }
    for (size_t g = 0; g < p.missing_sets.size(); ++g) {
      for (size_t k = 0; k < K; ++k)
        p.classes[k].patterns[g](&z[(p.C + g) * stride + begin[k]], count[k], &codes[begin[k]]);
      for (size_t s = 0; s < p.missing_sets[g].size(); ++s) {
        for (const size_t c : p.missing_sets[g][s]) {
          Column& column = out.columns[c];
          for (size_t row = from; row < to; ++row) {
            if (p.missing[g][codes[place[row]]][s] != '1') continue;
            if (column.type == ColumnType::kText)
              column.codes[at + row - from] = kMissing;
            else
              column.numbers[at + row - from] = std::numeric_limits<double>::quiet_NaN();
          }
        }
      }
    }
    start = block_row + to;
  }
  p.texts.end(first_row, out);
  for (const auto& [c, writer] : p.generated) generate(writer, first_row, seed, out.columns[c]);
  // Their columns were checked by make().
  static_cast<void>(table::apply_constraints(p.constraints, out, p.ranges));
}

}  // namespace maeil::copula
