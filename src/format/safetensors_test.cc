// safetensors files made by hand: every type, and headers that lie; a whole one cut and damaged at every
// place.
#include "format/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "format/float16.h"
#include "format/test_checkpoint.h"

namespace maeil::format {
namespace {

std::string file(const std::string& header, const std::string& data, int64_t length = -1) {
  const uint64_t size = length < 0 ? header.size() : static_cast<uint64_t>(length);
  std::string out(8, '\0');
  for (int i = 0; i < 8; ++i) out[static_cast<size_t>(i)] = static_cast<char>(size >> (8 * i));
  return out + header + data;
}

std::string why_no_tensors(std::string_view bytes) {
  const auto read = testing::read_whole(bytes, "f.safetensors");
  if (read) return "was read";
  EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
  EXPECT_TRUE(read.error().message.starts_with("f.safetensors")) << read.error().message;
  return read.error().message;
}

TEST(Safetensors, ReadsEveryFloatAndIntegersInTheirOrder) {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"d":{"dtype":"F64","shape":[1],"data_offsets":[16,24]},)"
      R"("w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"h":{"dtype":"F16","shape":[2],)"
      R"("data_offsets":[8,12]},)"
      R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]},"n":{"dtype":"I64","shape":[],)"
      R"("data_offsets":[24,32]},)"
      R"("e":{"dtype":"F32","shape":[0,5],"data_offsets":[32,32]}}  )";
  const std::string data(
      "\0\0\x80\x3f\0\0\0\xc0"  // 1, -2
      "\0\x3c\xff\x7b"          // 1, 65504
      "\x80\x3f\x80\xff"        // 1, -infinity
      "\0\0\0\0\0\0\xe0\x3f"    // 0.5
      "\xff\xff\xff\xff\xff\xff\xff\xff",
      32);
  const auto read = testing::read_whole(file(header, data), "f.safetensors");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->dicts.size(), 1u);
  EXPECT_EQ(read->dicts[0].path, "");
  EXPECT_EQ(read->dicts[0].names, (std::vector<std::string>{"w", "h", "b", "d", "n", "e"}));
  EXPECT_EQ(read->find("w")->values, (std::vector<float>{1, -2}));
  EXPECT_EQ(read->find("w")->shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(read->find("h")->values, (std::vector<float>{1, 65504}));
  EXPECT_EQ(read->find("b")->values, (std::vector<float>{1, -INFINITY}));
  EXPECT_EQ(read->find("d")->doubles, (std::vector<double>{0.5}));
  EXPECT_EQ(read->find("n")->integers, (std::vector<int64_t>{-1}));
  EXPECT_TRUE(read->find("e")->values.empty());
}

