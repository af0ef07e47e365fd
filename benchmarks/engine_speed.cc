// Training and scoring speed of the engine: the peer of benchmarks/peers/engine.py, with the same arguments
// and protocol.
//
//   engine_speed --model F.pth --data FOLDER --mode train|score --batch B --threads T
//
// Prints one line of JSON with the answers to compare; then, for every line on stdin, runs about a second and
// prints {"rows_per_second": ...}.
#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "base/threads.h"
#include "kernels/encoder.h"
#include "kernels/instruction_set.h"
#include "nn/checkpoint.h"
#include "nn/score.h"
#include "nn/train.h"

namespace {

using namespace maeil;
using Json = nlohmann::json;

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::cerr << "engine_speed: " << result.error().message << "\n";
  std::exit(exit_code(result.error().code));
}

std::vector<float> read_numbers(const std::string& path) {
  std::ifstream in(path);
  std::vector<float> values;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, ',');) values.push_back(std::stof(field));
  }
  if (values.empty()) must<int>(not_found(path + " is absent or empty"));
  return values;
}

// The file's rows, again and again until there are `least`.
struct Data {
  std::vector<int32_t> codes, labels;
  std::vector<float> numbers;
  Data(const std::string& folder, size_t least) {
    const auto cat = read_numbers(folder + "/classifier_cat.csv"),
               label = read_numbers(folder + "/classifier_label.csv");
    const auto num = read_numbers(folder + "/classifier_num.csv");
    while (labels.size() < least || labels.empty()) {
      codes.insert(codes.end(), cat.begin(), cat.end());
      numbers.insert(numbers.end(), num.begin(), num.end());
      labels.insert(labels.end(), label.begin(), label.end());
    }
  }
  nn::LabelledRows rows(const nn::ModelShape& shape, size_t first, size_t count) const {
    return {nn::Rows{codes, numbers, labels.size()}.slice(shape, first, count),
            std::span(labels).subspan(first, count)};
  }
};

nn::Parameters read_model(const std::string& path) {
  const std::string bytes = must(read_file(path));
  return must(nn::load_parameters(*must(format::open_checkpoint(bytes, path)), 4)).parameters;
}

double rate(size_t batch, const std::function<void()>& call) {
  call();
  const auto begin = std::chrono::steady_clock::now();
  std::chrono::duration<double> passed{0};
  size_t calls = 0;
  for (; calls < 3 || passed.count() < 1.0; ++calls) {
    call();
    passed = std::chrono::steady_clock::now() - begin;
  }
  return static_cast<double>((calls)*batch) / passed.count();
}

}  // namespace

int main(int argc, char** argv) {
  std::string model, folder, mode;
  size_t batch = 16;
  int threads = 0;
  CLI::App app("training and scoring speed of maeil's engine");
  app.add_option("--model", model)->required();
  app.add_option("--data", folder)->required();
  app.add_option("--mode", mode)->required()->check(CLI::IsMember({"train", "score"}));
  app.add_option("--batch", batch)->check(CLI::PositiveNumber);
  app.add_option("--threads", threads)->check(CLI::Range(0, 1024));
  CLI11_PARSE(app, argc, argv);
  set_thread_count(threads);

  const nn::Parameters parameters = read_model(model);
  const nn::ModelShape shape = parameters.shape;
  const Data data(folder, std::max<size_t>(batch, 64));
  Json answer = {{"versions", std::string("maeil, ") + kernels::instruction_set()}};
  const std::vector<float> class_weight{0.55f, 5.5f};
  std::function<void()> call;
  std::optional<nn::Trainer> trainer;
  std::optional<nn::Scorer> scorer;
  std::vector<float> logits;
  if (mode == "train") {
    nn::Trainer exact = must(
        nn::Trainer::make(parameters, {.learning_rate = 1e-4f, .dropout = 0, .class_weights = class_weight}));
    for (size_t first : {0, 16, 32})
      answer["losses"].push_back(must(exact.step(data.rows(shape, first, 16))));
    trainer.emplace(must(nn::Trainer::make(
        parameters, {.learning_rate = 1e-4f, .dropout = 0.3f, .class_weights = class_weight})));
    call = [&] { must(trainer->step(data.rows(shape, 0, batch))); };
  } else {
    scorer.emplace(must(nn::Scorer::make(parameters)));
    const size_t all = std::max<size_t>(batch, 64);
    logits.resize(2 * all);
    if (const auto done = scorer->score(data.rows(shape, 0, all).rows, logits); !done)
      must<int>(tl::unexpected(done.error()));
    for (size_t i = 0; i < all; ++i) answer["logits"].push_back({logits[2 * i], logits[2 * i + 1]});
    logits.resize(2 * batch);
    call = [&] { (void)scorer->score(data.rows(shape, 0, batch).rows, logits); };
  }
  std::cout << answer.dump() << std::endl;
  for (std::string line; std::getline(std::cin, line);)
    std::cout << Json{{"rows_per_second", rate(batch, call)}}.dump() << std::endl;
}
