// Plain loops over tokens, features, heads; forward first, backward in the opposite order, step by step.
// Letters as in encoder.h: F tokens, D width, H heads of d = D/H, M feed-forward width.
#include "kernels/encoder_ref.h"

#include <algorithm>
#include <cmath>

namespace maeil::kernels {
namespace {

// Multiplies x (F, features) by its dropout mask and scale.
template <class Real>
void drop_ref(const RowDropout& dropout, uint32_t site, int tokens, int features, Real* x) {
  if (!dropout.active()) return;
  const DropoutKey key = dropout.key(site);
  for (int t = 0; t < tokens; ++t) {
    for (int f = 0; f < features; ++f) {
      Real& value = x[t * features + f];
      value = dropout_keeps(key, dropout.rate, f, t) ? value * Real(dropout.rate.scale) : Real(0);
    }
  }
}

// y (F, out) = x (F, in) w^T + b, w (out, in).
template <class Real>
void linear_ref(int tokens, int in, int out, const Real* x, const Real* w, const Real* b, Real* y) {
  for (int t = 0; t < tokens; ++t) {
    for (int o = 0; o < out; ++o) {
      Real sum = 0;
      for (int i = 0; i < in; ++i) sum += x[t * in + i] * w[o * in + i];
      y[t * out + o] = sum + b[o];
    }
  }
}

// dx = dy w (overwrites), dw += dy^T x, db += column sums of dy.
template <class Real>
void linear_backward_ref(int tokens, int in, int out, const Real* x, const Real* w, const Real* dy, Real* dx,
                         Real* dw, Real* db) {
  for (int t = 0; t < tokens; ++t) {
    for (int i = 0; i < in; ++i) {
      Real sum = 0;
      for (int o = 0; o < out; ++o) sum += dy[t * out + o] * w[o * in + i];
      dx[t * in + i] = sum;
    }
    for (int o = 0; o < out; ++o) {
      for (int i = 0; i < in; ++i) dw[o * in + i] += dy[t * out + o] * x[t * in + i];
      db[o] += dy[t * out + o];
    }
  }
}

// normal = (x - mean) * rstd with the biased variance; y = normal * weight + bias.
template <class Real>
void norm_ref(int tokens, int width, const Real* x, const Real* weight, const Real* bias, Real* normal,
              Real* rstd, Real* y) {
  for (int t = 0; t < tokens; ++t, x += width, y += width, normal += width) {
    Real mean = 0, variance = 0;
    for (int i = 0; i < width; ++i) mean += x[i];
    mean /= Real(width);
    for (int i = 0; i < width; ++i) variance += (x[i] - mean) * (x[i] - mean);
    rstd[t] = 1 / std::sqrt(variance / Real(width) + Real(kNormEpsilon));
    for (int i = 0; i < width; ++i) {
      normal[i] = (x[i] - mean) * rstd[t];
      y[i] = normal[i] * weight[i] + bias[i];
    }
  }
}

// dx += rstd * (g - mean(g) - normal * mean(g * normal)) with g = dy * weight.
template <class Real>
void norm_backward_ref(int tokens, int width, const Real* normal, const Real* rstd, const Real* weight,
                       const Real* dy, Real* dx, Real* dweight, Real* dbias) {
  for (int t = 0; t < tokens; ++t, normal += width, dy += width, dx += width) {
    Real mean = 0, mean_normal = 0;
    for (int i = 0; i < width; ++i) {
      mean += dy[i] * weight[i];
      mean_normal += dy[i] * weight[i] * normal[i];
      dweight[i] += dy[i] * normal[i];
      dbias[i] += dy[i];
    }
    mean /= Real(width);
    mean_normal /= Real(width);
    for (int i = 0; i < width; ++i) dx[i] += rstd[t] * (dy[i] * weight[i] - mean - normal[i] * mean_normal);
  }
}

// probability (F, F) = softmax(q k^T / sqrt(d)); out = dropout(probability) v. One head; qkv rows are 3D
// long.
template <class Real>
void attention_ref(const EncoderShape& s, int head, const RowDropout& dropout, DropoutKey key,
                   const Real* qkv, Real* probability, Real* out) {
  const int size = s.width / s.heads, stride = 3 * s.width;
  for (int q = 0; q < s.tokens; ++q, probability += s.tokens) {
    const Real* query = qkv + q * stride + head * size;
    Real highest = -INFINITY, sum = 0;
    for (int k = 0; k < s.tokens; ++k) {
      const Real* k_row = qkv + k * stride + s.width + head * size;
      Real score = 0;
      for (int i = 0; i < size; ++i) score += query[i] * k_row[i];
      probability[k] = score / std::sqrt(Real(size));
      highest = std::max(highest, probability[k]);
    }
    for (int k = 0; k < s.tokens; ++k) sum += probability[k] = std::exp(probability[k] - highest);
    Real* result = out + q * s.width + head * size;
    std::fill(result, result + size, Real(0));
    for (int k = 0; k < s.tokens; ++k) {
      probability[k] /= sum;
      if (dropout.active() && !dropout_keeps(key, dropout.rate, k, q)) continue;
      const Real* v_row = qkv + k * stride + 2 * s.width + head * size;
      for (int i = 0; i < size; ++i) result[i] += probability[k] * Real(dropout.rate.scale) * v_row[i];
    }
  }
}

// Adds to dqkv: dv_k += m p do, dp = m do.v, ds = p (dp - sum_k p dp), dq += ds k / sqrt(d), dk += ds q /
// sqrt(d).
template <class Real>
void attention_backward_ref(const EncoderShape& s, int head, const RowDropout& dropout, DropoutKey key,
                            const Real* qkv, const Real* probability, const Real* dout, Real* dqkv) {
  const int size = s.width / s.heads, stride = 3 * s.width;
  const Real scale = 1 / std::sqrt(Real(size));
  std::vector<Real> dp(s.tokens);
  for (int q = 0; q < s.tokens; ++q, probability += s.tokens) {
    const Real* d_o = dout + q * s.width + head * size;
    Real total = 0;
    for (int k = 0; k < s.tokens; ++k) {
      const size_t v = k * stride + 2 * s.width + head * size;
      const bool kept = !dropout.active() || dropout_keeps(key, dropout.rate, k, q);
      const Real mask = kept ? Real(dropout.rate.scale) : Real(0);
      dp[k] = 0;
      for (int i = 0; i < size; ++i) {
        dp[k] += mask * d_o[i] * qkv[v + i];
        dqkv[v + i] += mask * probability[k] * d_o[i];
      }
      total += probability[k] * dp[k];
    }
    for (int k = 0; k < s.tokens; ++k) {
      const Real ds = probability[k] * (dp[k] - total) * scale;
      const size_t at_q = q * stride + head * size, at_k = k * stride + s.width + head * size;
      for (int i = 0; i < size; ++i) {
        dqkv[at_q + i] += ds * qkv[at_k + i];
        dqkv[at_k + i] += ds * qkv[at_q + i];
      }
    }
  }
}

}  // namespace

template <class Real>
void encoder_forward_ref(const EncoderShape& s, const Real* layers, const Real* tokens,
                         const RowDropout& dropout, Real* pooled, EncoderTape<Real>& tape) {
  const LayerOffsets at = layer_offsets(s);
  const size_t fd = size_t(s.tokens) * s.width, fm = size_t(s.tokens) * s.feed_forward;
  std::vector<Real> x(tokens, tokens + fd), y(fd), branch(fd);
  tape.resize(s.layers);
  for (int layer = 0; layer < s.layers; ++layer, layers += at.size) {
    LayerTape<Real>& t = tape[layer];
    t.normal1.resize(fd), t.normal2.resize(fd), t.attention.resize(fd), t.qkv.resize(3 * fd);
    t.rstd1.resize(s.tokens), t.rstd2.resize(s.tokens), t.before_relu.resize(fm);
    t.probability.resize(size_t(s.heads) * s.tokens * s.tokens);
    const auto site = [&](int place) { return dropout_site(s.heads, layer, place); };

    norm_ref(s.tokens, s.width, x.data(), layers + at.norm1_weight, layers + at.norm1_bias, t.normal1.data(),
             t.rstd1.data(), y.data());
    linear_ref(s.tokens, s.width, 3 * s.width, y.data(), layers + at.in_weight, layers + at.in_bias,
               t.qkv.data());
    for (int head = 0; head < s.heads; ++head) {
      attention_ref(s, head, dropout, dropout.key(site(head)), t.qkv.data(),
                    t.probability.data() + size_t(head) * s.tokens * s.tokens, t.attention.data());
    }
    linear_ref(s.tokens, s.width, s.width, t.attention.data(), layers + at.out_weight, layers + at.out_bias,
               branch.data());
    drop_ref(dropout, site(s.heads), s.tokens, s.width, branch.data());
    for (size_t i = 0; i < fd; ++i) x[i] += branch[i];

    norm_ref(s.tokens, s.width, x.data(), layers + at.norm2_weight, layers + at.norm2_bias, t.normal2.data(),
             t.rstd2.data(), y.data());
    linear_ref(s.tokens, s.width, s.feed_forward, y.data(), layers + at.w1, layers + at.b1,
               t.before_relu.data());
    t.hidden = t.before_relu;
    for (Real& h : t.hidden) h = h <= 0 ? Real(0) : h;  // NaN stays NaN, as in PyTorch
    drop_ref(dropout, site(s.heads + 1), s.tokens, s.feed_forward, t.hidden.data());
    linear_ref(s.tokens, s.feed_forward, s.width, t.hidden.data(), layers + at.w2, layers + at.b2,
               branch.data());
    drop_ref(dropout, site(s.heads + 2), s.tokens, s.width, branch.data());
    for (size_t i = 0; i < fd; ++i) x[i] += branch[i];
  }
  for (int i = 0; i < s.width; ++i) {
    Real sum = 0;
    for (int token = 0; token < s.tokens; ++token) sum += x[token * s.width + i];
    pooled[i] = sum / Real(s.tokens);
  }
}

template <class Real>
void encoder_backward_ref(const EncoderShape& s, const Real* layers, const EncoderTape<Real>& tape,
                          const Real* pooled_gradient, const RowDropout& dropout, Real* dx,
                          Real* layer_gradients) {
  const LayerOffsets at = layer_offsets(s);
  const size_t fd = size_t(s.tokens) * s.width, fm = size_t(s.tokens) * s.feed_forward;
  std::vector<Real> branch(fd), y(fd), dy(fd), dhidden(fm), dqkv(3 * fd);
  for (size_t i = 0; i < fd; ++i) dx[i] = pooled_gradient[i % s.width] / Real(s.tokens);
  for (int layer = s.layers - 1; layer >= 0; --layer) {
    const Real* w = layers + layer * at.size;
    Real* g = layer_gradients + layer * at.size;
    const LayerTape<Real>& t = tape[layer];
    const auto site = [&](int place) { return dropout_site(s.heads, layer, place); };
    const auto normed = [&](const std::vector<Real>& normal, size_t weight, size_t bias) {
      for (size_t i = 0; i < fd; ++i) y[i] = normal[i] * w[weight + i % s.width] + w[bias + i % s.width];
    };

    std::copy(dx, dx + fd, branch.begin());
    drop_ref(dropout, site(s.heads + 2), s.tokens, s.width, branch.data());
    linear_backward_ref(s.tokens, s.feed_forward, s.width, t.hidden.data(), w + at.w2, branch.data(),
                        dhidden.data(), g + at.w2, g + at.b2);
    drop_ref(dropout, site(s.heads + 1), s.tokens, s.feed_forward, dhidden.data());
    for (size_t i = 0; i < fm; ++i) dhidden[i] = t.before_relu[i] <= 0 ? Real(0) : dhidden[i];
    normed(t.normal2, at.norm2_weight, at.norm2_bias);
    linear_backward_ref(s.tokens, s.width, s.feed_forward, y.data(), w + at.w1, dhidden.data(), dy.data(),
                        g + at.w1, g + at.b1);
    norm_backward_ref(s.tokens, s.width, t.normal2.data(), t.rstd2.data(), w + at.norm2_weight, dy.data(), dx,
                      g + at.norm2_weight, g + at.norm2_bias);

    std::copy(dx, dx + fd, branch.begin());
    drop_ref(dropout, site(s.heads), s.tokens, s.width, branch.data());
    linear_backward_ref(s.tokens, s.width, s.width, t.attention.data(), w + at.out_weight, branch.data(),
                        dy.data(), g + at.out_weight, g + at.out_bias);
    std::fill(dqkv.begin(), dqkv.end(), Real(0));
    for (int head = 0; head < s.heads; ++head) {
      attention_backward_ref(s, head, dropout, dropout.key(site(head)), t.qkv.data(),
                             t.probability.data() + size_t(head) * s.tokens * s.tokens, dy.data(),
                             dqkv.data());
    }
    normed(t.normal1, at.norm1_weight, at.norm1_bias);
    linear_backward_ref(s.tokens, s.width, 3 * s.width, y.data(), w + at.in_weight, dqkv.data(), dy.data(),
                        g + at.in_weight, g + at.in_bias);
    norm_backward_ref(s.tokens, s.width, t.normal1.data(), t.rstd1.data(), w + at.norm1_weight, dy.data(), dx,
                      g + at.norm1_weight, g + at.norm1_bias);
  }
}

template void encoder_forward_ref(const EncoderShape&, const float*, const float*, const RowDropout&, float*,
                                  EncoderTape<float>&);
template void encoder_forward_ref(const EncoderShape&, const double*, const double*, const RowDropout&,
                                  double*, EncoderTape<double>&);
template void encoder_backward_ref(const EncoderShape&, const float*, const EncoderTape<float>&, const float*,
                                   const RowDropout&, float*, float*);
template void encoder_backward_ref(const EncoderShape&, const double*, const EncoderTape<double>&,
                                   const double*, const RowDropout&, double*, double*);

}  // namespace maeil::kernels
