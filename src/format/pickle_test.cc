#include "format/pickle.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/file.h"
#include "base/test_data.h"
#include "format/numpy.h"
#include "format/pandas.h"
#include "format/pickle_samples.h"

namespace maeil::format {
namespace {

using samples::from_hex;

std::string why(std::string bytes) {
  auto read = read_pickle(std::move(bytes), "f.pkl");
  return read ? "was read" : read.error().message;
}

// Touches everything a reader could touch, so that a sanitizer sees bad indices.
size_t walk(PickleValue value, std::set<uint32_t>& seen, int depth = 0) {
  if (depth > 200 || !seen.insert(value.id()).second) return 0;
  size_t sum =
      1 + value.text().value_or("").size() + value.bytes().value_or("").size() + value.class_name().size();
  for (size_t i = 0; i < value.size(); ++i) sum += walk(value.item(i), seen, depth + 1);
  for (size_t i = 0; i < value.pair_count(); ++i)
    sum += walk(value.key(i), seen, depth + 1) + walk(value.mapped(i), seen, depth + 1);
  for (size_t i = 0; i < value.argument_count(); ++i) sum += walk(value.argument(i), seen, depth + 1);
  if (auto state = value.state()) sum += walk(*state, seen, depth + 1);
  if (is_ndarray(value)) sum += read_ndarray(value).has_value();
  if (value.class_name().ends_with("DataFrame")) sum += read_frame(value).has_value();
  if (value.class_name().ends_with("Series")) sum += read_series(value).has_value();
  return sum + number_of(value).has_value() + text_of(value).has_value();
}

TEST(Pickle, ReadsTheSameValuesInEveryProtocol) {
  for (std::string_view sample : samples::kPlain) {
    auto read = read_pickle(from_hex(sample), "f.pkl");
    ASSERT_TRUE(read) << read.error().message;
    PickleValue root = read->root();
    PickleValue ints = *root.find("ints");
    std::vector<int64_t> expected{0, -1, 255, 65535, INT32_MIN, int64_t{1} << 40, INT64_MIN};
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(ints.item(i).integer(), expected[i]);
    EXPECT_EQ(ints.item(7).kind(), PickleKind::kBigInteger);
    EXPECT_EQ(ints.item(7).text(), "1180591620717411303424");
    EXPECT_EQ(ints.item(8).text(), "-1180591620717411303424");
    EXPECT_EQ(root.find("reals")->item(0).real(), 2.5);
    EXPECT_EQ(root.find("reals")->item(1).real(), std::numeric_limits<double>::infinity());
    EXPECT_TRUE(root.find("flags")->item(0).is_none());
    EXPECT_EQ(root.find("flags")->item(1).boolean(), true);
    EXPECT_EQ(root.find("flags")->item(2).boolean(), false);
    EXPECT_EQ(root.find("bytes")->bytes(), std::string_view("\0\xff"
                                                            "a",
                                                            3));
    EXPECT_EQ(root.find("bytes")->kind(), PickleKind::kBytes);
    EXPECT_EQ(root.find("text")->text(), "é담\n\\");
    EXPECT_EQ(root.find("set")->kind(), PickleKind::kSet);
    EXPECT_EQ(root.find("set")->item(0).integer(), 7);
    EXPECT_EQ(root.find("ordered")->kind(), PickleKind::kDict);
    EXPECT_EQ(root.find("ordered")->find("x")->integer(), 1);
    EXPECT_EQ(root.find("shared")->item(0).id(), root.find("shared")->item(1).id());
    PickleValue cyclic = *root.find("empty");
    EXPECT_EQ(cyclic.item(0).item(0).id(), cyclic.id());
    EXPECT_EQ(root.find("self")->id(), cyclic.id());
    EXPECT_FALSE(root.find("absent"));
  }
}

// What an unknown name, or a call of it, leaves: its name.
std::string opaque_name(std::string bytes) {
  auto read = read_pickle(std::move(bytes), "f.pkl");
  if (!read) return read.error().message;
  return (read->root().is(PickleKind::kOpaque) ? "opaque " : "known ") + read->root().class_name();
}

TEST(Pickle, KeepsOnlyTheNameOfWhatItDoesNotKnow) {
  for (std::string_view sample : samples::kSystem)
    EXPECT_EQ(opaque_name(from_hex(sample)), "opaque posix.system");
  constexpr const char* kNames[] = {"__builtin__.eval", "__builtin__.exec", "builtins.getattr",
                                    "subprocess.Popen", "posix._exit"};
  for (size_t i = 0; i < samples::kOtherCalls.size(); ++i) {
    EXPECT_EQ(opaque_name(from_hex(samples::kOtherCalls[i])), std::string("opaque ") + kNames[i]);
  }
  EXPECT_EQ(opaque_name("cos\nsystem\n."), "opaque os.system");            // named, not called
  EXPECT_EQ(opaque_name("(S'true'\nios\nsystem\n."), "opaque os.system");  // INST
  // through a known package
  EXPECT_EQ(opaque_name("csdv.x\nos.system\n."), "opaque sdv.x.os.system");
  EXPECT_EQ(opaque_name("cnumpy.testing._private.utils\nrunstring\n."),
            "opaque numpy.testing._private.utils.runstring");
  // What is made from it is unknown as well, never empty: a list, a set, a dict, bytes, what another call
  // gives.
  for (const char* wrap : {"cbuiltins\nlist\n", "cbuiltins\nset\n", "ccollections\nOrderedDict\n",
                           "cbuiltins\nbytes\n", "cbuiltins\nlist\n"}) {
    EXPECT_TRUE(opaque_name(std::string(wrap) + "(cos\nsystem\n(tRtR.").starts_with("opaque builtins.") ||
                opaque_name(std::string(wrap) + "(cos\nsystem\n(tRtR.") == "opaque collections.OrderedDict")
        << wrap;
  }
  EXPECT_EQ(opaque_name("ca\nb\n(tR(tR(tR."), "opaque a.b");
}

TEST(Pickle, GivesWhatItDoesNotKnowNoContent) {
  auto read = read_pickle("(ccloudpickle.cloudpickle\n_make_function\n(I1\nI2\ntR}S'x'\nI1\nsb.", "f.pkl");
  EXPECT_FALSE(read);  // a mark is left
  // A call, then a state, items and pairs, as a random generator of any numpy has them.
  read = read_pickle(
      "cnumpy.random._pickle\n__randomstate_ctor\n(S'MT19937'\ntR}S'x'\nI1\nsb(I1\nI2\neS'k'\nI3\ns.",
      "f.pkl");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->root().kind(), PickleKind::kOpaque);
  EXPECT_EQ(read->root().class_name(), "numpy.random._pickle.__randomstate_ctor");
  EXPECT_EQ(read->root().size() + read->root().pair_count() + read->root().argument_count(), 0u);
  EXPECT_FALSE(read->root().state());
  EXPECT_FALSE(read->root().attribute("x"));
}

TEST(Pickle, RefusesWhatIsMalformedWithTheBytesPlace) {
  EXPECT_EQ(why(""), "f.pkl: the pickle ends at byte 0 before its STOP; the file is truncated");
  EXPECT_EQ(why("hello"), "f.pkl: byte 0: asks for memo 101 that was never stored");
  EXPECT_NE(why("\xffhello").find("0xff is no pickle opcode"), std::string::npos);
  EXPECT_NE(why("N.N").find("1 bytes follow"), std::string::npos);
  EXPECT_NE(why("\x80\x06N.").find("protocol 6"), std::string::npos);
  EXPECT_NE(why("R.").find("empty stack"), std::string::npos);
  EXPECT_NE(why("NN.").find("2 values"), std::string::npos);
  EXPECT_NE(why("\x82\x01.").find("without registered extensions"), std::string::npos);
  EXPECT_NE(why("\x97.").find("buffer_callback"), std::string::npos);
  EXPECT_NE(why(std::string("\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", 10)).find("truncated"),
            std::string::npos);
  EXPECT_NE(why(std::string("Nr\xff\xff\xff\xff.", 7)).find("memo bomb"), std::string::npos);
  EXPECT_NE(why("X\x01" + std::string(3, '\0') + "\xff.").find("not UTF-8"), std::string::npos);
  EXPECT_NE(why("N}b.").find("state of a None"), std::string::npos);
  // One list of 1,000 items handed to set() 1,000 times: a megabyte from 7 KB.
  std::string bomb = "(";
  for (int i = 0; i < 1000; ++i) bomb += "N";
  bomb += "lp0\n";
  for (int i = 0; i < 1000; ++i) bomb += "0cbuiltins\nset\n(g0\ntR";
  EXPECT_NE(why(bomb + ".").find("memo bomb"), std::string::npos);
  EXPECT_NE(why("c__builtin__\nset\n(I1\ntR(N.").find("on the stack"), std::string::npos);
}

TEST(Pickle, AMillionLevelsNeitherCrashNorHang) {
  constexpr size_t kDepth = 1'000'000;
  auto read = read_pickle(std::string(kDepth, ']') + std::string(kDepth - 1, 'a') + ".", "f.pkl");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->node_count(), kDepth);
  EXPECT_NE(why(std::string(kDepth, '(') + ".").find("STOP"), std::string::npos);
  for (char wrap : {'\x85', 'Q'}) {
    std::string nested(kDepth + 2, wrap);
    nested.front() = 'N';
    nested.back() = '.';
    EXPECT_TRUE(read_pickle(nested, "f.pkl"));
  }
}

