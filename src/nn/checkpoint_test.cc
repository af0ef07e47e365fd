// Which tensors of a file make the model, by names alone; files that trainers really save are read in
// registry/model_file_test.cc.
#include "nn/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace maeil::nn {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> names_of(bool encoder_only = false) {
  ModelShape shape;
  shape.cardinalities = {3, 2};
  shape.numeric = 2, shape.width = 8, shape.heads = 2, shape.layers = 2, shape.feed_forward = 12,
  shape.head_hidden = 10;
  std::vector<std::string> out;
  for (const auto& tensor : zero_parameters(shape).named(encoder_only)) out.push_back(tensor.name);
  return out;
}

std::vector<std::string> with(std::vector<std::string> names,
                              const std::function<void(std::string&)>& change) {
  for (auto& name : names) change(name);
  return names;
}

void replace(std::string& name, const std::string& from, const std::string& to) {
  if (const auto at = name.find(from); at != name.npos) name.replace(at, from.size(), to);
}

std::string refusal(const std::vector<format::TensorDict>& dicts) {
  const auto found = find_model(dicts);
  if (found) return "found";
  EXPECT_EQ(found.error().code, ErrorCode::kBadInput);
  return found.error().message;
}

TEST(FindModel, BehindAnyPrefixAndInsideWrappers) {
  const auto plain = names_of(), bare = names_of(true);
  const auto expect = [&](const std::vector<std::string>& names, size_t tensors) {
    SCOPED_TRACE(names[0] + " ... " + names.back());
    const std::vector<format::TensorDict> dicts = {{"optimizer.state.0", {"step", "exp_avg"}},
                                                   {"some.key", names}};
    const auto found = find_model(dicts);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->dict, 1u);
    ASSERT_EQ(found->tensors.size(), tensors);
    for (size_t i = 0; i < tensors; ++i) {
      EXPECT_EQ(found->tensors[i].index, i);
      EXPECT_EQ(found->tensors[i].name, plain[i]);
    }
  };
  for (const char* prefix :
       {"", "module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.model.", "net.",
        "a.b.c.d.", "encoder.", "fc.", "_ema.", "_forward_module.", "0."}) {
    expect(with(plain, [&](std::string& name) { name = prefix + name; }), plain.size());
    expect(with(bare, [&](std::string& name) { name = prefix + name; }), bare.size());
  }
  for (const auto& [from, to] : {std::pair{"encoder.", "encoder._orig_mod."},
                                 {"encoder.", "backbone."},
                                 {"encoder.", "encoder.module."},
                                 {"layers.1.", "layers.1._checkpoint_wrapped_module."},
                                 {"transformer.", "transformer._fsdp_wrapped_module."},
                                 {"fc.", "fc.module._orig_mod."},
                                 {"embeddings.1.", "embeddings.1.module."},
                                 {"numeric_embeddings", "num_embeddings"},
                                 {"self_attn.", "self_attn._orig_mod."}}) {
    expect(with(plain, [&](std::string& name) { replace(name, from, to); }), plain.size());
  }
}

TEST(FindModel, LeavesOutWhatIsBesideTheModel) {
  auto names = with(names_of(), [](std::string& name) { name = "model." + name; });
  names.insert(names.begin(), "criterion.weight");
  names.push_back("n_averaged");
  const std::vector<format::TensorDict> one = {{"state_dict", names}};
  auto found = find_model(one);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(found->beside, ::testing::ElementsAre("criterion.weight", "n_averaged"));
  // A pre-training's own head is beside the encoder that it trains.
  names = with(names_of(true), [](std::string& name) { name = "encoder." + name; });
  names.push_back("projection_head.0.weight");
  const std::vector<format::TensorDict> pretraining = {{"", names}};
  found = find_model(pretraining);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->tensors.size(), names.size() - 1);
}

TEST(FindModel, RefusesWhatItWouldHaveToGuess) {
  const auto plain = names_of(), bare = names_of(true);
  EXPECT_EQ(refusal({{"model", plain}, {"ema.shadow", plain}}),
            "holds 2 models: under 'model' as 'encoder.*', under 'ema.shadow' as 'encoder.*'; which one is "
            "meant cannot be seen: save its state_dict() alone with "
            "torch.save");
  auto both = with(plain, [](std::string& name) { name = "student." + name; });
  for (const auto& name : plain) both.push_back("teacher." + name);
  EXPECT_THAT(refusal({{"", both}}),
              HasSubstr("at the top as 'student.encoder.*', at the top as 'teacher.encoder.*'"));
  both = plain;
  both.push_back("module." + plain[0]);
  EXPECT_THAT(refusal({{"", both}}),
              HasSubstr("tensor module.encoder.embeddings.0.weight is not part of a TabTransformer"));
  both = plain;
  both.push_back(plain[0]);
  EXPECT_EQ(refusal({{"", both}}), "tensor encoder.embeddings.0.weight is there twice");
  both = plain;
  both.push_back("encoder.embeddings.0._orig_mod.weight");
  EXPECT_THAT(refusal({{"", both}}), HasSubstr("is there twice, also as encoder.embeddings.0.weight"));
  auto apart = with(plain, [](std::string& name) { replace(name, "fc.", "discriminator.fc."); });
  EXPECT_THAT(refusal({{"", apart}}), HasSubstr("which do not belong together"));
  // A head by another name must not become an encoder without one.
  auto other_head = with(plain, [](std::string& name) { replace(name, "fc.", "classifier."); });
  EXPECT_THAT(refusal({{"", other_head}}),
              HasSubstr("tensor classifier.0.weight is not part of a TabTransformer"));
  EXPECT_THAT(refusal({}), HasSubstr("holds no tensors"));
  EXPECT_THAT(refusal({{"a", {"x"}},
                       {"state_dict", {"conv1.weight", "conv1.bias", "bn.weight", "bn.bias"}},
                       {"b", {"y"}},
                       {"c", {"z"}}}),
              HasSubstr("found 4 tensors under 'state_dict' ('conv1.weight', 'conv1.bias', 'bn.weight', "
                        "...); 1 tensors under 'a' ('x'); 2 more dicts of tensors; expected "
                        "names that end in"));
}

}  // namespace
}  // namespace maeil::nn
