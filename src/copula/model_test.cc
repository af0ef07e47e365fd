// The JSON form: what is written is read back to the last bit, and what is damaged ends in one sentence.
#include "copula/model.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>

#include "base/file.h"
#include "copula/mixture.h"
#include "copula/sampler.h"
#include "copula/test_support.h"

namespace maeil::copula {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

CopulaModel every_family() {
  auto model = small_model();
  model.columns = {number_column("a", Beta{1.1, 0.2, -3, 4.5}),
                   number_column("b", Gaussian{1e-300, 2}),
                   number_column("c", Uniform{0.1, 1e300}),
                   number_column("d", TruncatedGaussian{-1, 2, 0.3, 0.7}),
                   number_column("e", Gamma{0.5, -1, 1.0 / 3}),
                   number_column("f", StudentT{2.5, 0, 1}),
                   small_model().columns[0],
                   small_model().columns[1]};
  model.correlation.assign(64, 0);
  for (size_t i = 0; i < 8; ++i) model.correlation[i * 9] = 1;
  return model;
}

TEST(ModelJson, ReadsBackWhatItWrote) {
  for (const auto& model : {small_model(), every_family()}) {
    const auto json = to_json(model);
    const auto read = parse_model_json(json, "model.json");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(to_json(*read), json);
    EXPECT_EQ(read->columns.size(), model.columns.size());
  }
  const auto read = parse_model_json(to_json(small_model()), "m").value();
  const auto& grade = std::get<CategoryOutput>(read.columns[0].output);
  EXPECT_EQ(grade.missing, 1u);
  EXPECT_EQ(grade.labels[3], "\xED\x95\x9C");
  EXPECT_EQ(std::get<NumberOutput>(read.columns[1].output).digits, 2);
  EXPECT_EQ(std::get<NumberOutput>(read.columns[2].output).max, std::nullopt);
  EXPECT_EQ(number_formats(read)[2], NumberFormat::kInteger);
}

TEST(ModelJson, ReadModelDecidesByContent) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "copula_model_test";
  ASSERT_TRUE(write_file_atomically(folder / "model.any", to_json(small_model())));
  const auto read = read_model(folder / "model.any");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_json(*read), to_json(small_model()));
  EXPECT_EQ(read_model(folder / "none").error().code, ErrorCode::kNotFound);
  for (const std::string bytes : {"", "not a model", "{", "\x80\x05", "[1]", "\n"}) {
    ASSERT_TRUE(write_file_atomically(folder / "bad", bytes));
    const auto bad = read_model(folder / "bad");
    ASSERT_FALSE(bad) << bytes;
    EXPECT_EQ(bad.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(bad.error().message, HasSubstr("bad"));
  }
  std::filesystem::remove_all(folder);
}