TEST(Pickle, RefusesEveryTruncation) {
  for (const auto& group : {samples::kPlain[0], samples::kPlain[2], samples::kPlain[5], samples::kArrays[3],
                            samples::kFrames[1]}) {
    std::string whole = from_hex(group);
    for (size_t n = 0; n < whole.size(); ++n) {
      auto read = read_pickle(whole.substr(0, n), "f.pkl");
      ASSERT_FALSE(read) << n;
      ASSERT_EQ(read.error().code, ErrorCode::kBadInput);
    }
  }
}

// Flips one to four random bits: the reader and everything on top must return, with a value or an error.
void flip_bits(std::string_view whole, int rounds, uint32_t seed) {
  std::mt19937 random(seed);
  for (int round = 0; round < rounds; ++round) {
    std::string damaged(whole);
    for (uint32_t k = 0; k < 1 + random() % 4; ++k)
      damaged[random() % damaged.size()] ^= static_cast<char>(1u << (random() % 8));
    auto read = read_pickle(std::move(damaged), "f.pkl");
    std::set<uint32_t> seen;
    if (read)
      EXPECT_GT(walk(read->root(), seen), 0u);
    else
      EXPECT_NE(read.error().message.find("f.pkl"), std::string::npos);
  }
}

TEST(Pickle, SurvivesFlippedBits) {
  uint32_t seed = 1;
  for (std::string_view sample : samples::kPlain) flip_bits(from_hex(sample), 2000, seed++);
  for (std::string_view sample : samples::kArrays) flip_bits(from_hex(sample), 1000, seed++);
  for (std::string_view sample : samples::kFrames) flip_bits(from_hex(sample), 1000, seed++);
}

