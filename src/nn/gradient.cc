// Pieces of a batch, their sums, and the gradients of the embedding tables.
#include "nn/gradient.h"

#include <algorithm>
#include <bit>

#include "base/threads.h"

namespace maeil::nn {
namespace {

// At most this many partial sums: enough pieces for 32 threads, 6.6 MB for the standard model.
constexpr size_t kPieces = 32;

}  // namespace

bool all_finite(std::span<const float> values) {
  uint32_t largest = 0;
  for (float value : values) largest = std::max(largest, std::bit_cast<uint32_t>(value) & 0x7FFFFFFFu);
  return largest < 0x7F800000u;
}

BatchGradient::BatchGradient(const ModelShape& shape, float dropout, uint64_t seed,
                             kernels::Implementation implementation)
    : shape_(shape),
      rate_(kernels::dropout_rate(dropout)),
      seed_(seed),
      weights_(shape.encoder(), implementation) {}

kernels::RowDropout BatchGradient::row_dropout(uint64_t step, size_t row) const {
  return {rate_, seed_, step, static_cast<uint32_t>(row)};
}

void BatchGradient::ensure_workers() {
  const size_t threads = static_cast<size_t>(thread_count());
  if (workers_.size() >= threads) return;
  workers_.resize(threads);
  for (Worker& worker : workers_) {
    worker.tokens.resize(size_t(shape_.tokens()) * shape_.width);
    worker.pooled.resize(shape_.width);
    worker.pooled_gradient.resize(shape_.width);
  }
}

void BatchGradient::pool(const Parameters& parameters, std::span<const float> unknown, const Rows& rows,
                         uint64_t step, std::span<float> pooled) {
  ensure_workers();
  weights_.pack(parameters.values.data() + parameters.layers());
  const size_t c = size_t(shape_.categorical()), n = size_t(shape_.numeric), width = size_t(shape_.width);
  parallel_for_workers(rows.count, 1, [&](size_t first, size_t last, int id) {
    Worker& worker = workers_[id];
    for (size_t row = first; row < last; ++row) {
      embed_row(parameters, unknown, rows.codes.data() + row * c, rows.numbers.data() + row * n,
                worker.tokens.data());
      kernels::encoder_forward_training(weights_, worker.tokens.data(), row_dropout(step, row),
                                        pooled.data() + row * width, worker.scratch);
    }
  });
}

void BatchGradient::run(const Parameters& parameters, std::span<const float> unknown, const Rows& rows,
                        uint64_t step, const Head& head, std::span<float> gradients) {
  ensure_workers();
  weights_.pack(parameters.values.data() + parameters.layers());
  const size_t c = size_t(shape_.categorical()), n = size_t(shape_.numeric);
  const size_t row_size = size_t(shape_.tokens()) * shape_.width;
  const size_t encoder = kernels::folded_gradient_size(weights_),
               fc = parameters.values.size() - parameters.head();
  const size_t grain = (rows.count + kPieces - 1) / kPieces,
               pieces = grain == 0 ? 0 : (rows.count + grain - 1) / grain;
  token_gradients_.resize(std::max(token_gradients_.size(), rows.count * row_size));
  pieces_.resize(std::max(pieces_.size(), pieces));

  parallel_for_workers(pieces, 1, [&](size_t piece, size_t, int id) {
    Worker& worker = workers_[id];
    std::vector<float>& sum = pieces_[piece];
    sum.assign(encoder + fc, 0.0f);
    for (size_t row = piece * grain; row < std::min(rows.count, (piece + 1) * grain); ++row) {
      const kernels::RowDropout dropout = row_dropout(step, row);
      embed_row(parameters, unknown, rows.codes.data() + row * c, rows.numbers.data() + row * n,
                worker.tokens.data());
      kernels::encoder_forward_training(weights_, worker.tokens.data(), dropout, worker.pooled.data(),
                                        worker.scratch);
      head(row, worker.pooled.data(), dropout, worker.pooled_gradient.data(), sum.data() + encoder);
      kernels::encoder_backward(weights_, worker.pooled_gradient.data(), dropout,
                                token_gradients_.data() + row * row_size, sum.data(), worker.scratch);
    }
  });
  if (pieces == 0) return std::fill(gradients.begin(), gradients.end(), 0.0f);

  float* total = pieces_[0].data();
  parallel_for(encoder + fc, 8192, [&](size_t first, size_t last) {
    for (size_t piece = 1; piece < pieces; ++piece) {
      const float* part = pieces_[piece].data();
      for (size_t i = first; i < last; ++i) total[i] += part[i];
    }
  });
  kernels::unfold_gradient(weights_, parameters.values.data() + parameters.layers(), total,
                           gradients.data() + parameters.layers());
  std::copy(total + encoder, total + encoder + fc, gradients.data() + parameters.head());
  add_embedding_gradients(parameters, rows, gradients);
}

void BatchGradient::add_embedding_gradients(const Parameters& parameters, const Rows& rows,
                                            std::span<float> gradients) {
  const size_t c = size_t(shape_.categorical()), n = size_t(shape_.numeric), width = size_t(shape_.width);
  const size_t row_size = (c + n) * width;
  std::fill(gradients.begin(), gradients.begin() + parameters.layers(), 0.0f);
  parallel_for(c, 8, [&](size_t first, size_t last) {
    for (size_t f = first; f < last; ++f) {
      float* table = gradients.data() + parameters.embedding(static_cast<int>(f));
      for (size_t row = 0; row < rows.count; ++row) {
        const int32_t code = rows.codes[row * c + f];
        if (code < 0) continue;  // the unknown embedding is a constant
        const float* gradient = token_gradients_.data() + row * row_size + f * width;
        for (size_t d = 0; d < width; ++d) table[code * width + d] += gradient[d];
      }
    }
  });
  parallel_for(n, 8, [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      float* weight = gradients.data() + parameters.numeric_weight(static_cast<int>(i));
      float* bias = gradients.data() + parameters.numeric_bias(static_cast<int>(i));
      for (size_t row = 0; row < rows.count; ++row) {
        const float number = rows.numbers[row * n + i];
        const float* gradient = token_gradients_.data() + row * row_size + (c + i) * width;
        for (size_t d = 0; d < width; ++d) weight[d] += gradient[d] * number, bias[d] += gradient[d];
      }
    }
  });
}

}  // namespace maeil::nn
