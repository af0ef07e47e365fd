// One piece of four rows at a time per thread: a row takes about 0.4 ms, so pieces balance without waking
// often.
#include "nn/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/threads.h"
#include "nn/gradient.h"
#include "nn/head.h"
#include "nn/slow_shape.h"

namespace maeil::nn {
namespace {

// The smaller of the two, whatever other threads do.
void lower_to(std::atomic<size_t>& least, size_t value) {
  for (size_t seen = least; value < seen && !least.compare_exchange_weak(seen, value);) {
  }
}

}  // namespace

Result<Scorer> Scorer::make(Parameters parameters, std::span<const float> unknown) {
  MAEIL_TRY(check_shape(parameters.shape));
  MAEIL_TRY(check_finite(parameters));
  note_slow_shape(parameters.shape);
  Scorer scorer;
  MAEIL_ASSIGN(scorer.unknown_, unknown_embeddings(parameters, unknown));
  scorer.weights_ = kernels::EncoderWeights(parameters.shape.encoder());
  scorer.weights_.pack(parameters.values.data() + parameters.layers());
  scorer.parameters_ = std::move(parameters);
  return scorer;
}

Status Scorer::score(const Rows& rows, std::span<float> logits, std::span<float> pooled) const {
  const ModelShape& shape = parameters_.shape;
  const size_t classes = size_t(shape.classes), width = size_t(shape.width);
  const size_t c = size_t(shape.categorical()), n = size_t(shape.numeric);
  MAEIL_TRY(check_rows(shape, rows));
  if (logits.size() != rows.count * classes || (!pooled.empty() && pooled.size() != rows.count * width)) {
    return internal_error(fmt::format("room for {} logits and {} pooled values, but {} rows to score",
                                      logits.size(), pooled.size(), rows.count));
  }
  // Memory of each worker, made when it takes its first piece.
  struct Worker {
    kernels::EncoderScratch scratch;
    std::vector<float> tokens, mean, hidden;
  };
  std::vector<Worker> workers(static_cast<size_t>(thread_count()));
  std::atomic<size_t> overflowed{rows.count};  // the first row whose result is not finite
  parallel_for_workers(rows.count, 4, [&](size_t first, size_t last, int id) {
    Worker& worker = workers[id];
    worker.tokens.resize(size_t(shape.tokens()) * width);
    worker.mean.resize(width);
    worker.hidden.resize(shape.head_hidden);
    for (size_t row = first; row < last; ++row) {
      embed_row(parameters_, unknown_, rows.codes.data() + row * c, rows.numbers.data() + row * n,
                worker.tokens.data());
      kernels::encoder_forward(weights_, worker.tokens.data(), worker.mean.data(), worker.scratch);
      head_forward(shape, parameters_.values.data() + parameters_.head(), worker.mean.data(),
                   kernels::RowDropout{}, worker.hidden.data(), logits.data() + row * classes);
      if (!pooled.empty()) std::copy(worker.mean.begin(), worker.mean.end(), pooled.begin() + row * width);
      if (!all_finite(worker.mean) || !all_finite(logits.subspan(row * classes, classes)))
        lower_to(overflowed, row);
    }
  });
  if (overflowed < rows.count) {
    return bad_input(
        fmt::format("row {}: the model's result is not finite: its weights or the row's numbers are so large "
                    "that float32 overflows",
                    overflowed.load()));
  }
  return {};
}

void probabilities(std::span<const float> logits, std::span<double> probability) {
  for (size_t i = 0; i < probability.size(); ++i) {
    probability[i] =
        1 / (1 + std::exp(static_cast<double>(logits[2 * i]) - static_cast<double>(logits[2 * i + 1])));
  }
}

}  // namespace maeil::nn