// A shard may look like a smaller model.
TEST(Safetensors, RefusesOneOfSeveralFiles) {
  const auto bytes = file(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", std::string(4, '\0'));
  for (const char* name : {"model-00001-of-00002.safetensors", "a/b-c/x-00002-of-00012.safetensors",
                           "model.safetensors.index.json"}) {
    const auto read = open_checkpoint(bytes, name);
    ASSERT_FALSE(read) << name;
    EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
    EXPECT_NE(read.error().message.find(std::string(name) + ": one part"), std::string::npos)
        << read.error().message;
  }
  for (const char* name :
       {"model-00001-of-00001.safetensors", "model-1-of-2.safetensors", "x-00001-of-00002/model.safetensors"})
    EXPECT_TRUE(open_checkpoint(bytes, name)) << name;
}

TEST(Safetensors, RefusesHeadersThatLie) {
  const std::string four(16, '\0');
  const auto one = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"w":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  EXPECT_EQ(why_no_tensors(file(one("F32", "[4]", "[0,16]"), four)), "was read");
  const auto expect = [&](const std::string& header, const char* part,
                          const std::string& data = std::string(16, '\0'), int64_t length = -1) {
    const std::string message = why_no_tensors(file(header, data, length));
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  expect(one("F32", "[4]", "[0,17]"), "ends at byte 17 of 16");
  expect(one("F32", "[4]", "[0,18446744073709551615]"), "no range");
  expect(one("F32", "[4]", "[8,0]"), "no range");
  expect(one("F32", "[4]", "[0]"), "data_offsets of two numbers");
  expect(one("F32", "[4]", "[-1,15]"), "no range");
  expect(one("F32", "[4]", "[0.0,16.0]"), "no range");
  expect(one("F32", "[5]", "[0,16]"), "16 bytes for 5 elements");
  expect(one("F32", "[-4]", "[0,16]"), "no list of sizes");
  expect(one("F32", "[\"4\"]", "[0,16]"), "no list of sizes");
  expect(one("F32", "[9223372036854775807,3]", "[0,16]"), "overflows");
  expect(one("F32", "[4611686018427387905]", "[0,4]"), "elements of F32");
  expect(one("F32", "[2]", "[0,8]"), "8 bytes belong to no tensor");
  expect(one("F32", "[2]", "[8,16]"), "begins at byte 8 instead of 0");
  expect(one("F8_E4M3", "[16]", "[0,16]"), "tensor w is of F8_E4M3");
  expect(one("F4", "[32]", "[0,16]"), "tensor w is of F4");
  expect(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"v":{"dtype":"F32","shape":[4],)"
         R"("data_offsets":[0,16]}})",
         "begins at byte 0 instead of 8");
  expect(R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"w":{"dtype":"F32","shape":[4],)"
         R"("data_offsets":[0,16]}})",
         "tensor w is there twice");
  expect(R"({"w":3})", "tensor w: has no dtype");
  expect(R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]})", "no JSON object");
  expect("{" + std::string(100000, '['), "nested deeper");
  expect("{}", "file of 26; it is truncated", four, 1000);
  expect("{}", "16 bytes belong to no tensor");
  EXPECT_NE(why_no_tensors(file("{}", "", int64_t{1} << 40)).find("neither a PyTorch checkpoint"),
            std::string::npos);
  std::string shape = "[1";
  for (int i = 0; i < 100; ++i) shape += ",1";
  expect(one("F32", shape + "]", "[0,4]"), "101 dimensions");
}

TEST(Safetensors, RefusesEveryTruncationAndSurvivesDamage) {
  const std::string whole =
      file(R"({"a":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],)"
           R"("data_offsets":[8,12]}})",
           std::string(12, 'x'));
  EXPECT_EQ(why_no_tensors(whole), "was read");
  for (size_t n = 0; n < whole.size(); ++n)
    ASSERT_NE(why_no_tensors(std::string_view(whole).substr(0, n)), "was read") << n;
  EXPECT_NE(why_no_tensors(whole + "x"), "was read");
  std::mt19937 random(5);
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = whole;
    for (uint32_t k = 0; k < 1 + random() % 3; ++k)
      damaged[random() % damaged.size()] ^= static_cast<char>(1u << (random() % 8));
    why_no_tensors(damaged);
  }
}

// Half precision against its definition: neighbours differ by one unit in the last place, and the landmarks
// are known.
TEST(Float16, IsWidenedExactly) {
  EXPECT_EQ(float16_to_float(0x0000), 0);
  EXPECT_TRUE(std::signbit(float16_to_float(0x8000)));
  EXPECT_EQ(float16_to_float(0x0001), std::ldexp(1.0f, -24));
  EXPECT_EQ(float16_to_float(0x03ff), std::ldexp(1023.0f, -24));
  EXPECT_EQ(float16_to_float(0x0400), std::ldexp(1.0f, -14));
  EXPECT_EQ(float16_to_float(0x3555), 0.333251953125f);
  EXPECT_EQ(float16_to_float(0xc000), -2);
  EXPECT_EQ(float16_to_float(0x7bff), 65504);
  EXPECT_EQ(float16_to_float(0x7c00), INFINITY);
  EXPECT_EQ(float16_to_float(0xfc00), -INFINITY);
  EXPECT_TRUE(std::isnan(float16_to_float(0x7e00)));
  EXPECT_TRUE(std::isnan(float16_to_float(0x7c01)));
  for (uint32_t bits = 0; bits < 0x7bff; ++bits) {
    ASSERT_LT(float16_to_float(static_cast<uint16_t>(bits)),
              float16_to_float(static_cast<uint16_t>(bits + 1)))
        << bits;
  }
  EXPECT_EQ(bfloat16_to_float(0x3f80), 1);
  EXPECT_EQ(bfloat16_to_float(0x7f80), INFINITY);
  EXPECT_TRUE(std::isnan(bfloat16_to_float(0xffc0)));
}

}  // namespace
}  // namespace maeil::format
