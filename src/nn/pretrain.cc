// The pre-training loop: two masked views of each row, projection head, NT-Xent, Adam.
//
// The loss ties all rows of a batch together, so a step runs forward over all views first and once more, row
// by row, before each row's backward pass: a third more work than keeping 0.9 MB of activations for each of
// the views.
#include "nn/pretrain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/philox.h"
#include "base/threads.h"
#include "kernels/adam.h"
#include "nn/divergence.h"
#include "nn/gradient.h"
#include "nn/slow_shape.h"

namespace maeil::nn {
namespace {

// Two linear layers with a ReLU between, (D) -> (D) -> (projection); parameters in one array: w0, b0, w2, b2.
struct Projection {
  size_t width, out;
  size_t b0() const { return width * width; }
  size_t w2() const { return b0() + width; }
  size_t b2() const { return w2() + out * width; }
  size_t size() const { return b2() + out; }

  void forward(const float* p, const float* x, float* hidden, float* z) const {
    for (size_t h = 0; h < width; ++h) {
      float sum = p[b0() + h];
      for (size_t d = 0; d < width; ++d) sum += p[h * width + d] * x[d];
      hidden[h] = std::max(sum, 0.0f);
    }
    for (size_t o = 0; o < out; ++o) {
      float sum = p[b2() + o];
      for (size_t h = 0; h < width; ++h) sum += p[w2() + o * width + h] * hidden[h];
      z[o] = sum;
    }
  }
  // Adds to `g`; overwrites dx.
  void backward(const float* p, const float* x, const float* hidden, const float* dz, float* dx,
                float* g) const {
    std::fill(dx, dx + width, 0.0f);
    for (size_t o = 0; o < out; ++o) {
      g[b2() + o] += dz[o];
      for (size_t h = 0; h < width; ++h) g[w2() + o * width + h] += dz[o] * hidden[h];
    }
    for (size_t h = 0; h < width; ++h) {
      if (!(hidden[h] > 0)) continue;
      float dh = 0;
      for (size_t o = 0; o < out; ++o) dh += dz[o] * p[w2() + o * width + h];
      g[b0() + h] += dh;
      for (size_t d = 0; d < width; ++d) g[h * width + d] += dh * x[d], dx[d] += dh * p[h * width + d];
    }
  }
};

// The tensors in a state_dict's order, drawn as PyTorch initialises linear layers.
void initialise_projection(const Projection& shape, uint64_t seed, Pretrained& result) {
  const int64_t d = static_cast<int64_t>(shape.width), o = static_cast<int64_t>(shape.out);
  result.projection_tensors = {{"0.weight", {d, d}, 0, shape.b0()},
                               {"0.bias", {d}, shape.b0(), shape.width},
                               {"2.weight", {o, d}, shape.w2(), shape.out * shape.width},
                               {"2.bias", {o}, shape.b2(), shape.out}};
  // the blocks before are the model's
  RandomSequence random(seed, RandomStream::kInit, result.parameters.tensors.size());
  result.projection.resize(shape.size());
  const double bound = 1 / std::sqrt(static_cast<double>(shape.width));
  for (float& value : result.projection) value = static_cast<float>((2 * random.next_uniform() - 1) * bound);
}

// Doubles the batch: rows 0..n-1 are the first views, n..2n-1 the second, each entry set to 0 with
// probability `mask`.
void make_views(RowBuffer& batch, float mask, uint64_t seed, uint64_t step) {
  const size_t codes = batch.codes.size(), numbers = batch.numbers.size();
  batch.codes.resize(2 * codes), batch.numbers.resize(2 * numbers);
  std::copy_n(batch.codes.begin(), codes, batch.codes.begin() + codes);
  std::copy_n(batch.numbers.begin(), numbers, batch.numbers.begin() + numbers);
  const uint32_t threshold =
      static_cast<uint32_t>(std::min(4294967295.0, std::ldexp(static_cast<double>(mask), 32)));
  RandomSequence random(seed, RandomStream::kMask, step);
  for (int32_t& code : batch.codes) code = random.next_u32() < threshold ? 0 : code;
  for (float& number : batch.numbers) number = random.next_u32() < threshold ? 0 : number;
}

Status check_options(const PretrainOptions& o) {
  MAEIL_TRY(check_rates(o.learning_rate, o.dropout));
  if (o.epochs < 1 || o.batch < 2 || o.projection < 1 || o.projection > 65536) {
    return usage_error(fmt::format(
        "pre-training for {} epochs, batches of {} rows, projections of {}: a batch needs two rows", o.epochs,
        o.batch, o.projection));
  }
  if (!(o.mask >= 0 && o.mask <= 1))
    return usage_error(fmt::format("mask share {} is not in [0, 1]", o.mask));
  if (!(o.temperature > 0)) return usage_error(fmt::format("temperature {} is not positive", o.temperature));
  return {};
}

struct AdamState {
  explicit AdamState(size_t n) : m(n), v(n) {}
  std::vector<float> m, v;
  void step(const kernels::AdamOptions& adam, int64_t step, size_t n, const float* gradient,
            float* parameter) {
    parallel_for(n, 16384, [&](size_t first, size_t last) {
      kernels::adam_step(adam, step, last - first, gradient + first, m.data() + first, v.data() + first,
                         parameter + first);
    });
  }
};

// One epoch's worth of state shared by its steps.
class Pretrainer {
 public:
  Pretrainer(Pretrained& result, const PretrainOptions& options, std::vector<float> unknown)
      : result_(result),
        options_(options),
        unknown_(std::move(unknown)),
        projection_{size_t(result.parameters.shape.width), size_t(options.projection)},
        batch_(result.parameters.shape, options.dropout, options.seed),
        encoder_adam_(result.parameters.encoder_size()),
        projection_adam_(projection_.size()),
        gradients_(result.parameters.values.size()) {
    initialise_projection(projection_, options.seed, result_);
  }

