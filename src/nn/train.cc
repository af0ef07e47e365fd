// The training step and the epoch loop.
#include "nn/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/philox.h"
#include "base/threads.h"
#include "kernels/adam.h"
#include "nn/divergence.h"
#include "nn/gradient.h"
#include "nn/head.h"
#include "nn/score.h"
#include "nn/slow_shape.h"

namespace maeil::nn {

Status check_rates(float learning_rate, float dropout) {
  if (!(learning_rate > 0) || !std::isfinite(learning_rate)) {
    return usage_error(fmt::format("learning rate {} is not positive", learning_rate));
  }
  if (!(dropout >= 0 && dropout < 1))
    return usage_error(fmt::format("dropout rate {} is not in [0, 1)", dropout));
  return {};
}

struct Trainer::State {
  State(Parameters p, StepOptions o)
      : parameters(std::move(p)),
        options(std::move(o)),
        batch(parameters.shape, options.dropout, options.seed) {}
  Parameters parameters;
  StepOptions options;
  BatchGradient batch;
  std::vector<float> gradients, m, v, logits;
  std::vector<double> losses;
  int64_t steps = 0;
};

Trainer::Trainer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;
Trainer::~Trainer() = default;

Result<Trainer> Trainer::make(Parameters parameters, StepOptions options) {
  MAEIL_TRY(check_shape(parameters.shape));
  MAEIL_TRY(check_rates(options.learning_rate, options.dropout));
  if (options.class_weights.empty()) options.class_weights.assign(parameters.shape.classes, 1.0f);
  if (options.class_weights.size() != static_cast<size_t>(parameters.shape.classes)) {
    return usage_error(fmt::format("{} class weights for {} classes", options.class_weights.size(),
                                   parameters.shape.classes));
  }
  MAEIL_ASSIGN(options.unknown_embeddings, unknown_embeddings(parameters, options.unknown_embeddings));
  auto state = std::make_unique<State>(std::move(parameters), std::move(options));
  const size_t n = state->parameters.values.size();
  state->gradients.assign(n, 0.0f), state->m.assign(n, 0.0f), state->v.assign(n, 0.0f);
  return Trainer(std::move(state));
}

Result<double> Trainer::compute_gradients(const LabelledRows& rows) {
  State& s = *state_;
  const Parameters& p = s.parameters;
  const ModelShape& shape = p.shape;
  MAEIL_TRY(check_rows(shape, rows.rows));
  MAEIL_TRY(check_labels(shape, rows));
  double total_weight = 0;
  for (int32_t label : rows.labels) total_weight += s.options.class_weights[label];
  if (!(total_weight > 0))
    return bad_input(fmt::format("the classes of all {} rows of a batch have weight 0", rows.rows.count));

  s.losses.assign(rows.rows.count, 0.0);
  s.logits.assign(rows.rows.count * shape.classes, 0.0f);
  const float* fc = p.values.data() + p.head();
  const auto head = [&](size_t row, const float* pooled, const kernels::RowDropout& dropout,
                        float* pooled_gradient, float* fc_gradient) {
    thread_local std::vector<float> hidden, gradient;
    hidden.resize(shape.head_hidden), gradient.resize(shape.classes);
    float* logits = s.logits.data() + row * shape.classes;
    head_forward(shape, fc, pooled, dropout, hidden.data(), logits);
    const int label = rows.labels[row];
    s.losses[row] = cross_entropy(shape.classes, logits, label, s.options.class_weights[label] / total_weight,
                                  gradient.data());
    head_backward(shape, fc, pooled, hidden.data(), gradient.data(), dropout.rate.scale, pooled_gradient,
                  fc_gradient);
  };
  s.batch.run(p, s.options.unknown_embeddings, rows.rows, static_cast<uint64_t>(s.steps), head, s.gradients);
  return std::accumulate(s.losses.begin(), s.losses.end(), 0.0);
}

Result<double> Trainer::step(const LabelledRows& rows) {
  State& s = *state_;
  MAEIL_ASSIGN(const double loss, compute_gradients(rows));
  if (!std::isfinite(loss) || !all_finite(s.gradients)) {
    return not_finite_error("training", static_cast<uint64_t>(s.steps + 1));
  }
  const kernels::AdamOptions adam{.learning_rate = s.options.learning_rate};
  ++s.steps;
  parallel_for(s.gradients.size(), 16384, [&](size_t first, size_t last) {
    kernels::adam_step(adam, s.steps, last - first, s.gradients.data() + first, s.m.data() + first,
                       s.v.data() + first, s.parameters.values.data() + first);
  });
  if (!all_finite(s.parameters.values)) return not_finite_error("training", static_cast<uint64_t>(s.steps));
  return loss;
}

const Parameters& Trainer::parameters() const { return state_->parameters; }
std::span<const float> Trainer::gradients() const { return state_->gradients; }
std::span<const float> Trainer::logits() const { return state_->logits; }
Parameters Trainer::take() && { return std::move(state_->parameters); }

std::vector<float> balanced_weights(std::span<const int32_t> labels, int classes) {
  std::vector<size_t> count(classes);
  for (int32_t label : labels) ++count[label];
  std::vector<float> weights(classes);
  for (int k = 0; k < classes; ++k) {
    if (count[k] > 0)
      weights[k] =
          static_cast<float>(static_cast<double>(labels.size()) / (static_cast<double>(classes) * count[k]));
  }
  return weights;
}

std::vector<uint32_t> shuffled_order(size_t n, uint64_t seed, int epoch) {
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  RandomSequence random(seed, RandomStream::kShuffle, static_cast<uint64_t>(epoch));
  for (size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.next_below(static_cast<uint32_t>(i))]);
  return order;
}

