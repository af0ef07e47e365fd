// A small made-up book for the tests of models: two categories, three numbers, some values missing.
#pragma once

#include <cmath>
#include <limits>

#include "base/philox.h"
#include "model/samples.h"
#include "prep/preparation.h"
#include "table/dataset_spec.h"

namespace maeil::model {

inline prep::Preparation book_preparation() {
  prep::Preparation out;
  out.dataset = "book";
  std::vector<std::string> sectors;
  for (int i = 10; i < 50; ++i) sectors.push_back("S" + std::to_string(i));
  out.categorical = {{"grade", "grade", false, {"A", "B", "C"}, 3}, {"sector", "sector", false, sectors, 40}};
  out.numeric = {{.name = "rate"}, {.name = "leverage"}, {.name = "noise"}};
  out.keep_missing = true;
  return out;
}

inline const table::DatasetSpec& book_spec() {
  static const table::DatasetSpec made = table::parse_dataset_spec(R"(name = "book"
columns = [ { name = "grade", type = "text" }, { name = "sector", type = "text" },
            { name = "rate", type = "number" }, { name = "leverage", type = "number" },
            { name = "noise", type = "number" }, { name = "bad", type = "text" } ]
target = { column = "bad", negative = "N", positive = "Y" }
)",
                                                                   "book.toml")
                                             .value();
  return made;
}

// The true log odds of a row: an interaction of category and number, every third sector worse, a missing rate
// worse than any.
inline double book_log_odds(const int32_t* codes, const float* numbers) {
  const double rate = std::isnan(numbers[0]) ? 3.0 : numbers[0];
  return -3 + rate * (codes[0] == 2 ? 1.0 : 0.2) + (codes[1] % 3 == 0 ? 1.5 : 0.0) - 0.8 * numbers[1];
}

inline Samples draw_book(size_t rows, uint64_t seed) {
  Samples out;
  for (size_t i = 0; i < rows; ++i) {
    RandomSequence random(seed, RandomStream::kShift, i);
    const auto normal = [&] {
      const double radius = std::sqrt(-2 * std::log(random.next_uniform()));
      return static_cast<float>(radius * std::cos(6.283185307179586 * random.next_uniform()));
    };
    const int32_t codes[] = {static_cast<int32_t>(random.next_below(3)),
                             static_cast<int32_t>(random.next_below(40))};
    float numbers[] = {normal(), normal(), normal()};
    if (random.next_uniform() < 0.1) numbers[0] = std::numeric_limits<float>::quiet_NaN();
    const double p = 1 / (1 + std::exp(-book_log_odds(codes, numbers)));
    out.codes.insert(out.codes.end(), std::begin(codes), std::end(codes));
    out.numbers.insert(out.numbers.end(), std::begin(numbers), std::end(numbers));
    out.labels.push_back(random.next_uniform() < p);
  }
  return out;
}

}  // namespace maeil::model
