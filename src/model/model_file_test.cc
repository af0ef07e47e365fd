// Checkpoints as trainers save them (tests/data/checkpoints.zip, made by tools/oracle/checkpoints.py): read,
// with the logits that PyTorch computes from the same file, or refused in words that say what was found. And
// numbers that are none, refused at every place of every tensor, wherever a model is read or written.
#include "model/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "base/file.h"
#include "base/test_data.h"
#include "format/torch.h"
#include "format/zip.h"
#include "model/tab_transformer.h"
#include "model/test_small_model.h"

namespace maeil::model {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

std::string file_refusal(std::string_view bytes, const std::string& name = "f.pth") {
  const auto model = parse_model_file(bytes, name, small_spec(), 2);
  if (model) return "was read";
  EXPECT_EQ(model.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(model.error().message, HasSubstr(name));
  return model.error().message;
}

TEST(TrainersFiles, GiveTheLogitsThatPyTorchComputesOrSayWhatWasFound) {
  const std::string archive = read_file(MAEIL_SOURCE_DIR "/tests/data/checkpoints.zip").value();
  const auto zip = format::ZipReader::open(archive, "checkpoints.zip").value();
  const auto expected = Json::parse(zip.read("expected.json").value());
  std::vector<int32_t> codes;
  std::vector<float> numbers;
  for (const auto& row : expected["codes"]) codes.insert(codes.end(), row.begin(), row.end());
  for (const auto& row : expected["numbers"]) numbers.insert(numbers.end(), row.begin(), row.end());
  const size_t rows = expected["codes"].size();
  ASSERT_EQ(rows, 6u);
  size_t read = 0, refused = 0;
  for (const auto& [name, wanted] : expected["files"].items()) {
    SCOPED_TRACE(name);
    const std::string bytes = zip.read(name).value();
    if (wanted.contains("refused")) {
      const std::string why = file_refusal(bytes, name);
      for (const auto& part : wanted["refused"]) EXPECT_THAT(why, HasSubstr(part.get<std::string>()));
      ++refused;
      continue;
    }
    auto model = parse_model_file(bytes, name, small_spec(), 2);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->remarks.empty(),
              !(name.starts_with("double") || name.starts_with("averaged") || name.starts_with("lightning")))
        << testing::PrintToString(model->remarks);
    const TabTransformer& network = as_tab_transformer(*model->predictor, name).value();
    std::vector<float> logits(rows * 2);
    ASSERT_TRUE(network.scorer().score({codes, numbers, rows}, logits));
    for (size_t i = 0; i < logits.size(); ++i)
      EXPECT_NEAR(logits[i], wanted["logits"][i / 2][i % 2].get<double>(), 1e-5) << i;
    ++read;
  }
  EXPECT_EQ(read, 22u);
  EXPECT_EQ(refused, 11u);
}

TEST(TrainersFiles, WhatWasRoundedOrLeftOutIsSaid) {
  const std::string archive = read_file(MAEIL_SOURCE_DIR "/tests/data/checkpoints.zip").value();
  const auto zip = format::ZipReader::open(archive, "checkpoints.zip").value();
  const auto remarks = [&](const std::string& name) {
    const std::string bytes = zip.read(name).value();
    return parse_model_file(bytes, name, small_spec(), 2).value().remarks;
  };
  EXPECT_THAT(remarks("double.pth"), testing::ElementsAre("34 float64 tensors were rounded to float32"));
  EXPECT_THAT(remarks("double.safetensors"),
              testing::ElementsAre("34 float64 tensors were rounded to float32"));
  EXPECT_THAT(remarks("lightning.ckpt"),
              testing::ElementsAre("1 tensors beside the model were not read: 'criterion.weight'"));
}

TEST(TrainersFiles, ATensorInsideTheModelThatItDoesNotKnowIsRefused) {
  auto parameters = small_parameters();
  const auto named = parameters.named();
  for (const char* name :
       {"encoder.transformer.norm.weight", "fc.5.weight", "cls_token", "encoder.cls_token"}) {
    std::vector<format::Tensor> tensors;
    for (const auto& t : named)
      tensors.push_back(
          {"model." + t.name, t.shape, format::DType::kFloat32, {t.values.begin(), t.values.end()}, {}, {}});
    tensors.push_back({std::string("model.") + name, {1}, format::DType::kFloat32, {0}, {}, {}});
    EXPECT_THAT(file_refusal(format::write_state_dict(tensors).value()),
                HasSubstr(std::string("tensor model.") + name + " is not part of a TabTransformer"));
    tensors.back().name = name;  // beside the model, as a wrapper's own
    EXPECT_EQ(file_refusal(format::write_state_dict(tensors).value()), "was read");
  }
}

// As safetensors' writers lay a file out.
std::string safetensors(const std::vector<format::Tensor>& tensors) {
  Json header = Json::object();
  std::string data;
  for (const auto& tensor : tensors) {
    const size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * sizeof(float));
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + text + data;
}

TEST(Finite, NothingElseIsReadAtAnyPlaceOfAnyTensor) {
  const nn::Parameters parameters = small_parameters();
  std::vector<format::Tensor> tensors;
  for (const auto& t : parameters.named())
    tensors.push_back({t.name, t.shape, format::DType::kFloat32, {t.values.begin(), t.values.end()}, {}, {}});
  ASSERT_EQ(file_refusal(safetensors(tensors)), "was read");
  ASSERT_EQ(file_refusal(format::write_state_dict(tensors).value()), "was read");
  size_t places = 0;
  for (auto& tensor : tensors) {
    const std::set<size_t> some = {0, 1, tensor.values.size() / 2, tensor.values.size() - 1};
    for (const size_t i : some) {
      if (i >= tensor.values.size()) continue;
      for (const float bad : {NAN, INFINITY, -INFINITY}) {
        const float kept = tensor.values[i];
        tensor.values[i] = bad;
        const std::string what = std::string("tensor ") + tensor.name + " holds " +
                                 (std::isnan(bad) ? "NaN"
                                  : bad > 0       ? "infinity"
                                                  : "-infinity") +
                                 " at (";
        const std::string pth = format::write_state_dict(tensors).value();
        ASSERT_THAT(file_refusal(pth), HasSubstr(what)) << i;
        ASSERT_THAT(file_refusal(pth), HasSubstr(format::place_text(tensor.shape, i)));
        ASSERT_THAT(file_refusal(safetensors(tensors)), HasSubstr(what)) << i;
        tensor.values[i] = kept;
        ++places;
      }
    }
  }
  EXPECT_GT(places, 300u);
}

TEST(Finite, NeitherIsAPreparationOrAnUnknownValuesEmbedding) {
  std::vector<float> unknown = {1, 2, 3, 4, 5, 6, 7, 8};
  ModelFile model;
  model.predictor = TabTransformer::make(small_parameters(), unknown).value();
  model.preparation = small_preparation();
  const auto bytes = [&] { return model_file_bytes(model, std::nullopt, Instant{}).value(); };
  ASSERT_EQ(file_refusal(bytes()), "was read");
  const double good = 1;
  for (double prep::NumericFeature::* field :
       {&prep::NumericFeature::most_frequent, &prep::NumericFeature::median, &prep::NumericFeature::iqr,
        &prep::NumericFeature::low, &prep::NumericFeature::high}) {
    for (const double bad : {double(NAN), double(INFINITY), -double(INFINITY)}) {
      model.preparation->numeric[0].*field = bad;
      EXPECT_THAT(file_refusal(bytes()), HasSubstr("numeric feature 'rate' has values that are no scale"));
    }
    model.preparation->numeric[0].*field = good;
  }
  model.preparation->numeric[0].iqr = 0;
  EXPECT_THAT(file_refusal(bytes()), HasSubstr("no scale"));
  model.preparation->numeric[0].iqr = 1;
  for (const float bad : {NAN, INFINITY}) {
    unknown[7] = bad;
    EXPECT_FALSE(TabTransformer::make(small_parameters(), unknown));
  }
  for (const Json& bad : {Json("NaN"), Json(1e300), Json()}) {  // as a file may say it
    model.notes["unknown_embeddings"] = Json::array({Json::array({1, 2, 3, 4, 5, 6, 7, bad})});
    EXPECT_THAT(file_refusal(bytes()), HasSubstr("unknown_embeddings"));
  }
}

TEST(Finite, AModelThatIsNotIsNone) {
  nn::Parameters parameters = small_parameters();
  parameters.values[17] = NAN;
  const auto made = TabTransformer::make(parameters);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("tensor encoder.embeddings.0.weight holds NaN at (2, 1)"));
}

TEST(ModelFileGolden, TheSeedsAreWrittenBitForBit) {
  MAEIL_NEEDS(seed_dir());
  for (const char* file : {"finetuned_model_f.pth", "pretrained_model_f.pth"}) {
    const std::string bytes = read_file(seed_dir() / file).value();
    const auto model = parse_model_file(bytes, file, small_spec(), 4);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_TRUE(model->remarks.empty());
    const std::string again = model_file_bytes(*model, std::nullopt, Instant{}).value();
    const auto before = format::open_checkpoint(bytes, file).value(),
               after = format::open_checkpoint(again, "again").value();
    ASSERT_EQ(before->dicts()[0].names, after->dicts()[0].names);
    for (size_t t = 0; t < before->dicts()[0].names.size(); ++t) {
      const auto a = before->read(0, t).value(), b = after->read(0, t).value();
      ASSERT_EQ(a.shape, b.shape);
      ASSERT_EQ(std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(float)), 0) << a.name;
    }
  }
}

}  // namespace
}  // namespace maeil::model