  // The loss of n rows, of which `views` holds the 2n views, with the dropout of step `step`; leaves its
  // gradient in dz_.
  double loss(const Rows& views, uint64_t step) {
    const size_t n = views.count / 2, width = projection_.width, out = projection_.out;
    pooled_.resize(2 * n * width), hidden_.resize(2 * n * width), pooled_gradient_.resize(2 * n * width);
    z_.resize(2 * n * out), dz_.resize(2 * n * out);
    batch_.pool(result_.parameters, unknown_, views, step, pooled_);
    const float* p = result_.projection.data();
    for (size_t i = 0; i < 2 * n; ++i) {
      projection_.forward(p, pooled_.data() + i * width, hidden_.data() + i * width, z_.data() + i * out);
    }
    const std::span<float> z(z_), dz(dz_);
    return nt_xent(z.first(n * out), z.subspan(n * out), n, out, options_.temperature, dz.first(n * out),
                   dz.subspan(n * out));
  }

  // One step on n rows, of which `views` holds the 2n views; the loss before it.
  Result<double> step(const Rows& views) {
    const size_t n = views.count / 2, width = projection_.width, out = projection_.out;
    const double before = loss(views, step_);
    const float* p = result_.projection.data();
    projection_gradient_.assign(projection_.size(), 0.0f);
    for (size_t i = 0; i < 2 * n; ++i) {
      projection_.backward(p, pooled_.data() + i * width, hidden_.data() + i * width, dz_.data() + i * out,
                           pooled_gradient_.data() + i * width, projection_gradient_.data());
    }
    const auto head = [&](size_t row, const float*, const kernels::RowDropout&, float* pooled_gradient,
                          float*) {
      std::copy_n(pooled_gradient_.data() + row * width, width, pooled_gradient);
    };
    batch_.run(result_.parameters, unknown_, views, step_, head, gradients_);
    if (!std::isfinite(before) || !all_finite(gradients_)) return not_finite_error("pre-training", step_ + 1);
    ++step_;
    const kernels::AdamOptions adam{.learning_rate = options_.learning_rate};
    const int64_t t = static_cast<int64_t>(step_);
    encoder_adam_.step(adam, t, result_.parameters.encoder_size(), gradients_.data(),
                       result_.parameters.values.data());
    projection_adam_.step(adam, t, projection_.size(), projection_gradient_.data(),
                          result_.projection.data());
    if (!all_finite(result_.parameters.values) || !all_finite(result_.projection))
      return not_finite_error("pre-training", step_);
    return before;
  }
  uint64_t steps() const { return step_; }

