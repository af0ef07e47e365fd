// Which names can be pinned, what is refused, and that a pinned set is the one in use.
#include "kernels/instruction_set.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/encoder.h"

namespace maeil::kernels {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class InstructionSet : public ::testing::Test {
 protected:
  void TearDown() override { ASSERT_TRUE(pin_instruction_set("")); }
};

constexpr EncoderShape kShape{13, 16, 2, 12, 2};

std::vector<float> pooled() {
  std::vector<float> layers(layer_offsets(kShape).size * kShape.layers), tokens(13 * 16), out(16);
  for (size_t i = 0; i < layers.size(); ++i) layers[i] = static_cast<float>(i * 37 % 101) / 101 - 0.5f;
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<float>(i * 53 % 97) / 97 - 0.5f;
  EncoderWeights weights(kShape);
  weights.pack(layers.data());
  EncoderScratch scratch;
  encoder_forward(weights, tokens.data(), out.data(), scratch);
  return out;
}

TEST_F(InstructionSet, EachThatTheProcessorHasCanBePinnedAndIsThenInUse) {
  const std::string best = instruction_set();
  const auto sets = instruction_sets();
  ASSERT_EQ(sets.back(), "scalar");
  EXPECT_NE(std::find(sets.begin(), sets.end(), best), sets.end());
  for (const auto& name : sets) {
    ASSERT_TRUE(pin_instruction_set(name)) << name;
    EXPECT_EQ(instruction_set(), name);
    EXPECT_EQ(instruction_set(kShape), name);
    EXPECT_EQ(has_simd(kShape), name != "scalar");
    EXPECT_EQ(instruction_sets(), sets) << "asking changes nothing";
    EXPECT_EQ(instruction_set(), name);
    const auto once = pooled();
    ASSERT_TRUE(pin_instruction_set("scalar"));
    ASSERT_TRUE(pin_instruction_set(name));
    EXPECT_EQ(pooled(), once) << name << ": the same bits again";
  }
  ASSERT_TRUE(pin_instruction_set(""));
  EXPECT_EQ(instruction_set(), best);
}

TEST_F(InstructionSet, OtherNamesForThem) {
  ASSERT_TRUE(pin_instruction_set("baseline"));
  const auto sets = instruction_sets();
  EXPECT_EQ(instruction_set(), sets[sets.size() - 2]) << "the last before the plain loops";
  ASSERT_TRUE(pin_instruction_set("SCALAR"));
  EXPECT_EQ(instruction_set(), "scalar");
  const bool wide =
      std::any_of(sets.begin(), sets.end(), [](const std::string& name) { return name.starts_with("avx3"); });
  EXPECT_EQ(pin_instruction_set("avx512").has_value(), wide);
  if (wide) {
    EXPECT_TRUE(contains(instruction_set(), "avx3"));
  }
#if defined(__x86_64__)
  ASSERT_TRUE(pin_instruction_set("sse4"));
  EXPECT_TRUE(contains(instruction_set(), "sse"));
#endif
}

TEST_F(InstructionSet, WhatThereIsNotIsRefusedAndChangesNothing) {
  ASSERT_TRUE(pin_instruction_set("baseline"));
  const std::string before = instruction_set();
#if defined(__x86_64__)
  const char* foreign = "neon";
#else
  const char* foreign = "avx2";
#endif
  for (const char* name : {foreign, "avx", "avx2 ", "best"}) {
    const Status refused = pin_instruction_set(name);
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
    EXPECT_TRUE(contains(refused.error().message, "MAEIL_ISA"));
    EXPECT_TRUE(contains(refused.error().message, before));
    EXPECT_TRUE(contains(refused.error().message, "scalar"));
    EXPECT_EQ(instruction_set(), before);
  }
}

TEST_F(InstructionSet, AShapeWithoutFastKernelsIsScalar) {
  EXPECT_EQ(instruction_set({13, 16, 8, 12, 2}), "scalar") << "heads of 2";
  EXPECT_EQ(instruction_set({13, 16, 2, 10, 2}), "scalar") << "feed-forward of 10";
  EXPECT_EQ(instruction_set(kShape), instruction_set());
}

}  // namespace
}  // namespace maeil::kernels
