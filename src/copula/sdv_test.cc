// SDV's file against SDV's own account of it: the marginals' quantiles of the goldens and every value of the
// model.
#include "copula/sdv.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "base/file.h"
#include "base/test_data.h"
#include "copula/test_support.h"

namespace maeil::copula {
namespace {

const CopulaModel& seed_model() {
  static const CopulaModel model = [] {
    auto read = read_model(seed_dir() / "distribution_model.pkl");
    if (!read) throw std::runtime_error(read.error().message);
    return std::move(*read);
  }();
  return model;
}

TEST(SdvGolden, ThePickleHoldsWhatSdvSaysOfIt) {
  MAEIL_NEEDS(seed_dir());
  const auto& ours = seed_model();
  const auto theirs = fixture_model();
  ASSERT_EQ(ours.columns.size(), theirs.columns.size());
  for (size_t c = 0; c < ours.columns.size(); ++c) {
    SCOPED_TRACE(theirs.columns[c].name);
    EXPECT_EQ(ours.columns[c].name, theirs.columns[c].name);
    EXPECT_EQ(ours.columns[c].output.index(), theirs.columns[c].output.index());
    if (const auto* category = std::get_if<CategoryOutput>(&theirs.columns[c].output)) {
      EXPECT_EQ(std::get<CategoryOutput>(ours.columns[c].output).labels, category->labels);
    }
  }
  // Every number to the last bit, since JSON keeps doubles exactly.
  EXPECT_TRUE(to_json(ours) == to_json(theirs))
      << "the model read from the pickle differs from SDV's own account";
}

TEST(SdvGolden, CountsOfEncodersAndFormatsAreTheSeeds) {
  MAEIL_NEEDS(seed_dir());
  const auto& model = seed_model();
  EXPECT_EQ(model.columns.size(), 99u);
  EXPECT_EQ(std::ranges::count_if(
                model.columns, [](const auto& c) { return std::holds_alternative<NumberOutput>(c.output); }),
            51);
  EXPECT_EQ(std::ranges::count(number_formats(model), NumberFormat::kInteger), 3);
}

TEST(SdvGolden, QuantilesAndCorrelationMatchScipys) {
  MAEIL_NEEDS(seed_dir());
  MAEIL_NEEDS(golden_dir());
  const auto& model = seed_model();
  std::ifstream file(golden_dir() / "copula.json");
  const auto golden = nlohmann::json::parse(file);
  for (const auto& column : model.columns) {
    SCOPED_TRACE(column.name);
    const auto& expected = golden["columns"].at(column.name);
    const auto& beta = std::get<Beta>(column.marginal);
    EXPECT_DOUBLE_EQ(beta.a, expected["params"]["a"].get<double>());
    EXPECT_DOUBLE_EQ(beta.b, expected["params"]["b"].get<double>());
    EXPECT_DOUBLE_EQ(beta.loc, expected["params"]["loc"].get<double>());
    EXPECT_DOUBLE_EQ(beta.scale, expected["params"]["scale"].get<double>());
    // The golden's u run from 1e-6 to 1 - 1e-6; 1e-6 of what lies between is far stricter than 1e-6 of the
    // scale.
    const double spread = expected["ppf"].back().get<double>() - expected["ppf"].front().get<double>();
    for (size_t i = 0; i < expected["u"].size(); ++i) {
      EXPECT_NEAR(quantile_at(column.marginal, normal_quantile(expected["u"][i])),
                  expected["ppf"][i].get<double>(), 1e-6 * std::min(beta.scale, spread));
    }
  }
  const size_t C = model.columns.size();
  for (size_t j = 0; j < C; ++j)
    EXPECT_EQ(model.correlation_at(0, j), golden["correlation_first_row"][j].get<double>());
  EXPECT_NEAR(std::accumulate(model.correlation.begin(), model.correlation.end(), 0.0),
              golden["correlation_sum"].get<double>(), 1e-9);
}

TEST(Sdv, RefusesWhatIsNoSynthesizer) {
  const auto text = parse_sdv_model("\x80\x04\x8c\x05hello\x94.", "hello.pkl");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(text.error().message, testing::HasSubstr("hello.pkl"));
  EXPECT_FALSE(parse_sdv_model("", "empty.pkl"));
  // Neither run nor taken for something: a command, and another package's class of the same name, which a
  // terminal is spared.
  const auto command = parse_sdv_model("cos\nsystem\n(S'true'\ntR.", "command.pkl");
  ASSERT_FALSE(command);
  EXPECT_THAT(command.error().message, testing::HasSubstr("a os.system is no GaussianCopulaSynthesizer"));
  const auto other = parse_sdv_model("ca\x1b[31m\nGaussianCopulaSynthesizer\n(tR.", "other.pkl");
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, testing::HasSubstr("a?[31m.GaussianCopulaSynthesizer"));
}

TEST(SdvGolden, DamagedPicklesEndInOneSentence) {
  MAEIL_NEEDS(seed_dir());
  const auto bytes = read_file(seed_dir() / "distribution_model.pkl").value();
  for (const size_t keep : {size_t{1}, size_t{1000}, bytes.size() / 2, bytes.size() - 1}) {
    const auto cut = parse_sdv_model(bytes.substr(0, keep), "cut.pkl");
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(cut.error().message, testing::StartsWith("cut.pkl"));
  }
  // A flipped byte may leave a readable model (a digit of a label) but must never do worse than an error.
  for (size_t i = 0; i < 24; ++i) {
    auto flipped = bytes;
    flipped[(i * 2654435761u) % flipped.size()] ^= static_cast<char>(1 << (i % 8));
    const auto read = parse_sdv_model(std::move(flipped), "flipped.pkl");
    EXPECT_TRUE(read || read.error().code == ErrorCode::kBadInput) << read.error().message;
  }
  auto other = bytes;  // a transformer that is not known
  const auto at = other.find("FloatFormatter");
  ASSERT_NE(at, std::string::npos);
  other.replace(at, 14, "FloatFormatted");
  const auto refused = parse_sdv_model(std::move(other), "other.pkl");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("FloatFormatted"));
}

}  // namespace
}  // namespace maeil::copula