 private:
  Pretrained& result_;
  const PretrainOptions& options_;
  std::vector<float> unknown_;
  Projection projection_;
  BatchGradient batch_;
  AdamState encoder_adam_, projection_adam_;
  std::vector<float> gradients_, projection_gradient_;  // as the parameters
  // (2n, D) thrice, (2n, projection) twice
  std::vector<float> pooled_, hidden_, pooled_gradient_, z_, dz_;
  uint64_t step_ = 0;
};

// The untrained encoder's mean loss over the first batches of `order`, 256 rows of them: see has_collapsed.
template <class ViewsOf>
double loss_at_start(Pretrainer& pretrainer, const ViewsOf& views_of, std::span<const uint32_t> order,
                     size_t batch) {
  constexpr size_t kRows = 256;
  double sum = 0;
  uint64_t batches = 0;
  for (size_t first = 0; first + 1 < order.size() && first < kRows; first += batch, ++batches) {
    sum += pretrainer.loss(views_of(order, first, batches), batches);
  }
  return sum / static_cast<double>(batches);
}

}  // namespace

Result<Pretrained> pretrain_encoder(Parameters parameters, const Rows& rows, const PretrainOptions& options,
                                    const TrainCallbacks& callbacks) {
  const ModelShape shape = parameters.shape;
  MAEIL_TRY(check_shape(shape));
  MAEIL_TRY(check_options(options));
  MAEIL_TRY(check_rows(shape, rows));
  if (rows.count < 2) return bad_input(fmt::format("{} rows are too few to pre-train on", rows.count));
  MAEIL_ASSIGN(std::vector<float> unknown, unknown_embeddings(parameters, options.unknown_embeddings));
  Pretrained result{std::move(parameters), {}, {}};
  Pretrainer pretrainer(result, options, std::move(unknown));
  note_slow_shape(shape);
  RowBuffer buffer;
  // Two views of the rows from `first` on, at most a batch of them, as the step of that number sees them.
  const auto views_of = [&](std::span<const uint32_t> order, size_t first, uint64_t step) -> Rows {
    const size_t count = std::min(options.batch, rows.count - first);
    buffer.gather(shape, rows, order.subspan(first, count));
    make_views(buffer, options.mask, options.seed, step);
    return {buffer.codes, buffer.numbers, 2 * count};
  };
  double start = 0, last = 0, constant = 0;
  for (int epoch = 0; epoch < options.epochs; ++epoch) {
    const std::vector<uint32_t> order = shuffled_order(rows.count, options.seed, epoch);
    if (epoch == 0) start = loss_at_start(pretrainer, views_of, order, options.batch);
    double loss_sum = 0, constant_sum = 0;
    size_t batches = 0;
    for (size_t first = 0; first + 1 < rows.count; first += options.batch, ++batches) {
      const size_t count = std::min(options.batch, rows.count - first);
      MAEIL_ASSIGN(const double loss, pretrainer.step(views_of(order, first, pretrainer.steps())));
      loss_sum += loss, constant_sum += std::log(2.0 * static_cast<double>(count));
      if (callbacks.progress) MAEIL_TRY(callbacks.progress(epoch, first + count, rows.count));
    }
    last = loss_sum / static_cast<double>(batches), constant = constant_sum / static_cast<double>(batches);
    if (callbacks.epoch) MAEIL_TRY(callbacks.epoch(epoch, {last, result.parameters}));
  }
  if (has_collapsed(last, constant, start)) return divergence_error("pre-training", last, constant, start);
  return result;
}

}  // namespace maeil::nn