namespace {

// Rows by which a training's start and end are compared: the first of `order` of each class, kComparedRows in
// all. The same rows tell the two apart where a few rows of extreme values make the mean of any other sample;
// and each class is there, however rare.
constexpr size_t kComparedRows = 256;  // they cost less than a hundredth of an epoch of a usual day's

std::vector<uint32_t> compared_rows(const LabelledRows& data, int classes, std::span<const uint32_t> order) {
  std::vector<size_t> room(static_cast<size_t>(classes), kComparedRows / static_cast<size_t>(classes));
  std::vector<uint32_t> out;
  for (const uint32_t row : order) {
    if (room[static_cast<size_t>(data.labels[row])] == 0) continue;
    --room[static_cast<size_t>(data.labels[row])];
    out.push_back(row);
  }
  return out;
}

// Each class's mean loss on these rows, without dropout; 0 of one that is not there.
Result<std::vector<double>> loss_by_class(const Parameters& parameters, std::span<const float> unknown,
                                          const LabelledRows& data, std::span<const uint32_t> rows) {
  MAEIL_ASSIGN(const Scorer scorer, Scorer::make(parameters, unknown));
  const auto classes = static_cast<size_t>(parameters.shape.classes);
  RowBuffer buffer;
  std::vector<float> logits(rows.size() * classes), gradient(classes);
  MAEIL_TRY(scorer.score(buffer.gather(parameters.shape, data.rows, rows), logits));
  std::vector<double> loss(classes), count(classes);
  for (size_t i = 0; i < rows.size(); ++i) {
    const int32_t label = data.labels[rows[i]];
    loss[static_cast<size_t>(label)] +=
        cross_entropy(parameters.shape.classes, logits.data() + i * classes, label, 1, gradient.data());
    ++count[static_cast<size_t>(label)];
  }
  for (size_t k = 0; k < classes; ++k) loss[k] = count[k] > 0 ? loss[k] / count[k] : 0;
  return loss;
}

EpochLoss weighted(std::span<const double> loss_of_class, std::span<const double> weight_of_class) {
  const double all = std::accumulate(weight_of_class.begin(), weight_of_class.end(), 0.0);
  EpochLoss out{0, constant_loss(weight_of_class)};
  for (size_t k = 0; k < loss_of_class.size(); ++k) out.mean += weight_of_class[k] / all * loss_of_class[k];
  return out;
}

}  // namespace

