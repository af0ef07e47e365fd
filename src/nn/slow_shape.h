// Says when a model's shape has no fast kernels: the plain loops take its place, with the same answers and 16
// to 30 times slower.
#pragma once

#include <functional>
#include <string>

#include "nn/model.h"

namespace maeil::nn {

// A sentence for people, naming the settings, the head size and what is fast; empty when the shape is fast,
// or when plain loops were asked for (MAEIL_ISA=scalar).
std::string slow_shape_sentence(const ModelShape& shape);

// Who is told; nobody at first. Not while another thread trains or scores.
void on_slow_shape(std::function<void(const std::string& sentence)> tell);

// Tells it, once in a process for each shape. Trainings and scorers call it when they start. Thread safe.
void note_slow_shape(const ModelShape& shape);

}  // namespace maeil::nn
