#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/file.h"
#include "base/test_data.h"
#include "format/test_checkpoint.h"
#include "format/torch.h"
#include "format/zip.h"

// Archives made by hand that lie about their content, and damaged ones.

namespace maeil::format {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

std::string why_refused(std::string_view bytes) {
  auto read = testing::read_whole(bytes, "f.pth");
  if (read) return "was read";
  EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
  EXPECT_TRUE(read.error().message.starts_with("f.pth")) << read.error().message;
  return read.error().message;
}

std::string sizes(const std::vector<std::string>& numbers) {
  std::string out = "(";
  for (const auto& number : numbers)
    out += (number.size() > 10 ? "L" : "I") + number + (number.size() > 10 ? "L\n" : "\n");
  return out + "t";
}

// {"w": a tensor} in protocol 0.
std::string pickle(const std::vector<std::string>& shape, const std::vector<std::string>& stride,
                   const std::string& offset = "0", const std::string& elements = "4",
                   const std::string& type = "FloatStorage", const std::string& key = "0") {
  return "(S'w'\nctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\n" + type + "\nS'" + key +
         "'\nS'cpu'\nL" + elements + "L\ntQL" + offset + "L\n" + sizes(shape) + sizes(stride) + "I00\nNtRd.";
}

std::string archive(const std::string& data_pkl, Entries more = {{"m/data/0", std::string(16, '\0')}}) {
  Entries entries{{"m/data.pkl", data_pkl}};
  entries.insert(entries.end(), more.begin(), more.end());
  return write_stored_zip(entries).value();
}

TEST(TorchHostile, RefusesShapesStridesAndOffsetsThatLie) {
  EXPECT_EQ(why_refused(archive(pickle({"4"}, {"1"}))), "was read");
  EXPECT_EQ(why_refused(archive(pickle({"2", "2"}, {"1", "2"}))), "was read");
  auto expect = [](const std::string& bytes, const char* part) {
    std::string message = why_refused(bytes);
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_NE(message.find("tensor w"), std::string::npos) << message;
  };
  expect(archive(pickle({"-4"}, {"1"})), "negative shape");
  expect(archive(pickle({"4"}, {"-1"})), "negative stride");
  expect(archive(pickle({"4"}, {"1"}, "-1")), "negative offset");
  expect(archive(pickle({"5"}, {"1"})), "reaches element 4 of a storage of 4");
  expect(archive(pickle({"4"}, {"1"}, "1")), "reaches element 4 of a storage of 4");
  expect(archive(pickle({"2"}, {"9223372036854775807"}, "9223372036854775807")), "storage of 4");
  expect(archive(pickle({"9223372036854775807", "9223372036854775807"}, {"1", "1"})), "overflows");
  expect(archive(pickle({"3", "1"}, {"9223372036854775807", "1"})), "storage of 4");
  expect(archive(pickle({"5"}, {"9223372036854775807"})), "overflows");
  expect(archive(pickle({"1000000000"}, {"0"})), "repeats its storage");
  expect(archive(pickle({"4"}, {"1", "1"})), "different length");
  expect(archive(pickle({"4"}, {"1"}, "0", "-4")), "storage of -4");
  expect(archive(pickle({"4"}, {"1"}, "0", "9223372036854775807")), "storage of 9223372036854775807");
  expect(archive(pickle({"4"}, {"1"}, "0", "5")), "16 bytes instead of 20");
  expect(archive(pickle({"4"}, {"1"}, "0", "99999999999")), "bytes instead of");
  expect(archive(pickle({"4"}, {"1"}, "0", "4", "DoubleStorage")), "16 bytes instead of 32");
  expect(archive(pickle({"4"}, {"1"}, "0", "4", "HalfStorage")), "16 bytes instead of 8");
  expect(archive(pickle({"4"}, {"1"}, "0", "4", "CharStorage")), "torch.CharStorage");
  expect(archive(pickle({"4"}, {"1"}, "0", "4", "FloatStorage", "7")), "storage 7 is missing");
  expect(archive(pickle({"4"}, {"1"}, "0", "4", "FloatStorage", "../../etc/passwd")), "is missing");
}

TEST(TorchHostile, RefusesArchivesOfOtherKinds) {
  auto expect = [](const std::string& bytes, const char* part) {
    std::string message = why_refused(bytes);
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  expect("", "empty");
  expect("hello", "neither a PyTorch checkpoint (a zip archive) nor a safetensors file");
  expect(std::string("\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.", 15), "before PyTorch 1.6");
  expect(std::string("\x80\x02}.", 4), "bare pickle");
  std::string tar(512, '\0');
  tar.replace(257, 5, "ustar");
  expect(tar, "tar format");
  expect("PK\x03\x04", "truncated");
  expect(write_stored_zip({{"a.txt", "x"}}).value(), "0 entries data.pkl");
  expect(write_stored_zip({{"a/data.pkl", "N."}, {"b/data.pkl", "N."}}).value(), "2 entries data.pkl");
  expect(archive("cos\nsystem\n(S'true'\ntR."), "holds a os.system instead of a dict of tensors");
  expect(archive("c__main__\nModel\n)R."),
         "holds a __main__.Model instead of a dict of tensors; save the model's state_dict()");
  expect(archive("N."), "holds a None");
  expect(archive(pickle({"4"}, {"1"}), {{"m/data/0", std::string(16, '\0')}, {"m/byteorder", "middle"}}),
         "byte order");
  // {"a": [self reference]}: extras may not follow it for ever.
  const auto value = [](const std::string& bytes, const char* key) {
    const auto file = open_checkpoint(bytes, "f.pth");
    const auto read = (*file)->value(key);
    return read ? std::string("was read") : read.error().message;
  };
  EXPECT_NE(value(archive("(dp0\nS'a'\ng0\ns."), "a").find("nested deeper"), std::string::npos);
  std::string laughs = "(dS'a'\n(lp0\n";
  for (int i = 0; i < 60; ++i) laughs += fmt::format("0(g{}\ng{}\nlp{}\n", i, i, i + 1);
  EXPECT_NE(value(archive(laughs + "s."), "a").find("repeat each other"), std::string::npos);
  EXPECT_EQ(value(archive(laughs + "s."), "b"), "was read") << "what is not asked for is not read";
  expect(archive(std::string(1'000'000, ']') + "."), "STOP");
}

// One text that many places refer to, as keys of tensors and as plain values.
TEST(TorchHostile, RefusesTextsThatRepeat) {
  const std::string text(1'000'000, 'k'), tensor = pickle({"4"}, {"1"});
  const size_t from = tensor.find("ctorch._utils");
  const std::string rebuilt = tensor.substr(from, tensor.size() - from - 2);  // without "d."
  std::string names = "S'" + text + "'\np0\n0" + rebuilt + "p1\n0(l";
  for (int i = 0; i < 20; ++i) names += "(g0\ng1\nda";
  EXPECT_NE(why_refused(archive(names + ".")).find("texts that repeat"), std::string::npos)
      << why_refused(archive(names + "."));
  std::string plain = "(S'a'\n(S'" + text + "'\np0\n";
  for (int i = 0; i < 20; ++i) plain += "g0\n";
  const auto bytes = archive(plain + "ld.");
  const auto file = open_checkpoint(bytes, "f.pth");
  ASSERT_TRUE(file) << file.error().message;
  const auto read = (*file)->value("a");
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("texts that repeat"), std::string::npos) << read.error().message;
  std::string keys = "(S'a'\n(";
  for (int i = 0; i < 100'001; ++i) keys += fmt::format("I{}\nN", i);
  const auto many = archive(keys + "dd.");
  const auto dict = (*open_checkpoint(many, "f.pth"))->value("a");
  ASSERT_FALSE(dict);
  EXPECT_NE(dict.error().message.find("a dict of 100001 keys"), std::string::npos) << dict.error().message;
}

TEST(TorchHostile, ReadsBigEndianAndAnyRoot) {
  std::string raw("\x3f\x80\0\0\x40\0\0\0\x40\x40\0\0\x40\x80\0\0", 16);
  auto read = testing::read_whole(
      write_stored_zip(
          {{"a/b/data.pkl", pickle({"4"}, {"1"})}, {"a/b/byteorder", "big"}, {"a/b/data/0", raw}})
          .value(),
      "f.pth");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->state[0].values, (std::vector<float>{1, 2, 3, 4}));
  read = testing::read_whole(
      write_stored_zip({{"data.pkl", pickle({"4"}, {"1"})}, {"data/0", std::string(16, '\0')}}).value(),
      "f.pth");
  EXPECT_TRUE(read) << read.error().message;
}

// Deflated zeros: 320 MB of them fit into 2 MB.
TEST(TorchHostile, RefusesAZipBomb) {
  zip_error_t problem;
  zip_error_init(&problem);
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &problem);
  zip_t* made = zip_open_from_source(target, ZIP_CREATE, &problem);
  zip_source_keep(target);
  std::string pkl = pickle({"80000000"}, {"1"}, "0", "80000000"), zeros(size_t{320000000}, '\0');
  for (auto& [name, content] :
       {std::pair<const char*, std::string&>{"m/data.pkl", pkl}, {"m/data/0", zeros}}) {
    auto index = zip_file_add(made, name, zip_source_buffer(made, content.data(), content.size(), 0), 0);
    zip_set_file_compression(made, static_cast<zip_uint64_t>(index), ZIP_CM_DEFLATE, 1);
  }
  ASSERT_EQ(zip_close(made), 0);
  zip_stat_t stat;
  ASSERT_EQ(zip_source_stat(target, &stat), 0);
  std::string bytes(stat.size, '\0');
  zip_source_open(target);
  zip_source_read(target, bytes.data(), bytes.size());
  zip_source_close(target);
  zip_source_free(target);
  EXPECT_LT(bytes.size(), size_t{8} << 20);
  EXPECT_NE(why_refused(bytes).find("zip bomb"), std::string::npos) << why_refused(bytes);
}