Result<Parameters> train_classifier(Parameters parameters, const LabelledRows& data,
                                    const TrainOptions& options, const TrainCallbacks& callbacks) {
  const ModelShape shape = parameters.shape;
  MAEIL_TRY(check_shape(shape));
  MAEIL_TRY(check_rows(shape, data.rows));
  MAEIL_TRY(check_labels(shape, data));
  const size_t n = data.rows.count;
  if (n == 0) return bad_input("there are no rows to train on");
  if (options.epochs < 1 || options.batch < 1) {
    return usage_error(fmt::format("{} epochs with batches of {} rows: both must be at least 1",
                                   options.epochs, options.batch));
  }
  StepOptions step{options.learning_rate, options.dropout, options.seed, options.class_weights,
                   options.unknown_embeddings};
  if (step.class_weights.empty()) step.class_weights = balanced_weights(data.labels, shape.classes);
  const std::vector<float> class_weights = step.class_weights;
  note_slow_shape(shape);
  const std::vector<uint32_t> compared =
      compared_rows(data, shape.classes, shuffled_order(n, options.seed, 0));
  const std::vector<float> unknown = step.unknown_embeddings;
  MAEIL_ASSIGN(const auto before, loss_by_class(parameters, unknown, data, compared));
  MAEIL_ASSIGN(Trainer trainer, Trainer::make(std::move(parameters), std::move(step)));

  std::vector<EpochLoss> epoch_losses;
  std::vector<double> weight_used;  // what each class counted for in the last epoch's batches' means
  RowBuffer buffer;
  std::vector<int32_t> labels;
  const auto classes = static_cast<size_t>(shape.classes);
  std::vector<float> logits(n * classes);
  for (int epoch = 0; epoch < options.epochs; ++epoch) {
    const std::vector<uint32_t> order = shuffled_order(n, options.seed, epoch);
    double loss_sum = 0;
    weight_used.assign(classes, 0);
    size_t batches = 0;
    for (size_t first = 0; first < n; first += options.batch, ++batches) {
      const size_t count = std::min(options.batch, n - first);
      const auto picked = std::span(order).subspan(first, count);
      labels.resize(count);
      for (size_t i = 0; i < count; ++i) labels[i] = data.labels[picked[i]];
      MAEIL_ASSIGN(const double loss, trainer.step({buffer.gather(shape, data.rows, picked), labels}));
      loss_sum += loss;
      double batch_weight = 0;
      for (int32_t label : labels) batch_weight += class_weights[label];
      for (int32_t label : labels) weight_used[label] += class_weights[label] / batch_weight;
      for (size_t i = 0; i < count; ++i)
        std::copy_n(trainer.logits().data() + i * classes, classes, logits.data() + picked[i] * classes);
      if (callbacks.progress) MAEIL_TRY(callbacks.progress(epoch, first + count, n));
    }
    epoch_losses.push_back({loss_sum / static_cast<double>(batches), constant_loss(weight_used)});
    if (callbacks.epoch)
      MAEIL_TRY(callbacks.epoch(epoch, {epoch_losses.back().mean, trainer.parameters(), logits}));
  }
  const auto after = loss_by_class(trainer.parameters(), unknown, data, compared);
  if (!after)
    return not_finite_error("training", epoch_losses.size() * ((n + options.batch - 1) / options.batch));
  const EpochLoss start = weighted(before, weight_used), end = weighted(*after, weight_used);
  if (has_diverged(epoch_losses, start, end))
    return divergence_error("training", end.mean, end.constant, start.mean);
  return std::move(trainer).take();
}

}  // namespace maeil::nn