TEST(PickleGolden, SurvivesFlippedBitsInTheSeed) {
  MAEIL_NEEDS(seed_dir());
  flip_bits(read_file(seed_dir() / "distribution_model.pkl").value(), 10, 99);
}

TEST(PickleGolden, ReadsTheSeedSynthesizerCompletely) {
  MAEIL_NEEDS(seed_dir());
  auto document = read_pickle_file(seed_dir() / "distribution_model.pkl");
  ASSERT_TRUE(document) << document.error().message;
  PickleValue root = document->root();
  EXPECT_EQ(root.class_name(), "sdv.single_table.copulas.GaussianCopulaSynthesizer");
  EXPECT_EQ(root.attribute("_fitted_sdv_version")->text(), "1.32.0");
  EXPECT_EQ(root.attribute("_num_rows")->integer(), 1000000);
  auto model = root.attribute("_model");
  ASSERT_TRUE(model);
  EXPECT_EQ(model->attribute("columns")->size(), 99u);
  EXPECT_EQ(model->attribute("columns")->item(1).text(), "seg");
  auto marginals = model->attribute("univariates");
  ASSERT_EQ(marginals->size(), 99u);
  for (size_t i = 0; i < 99; ++i)
    EXPECT_TRUE(marginals->item(i).is_class("copulas.univariate.beta.BetaUnivariate"));
  auto transformers =
      root.attribute("_data_processor")->attribute("_hyper_transformer")->attribute("field_transformers");
  EXPECT_EQ(transformers->pair_count(), 99u);
  std::set<uint32_t> seen;
  EXPECT_GT(walk(root, seen), 1000u);
}

}  // namespace
}  // namespace maeil::format
