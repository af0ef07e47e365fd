// Fitting and scoring boosted trees: maeil's side of benchmarks/tree_speed.py.
//
//   tree_speed FOLDER ROUNDS THREADS
//
// FOLDER has codes.i32 (B,C), numbers.f32 (B,N; NaN where missing), labels.i32 (B) and cardinalities.i32 (C),
// row by row, and test_codes.i32 and test_numbers.f32 of rows to score. Prints a line of JSON: seconds of the
// fit and of the scoring, the mean log loss of the rows learnt from, the first probabilities, and the most
// memory that was used.
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <iostream>

#include "base/file.h"
#include "base/threads.h"
#include "model/boosted_trees.h"

namespace {

using namespace maeil;

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::cerr << "tree_speed: " << result.error().message << "\n";
  std::exit(exit_code(result.error().code));
}

template <class T>
std::vector<T> read(const std::string& path) {
  const MappedFile file = must(MappedFile::open(path));
  std::vector<T> out(file.bytes().size() / sizeof(T));
  std::memcpy(out.data(), file.bytes().data(), out.size() * sizeof(T));
  return out;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "tree_speed FOLDER ROUNDS THREADS\n";
    return 2;
  }
  const std::string folder = std::string(argv[1]) + "/";
  set_thread_count(std::stoi(argv[3]));
  model::Samples learn{read<int32_t>(folder + "codes.i32"), read<float>(folder + "numbers.f32"),
                       read<int32_t>(folder + "labels.i32")};
  const auto cardinalities = read<int32_t>(folder + "cardinalities.i32");
  prep::Preparation preparation;
  for (size_t i = 0; i < cardinalities.size(); ++i)
    preparation.categorical.push_back({.name = "c" + std::to_string(i), .cardinality = cardinalities[i]});
  for (size_t i = 0; i < learn.numbers.size() / learn.rows(); ++i)
    preparation.numeric.push_back({.name = "n" + std::to_string(i)});
  const int rounds = std::stoi(argv[2]);
  double loss = 0;
  auto begin = std::chrono::steady_clock::now();
  const auto trees =
      must(model::boosted_trees_learner({.rounds = rounds, .depth = 6, .min_child_weight = 1})
               ->fit(preparation, learn, {}, nullptr, {.epoch = [&](const model::Epoch& epoch) -> Status {
                       loss = 0;
                       for (size_t i = 0; i < epoch.probabilities.size(); ++i)
                         loss -=
                             std::log(learn.labels[i] ? epoch.probabilities[i] : 1 - epoch.probabilities[i]);
                       return {};
                     }}));
  const double fit = seconds_since(begin);
  const auto codes = read<int32_t>(folder + "test_codes.i32");
  const auto numbers = read<float>(folder + "test_numbers.f32");
  const size_t rows = codes.size() / cardinalities.size();
  begin = std::chrono::steady_clock::now();
  const auto scored = must(trees->probabilities({codes, numbers, rows}));
  const double score = seconds_since(begin);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::cout << nlohmann::json{{"fit_seconds", fit},
                              {"score_seconds", score},
                              {"log_loss", loss / static_cast<double>(learn.rows())},
                              {"first", std::vector<double>(scored.begin(), scored.begin() + 5)},
                              {"peak_mib", usage.ru_maxrss / 1024}}
            << "\n";
}