TEST(ModelJson, EveryTruncationAndManyFlipsAreErrorsOrModels) {
  const auto json = to_json(small_model());
  for (size_t keep = 0; keep + 2 < json.size(); ++keep) {
    const auto cut = parse_model_json(json.substr(0, keep), "cut.json");
    ASSERT_FALSE(cut) << keep;
    EXPECT_EQ(cut.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(cut.error().message, StartsWith("cut.json: "));
  }
  for (size_t i = 0; i < json.size(); ++i) {
    for (const char mask : {1, 2, 16, 64}) {
      auto flipped = json;
      flipped[i] = static_cast<char>(flipped[i] ^ mask);
      const auto read = parse_model_json(flipped, "f");
      if (read) {
        EXPECT_TRUE(check_model(*read));
      }
    }
  }
}

TEST(ModelJson, HostileDocumentsAreRefused) {
  EXPECT_FALSE(parse_model_json(std::string(100000, '['), "deep"));
  EXPECT_FALSE(parse_model_json(std::string(100000, '[') + std::string(100000, ']'), "deep"));
  const auto with = [](const std::string& from, const std::string& to) {
    auto json = to_json(small_model());
    const auto at = json.find(from);
    if (at == std::string::npos) throw std::runtime_error("no " + from);
    const auto read = parse_model_json(json.replace(at, from.size(), to), "m.json");
    return read ? std::string("accepted") : read.error().message;
  };
  EXPECT_THAT(with("\"version\":1", "\"version\":5"), HasSubstr("version 5 is not known"));
  EXPECT_THAT(with("\"family\":\"gamma\"", "\"family\":\"weibull\""),
              HasSubstr("column price: the marginal family weibull is not known"));
  EXPECT_THAT(with("\"digits\":2", "\"digits\":2.7"),
              HasSubstr("column price: digits must be a whole number"));
  EXPECT_THAT(with("\"digits\":2", "\"digits\":1e9"), HasSubstr("digits"));
  EXPECT_THAT(with("\"missing\":0.25", "\"missing\":1.5"), HasSubstr("share of missing"));
  EXPECT_THAT(with("\"upper\":[0.4", "\"upper\":[0.5"), HasSubstr("does not ascend"));
  EXPECT_THAT(with("\"upper\":[0.4,", "\"upper\":["), HasSubstr("as many labels"));
  EXPECT_THAT(with("\"price\"", "\"grade\""), HasSubstr("there twice"));
  EXPECT_THAT(with("-0.2]", "1e400]"), HasSubstr("m.json"));
  EXPECT_THAT(with("-0.2]", "-0.3]"), HasSubstr("no correlation"));
  EXPECT_THAT(with("-0.2]", "-0.2,0]"), HasSubstr("wrong length"));
  EXPECT_THAT(with("\"scale\":5.0", "\"scale\":-5.0"), HasSubstr("scale"));
  EXPECT_EQ(with("\"source\":\"test\"", "\"source\":\"other\""), "accepted");
  EXPECT_THAT(with("\"name\":\"price\"", "\"name\":7"), HasSubstr("columns[1]: \"name\" is no text"));
}

TEST(ModelJson, NumbersThatNoColumnCanHoldAreRefusedByName) {
  const auto refusal = [](const Marginal& marginal, const NumberOutput& output) {
    auto model = small_model();
    model.columns[2] = number_column("amt", marginal, output);
    const auto checked = check_model(model);
    return checked ? std::string("accepted") : checked.error().message;
  };
  NumberOutput whole, bounded, rounded;
  whole.format = bounded.format = NumberFormat::kInteger;
  bounded.max = 1e6;
  rounded.digits = 15;
  EXPECT_THAT(refusal(Gaussian{1e25, 1}, whole), HasSubstr("column amt: its values reach 1e+25"));
  EXPECT_THAT(refusal(Gaussian{-1e25, 0}, whole), HasSubstr("column amt"));
  EXPECT_THAT(refusal(Gaussian{0, 1e308}, {}), HasSubstr("column amt"));
  EXPECT_THAT(refusal(Uniform{0, 1e299}, rounded), HasSubstr("column amt"));  // rounding multiplies by 1e15
  EXPECT_EQ(refusal(Uniform{0, 1e299}, {}), "accepted");
  EXPECT_EQ(refusal(Uniform{0, 1e25}, bounded), "accepted");
}

TEST(ModelJson, MissingSetsAreReadFromBothVersionsAndChecked) {
  Mixture mixture;
  mixture.classes.push_back({"", 1, {}});
  auto& copula = mixture.classes[0].copula;
  copula.columns = {{"x", Gaussian{0, 1}, NumberOutput{}},
                    {"y", Gaussian{0, 1}, NumberOutput{}},
                    {"missing: x", Uniform{0, 1}, CategoryOutput{{"0", "1"}, {0.5, 1}, {}}},
                    {"missing: y", Uniform{0, 1}, CategoryOutput{{"0"}, {1}, {}}}};
  copula.correlation = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
  mixture.missing_sets = {{{0}}, {{1}}};
  const std::string json = to_json(mixture);
  const auto with = [&](const std::string& from, const std::string& to) {
    auto changed = json;
    const auto at = changed.find(from);
    if (at == std::string::npos) throw std::runtime_error("no " + from);
    return changed.replace(at, from.size(), to);
  };
  const auto refusal = [&](const std::string& from, const std::string& to) {
    const auto read = parse_mixture_json(with(from, to), "m.json");
    return read ? std::string("accepted") : read.error().message;
  };
  auto old = with("\"missing_sets\":[[[0]],[[1]]]", "\"missing_groups\":[[0],[1]]");
  old.replace(old.find("\"version\":3"), 11, "\"version\":2");
  const auto read = parse_mixture_json(old, "m.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_json(*read), json);
  EXPECT_THAT(refusal("[[[0]],[[1]]]", "[[[2]],[[1]]]"), HasSubstr("does not exist"));
  EXPECT_THAT(refusal("[[[0]],[[1]]]", "[[[0.5]],[[1]]]"), HasSubstr("no column"));
  EXPECT_THAT(refusal("[[[0]],[[1]]]", "[[0],[1]]"), HasSubstr("no array"));
  EXPECT_THAT(refusal("[[[0]],[[1]]]", "7"), HasSubstr("no array"));
  EXPECT_THAT(refusal("[[[0]],[[1]]]", "[[[0],[1]],[[1]]]"), HasSubstr("missing columns, 2 here"));
  EXPECT_THAT(refusal("[\"0\",\"1\"]", "[\"0\",\"2\"]"), HasSubstr("missing columns, 1 here"));
  EXPECT_THAT(refusal("[\"0\",\"1\"]", "[null,\"1\"]"), HasSubstr("missing columns, 1 here"));
}

// Two classes of y, and a number.
Mixture two_classes() {
  Mixture out;
  out.target = "y";
  for (const char* label : {"N", "Y"}) {
    CopulaModel copula;
    copula.columns = {{"y", Uniform{0, 1}, CategoryOutput{{label}, {1}, {}}},
                      number_column("x", Gaussian{0, 1}),
                      number_column("low", Gaussian{0, 1})};
    copula.correlation = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    out.classes.push_back({label, 0.5, std::move(copula)});
  }
  return out;
}

TEST(ModelJson, WhatTheTableCannotKeepIsRefusedWithFileAndName) {
  const std::string json = to_json(two_classes());
  const auto with = [&](const std::string& from, const std::string& to) {
    auto changed = json;
    const auto at = changed.find(from);
    if (at == std::string::npos) throw std::runtime_error("no " + from);
    const auto read = parse_mixture_json(changed.replace(at, from.size(), to), "m.json");
    return read ? std::string("accepted") : read.error().message;
  };
  EXPECT_EQ(with("\"source\":\"\"", "\"source\":\"other\""), "accepted");
  EXPECT_THAT(with("\"label\":\"Y\"", "\"label\":\"N\""), HasSubstr("m.json: class 'N' is there twice"));
  EXPECT_THAT(with("\"label\":\"Y\"", "\"label\":\"Z\""),
              HasSubstr("m.json: class 'Z': its target y must have that value"));
  EXPECT_THAT(with("\"target\":\"y\"", "\"target\":\"q\""), HasSubstr("m.json: the target 'q' is no column"));
  EXPECT_THAT(with("\"target\":\"y\"", "\"target\":\"x\""), HasSubstr("its target x must have that value"));
  const auto constrained = [&](const std::string& constraint) {
    return with("\"constraints\":[]", "\"constraints\":[" + constraint + "]");
  };
  EXPECT_EQ(constrained(R"({"kind":"order","columns":["low","x"],"equals":""})"), "accepted");
  EXPECT_THAT(constrained(R"({"kind":"order","columns":["low","high"],"equals":""})"),
              HasSubstr("m.json: the constraint order: low <= high: 'high' is no column"));
  EXPECT_THAT(constrained(R"({"kind":"order","columns":["low","y"],"equals":""})"),
              HasSubstr("m.json: the constraint order: low <= y: 'y' must be a column of numbers"));
}

TEST(ModelJson, NestingCostsNoStackAndANullScoreIsNone) {
  const std::string json = to_json(two_classes());
  const auto with = [&](const std::string& from, const std::string& to) {
    auto changed = json;
    return parse_mixture_json(changed.replace(changed.find(from), from.size(), to), "m.json");
  };
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  for (const char* key : {"missing_sets", "constraints"}) {
    const std::string field = "\"" + std::string(key) + "\":[]";
    const auto read = with(field, "\"" + std::string(key) + "\":" + deep);
    ASSERT_FALSE(read) << key;
    EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
    EXPECT_FALSE(with("\"version\":3", "\"version\":2,\"missing_groups\":" + deep));
  }
  const auto none = with("\"version\":3", "\"version\":3,\"quality_score\":null");
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_EQ(none->quality_score, std::nullopt);
  EXPECT_EQ(with("\"version\":3", "\"version\":3,\"quality_score\":0.5")->quality_score, 0.5);
  EXPECT_FALSE(with("\"version\":3", "\"version\":3,\"quality_score\":\"good\""));
}

TEST(Mixture, AChosenClassStaysChosenAndTheOthersKeepTheirProportions) {
  auto mixture = two_classes();
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_TRUE(set_class_share(mixture, "Y", 1));
    EXPECT_EQ(mixture.classes[0].share, 0);
    EXPECT_EQ(mixture.classes[1].share, 1);
  }
  EXPECT_THAT(set_class_share(mixture, "Y", 0.5).error().message,
              HasSubstr("'Y' is the only class of y that has rows"));
  ASSERT_TRUE(set_class_share(mixture, "N", 0.25));
  EXPECT_EQ(mixture.classes[1].share, 0.75);
  ASSERT_TRUE(keep_classes(mixture, [](const std::string& label) { return label == "N"; }));
  ASSERT_EQ(mixture.classes.size(), 1u);
  EXPECT_EQ(mixture.classes[0].share, 1);
  EXPECT_THAT(keep_classes(mixture, [](const std::string& label) { return label == "Y"; }).error().message,
              HasSubstr("it has N (1)"));
}

// A share that is 0 stays 0, whatever the others' sum lacks.
TEST(Mixture, NoRowOfAClassWithoutAShare) {
  auto mixture = two_classes();
  mixture.classes[0].share = 1 - 9e-7;
  mixture.classes[1].share = 0;
  ASSERT_TRUE(check_mixture(mixture));
  const auto sampler = MixtureSampler::make(mixture).value();
  Table rows;
  for (uint64_t first = 0; first < 10000000; first += 1000000) {
    sampler.draw(first, 1000000, 1, rows);
    for (size_t i = 0; i < rows.rows; ++i) ASSERT_EQ(rows.columns[0].text(i), "N") << first + i;
  }
}

TEST(Marginal, ScoreUndoesQuantile) {
  for (const Marginal& marginal : {Marginal(Beta{1.1, 2.2, -3, 4.5}), Marginal(Gaussian{1, 2}),
                                   Marginal(Uniform{0.1, 3}), Marginal(TruncatedGaussian{-1, 2, 0.3, 0.7}),
                                   Marginal(Gamma{0.5, -1, 0.3}), Marginal(StudentT{2.5, 0, 1})}) {
    SCOPED_TRACE(family_name(marginal));
    for (double z = -4; z <= 4; z += 0.37) {
      const double x = quantile_at(marginal, z);
      EXPECT_NEAR(normal_score(marginal, x), z, 1e-6) << z;
      // dx/dz = phi / f; the central difference is good to about 1e-3 where x is nearly flat.
      const double h = 1e-4, slope = (quantile_at(marginal, z + h) - quantile_at(marginal, z - h)) / (2 * h);
      const double phi = std::exp(-z * z / 2) / std::sqrt(2 * std::acos(-1.0));
      EXPECT_NEAR(slope * density(marginal, x) / phi, 1, 1e-3) << z;
    }
  }
}

TEST(Marginal, ChecksItsParameters) {
  EXPECT_EQ(check_marginal(Beta{1, 1, 0, 0}), "");
  EXPECT_NE(check_marginal(Beta{0, 1, 0, 1}), "");
  EXPECT_NE(check_marginal(Gaussian{NAN, 1}), "");
  EXPECT_NE(check_marginal(Gaussian{0, -1}), "");
  EXPECT_NE(check_marginal(TruncatedGaussian{2, 1, 0, 1}), "");
  EXPECT_NE(check_marginal(StudentT{0, 0, 1}), "");
  EXPECT_NE(check_marginal(Gamma{INFINITY, 0, 1}), "");
  EXPECT_EQ(quantile_at(Beta{1, 1, 7, 0}, 3), 7);
}

TEST(Model, OneReaderForAllFilesAndAPlainRefusalWhereOneCopulaIsNotEnough) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "maeil_one_reader";
  std::filesystem::create_directories(folder);
  Mixture mixture;
  mixture.source = "rows.csv";
  mixture.classes.push_back({"", 1, small_model()});
  ASSERT_TRUE(write_mixture(mixture, folder / "single.json"));
  const auto single = read_model(folder / "single.json");  // a mixture, but no more than one copula
  ASSERT_TRUE(single) << single.error().message;
  EXPECT_EQ(single->source, "rows.csv");
  EXPECT_EQ(single->columns.size(), small_model().columns.size());
  for (auto& column : mixture.classes[0].copula.columns) {
    if (auto* number = std::get_if<NumberOutput>(&column.output)) number->missing = 0;
  }
  mixture.classes[0].share = 0.5;
  mixture.classes.push_back(mixture.classes[0]);
  mixture.classes[1].label = "second";
  ASSERT_TRUE(write_mixture(mixture, folder / "two.json"));
  EXPECT_TRUE(read_mixture(folder / "two.json"));
  const auto refused = read_model(folder / "two.json");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("2 classes"), std::string::npos) << refused.error().message;
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace maeil::copula