TEST(TorchHostile, RefusesEveryTruncationAndSurvivesFlippedBits) {
  std::string whole = archive(pickle({"2", "2"}, {"2", "1"}));
  for (size_t n = 0; n < whole.size(); ++n) ASSERT_NE(why_refused(whole.substr(0, n)), "was read") << n;
  std::mt19937 random(5);
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = whole;
    for (uint32_t k = 0; k < 1 + random() % 3; ++k)
      damaged[random() % damaged.size()] ^= static_cast<char>(1u << (random() % 8));
    why_refused(damaged);
  }
}

TEST(TorchHostileGolden, SurvivesDamageToTheSeeds) {
  MAEIL_NEEDS(seed_dir());
  std::mt19937 random(6);
  for (const char* file : {"finetuned_model_f.pth", "pretrained_model_f.pth"}) {
    std::string whole = read_file(seed_dir() / file).value();
    for (int round = 0; round < 30; ++round) {
      std::string damaged = whole;
      // Half of the flips go where the structure is: the pickle at the front, the directory at the back.
      size_t range = round % 2 == 0 ? damaged.size() : 60000;
      size_t at = random() % range;
      if (round % 4 == 3) at = damaged.size() - 1 - at;
      damaged[at] ^= static_cast<char>(1u << (random() % 8));
      why_refused(damaged);
      ASSERT_NE(why_refused(std::string_view(whole).substr(0, random() % whole.size())), "was read");
    }
  }
}

}  // namespace
}  // namespace maeil::format
