// Depth is seen before anything is parsed, in JSON and in CBOR.
#include "format/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace maeil {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

std::string nested(const char* open, const char* inner, const char* close, size_t depth) {
  std::string text;
  for (size_t i = 0; i < depth; ++i) text += open;
  text += inner;
  for (size_t i = 0; i < depth; ++i) text += close;
  return text;
}

TEST(Json, DepthIsBounded) {
  EXPECT_TRUE(parse_json<Json>(nested("[", "1", "]", kMaxJsonDepth), "f.json"));
  for (size_t depth : {size_t{kMaxJsonDepth} + 1, size_t{1'000'000}}) {
    for (const std::string& text : {nested("[", "", "]", depth), nested("{\"a\":", "1", "}", depth),
                                    nested("[{\"a\":", "1", "}]", depth), std::string(depth, '[')}) {
      const auto parsed = parse_json<Json>(text, "f.json");
      ASSERT_FALSE(parsed);
      EXPECT_EQ(parsed.error().code, ErrorCode::kBadInput);
      EXPECT_EQ(parsed.error().message, "f.json: its JSON is nested more than 64 deep");
    }
  }
  EXPECT_FALSE(parse_json<Json>("[[[1]]]", "f.json", 2));
}

TEST(Json, BracketsInTextsDoNotCount) {
  const std::string brackets(1000, '[');
  EXPECT_EQ(
      parse_json<Json>("[\"" + brackets + "\\\"" + brackets + "\"]", "f.json").value()[0].get<std::string>(),
      brackets + "\"" + brackets);
}

TEST(Json, WhatIsNoneIsRefused) {
  for (const char* text : {"", "{", "[1,]", "{\"a\": nan}", "\"\xff\""}) {
    const auto parsed = parse_json<Json>(text, "f.json");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message, "f.json: not valid JSON");
  }
}

// A million keys would take half a trillion comparisons.
TEST(Json, ManyKeysAreRefusedBeforeTheyAreCompared) {
  const auto object = [](uint64_t keys) {
    std::string out = "{";
    for (uint64_t k = 0; k < keys; ++k) out += fmt::format("{}\"{}\":\":\"", k ? "," : "", k);
    return out + "}";
  };
  EXPECT_FALSE(json_has_too_many_keys(object(kMaxJsonKeys)));
  EXPECT_TRUE(json_has_too_many_keys(object(kMaxJsonKeys + 2)));
  const auto refused = parse_json<nlohmann::ordered_json>(object(1'000'000), "f.json");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(refused.error().message, HasSubstr("f.json: an object in its JSON has more than 100000 keys"));
  std::string several = "[" + object(50'000);
  for (int i = 0; i < 4; ++i) several += "," + object(50'000);
  EXPECT_TRUE(json_has_too_many_keys(several + "]"));
  std::string small = "[{\"a\":{\"b\":1}}";
  for (int i = 0; i < 200'000; ++i) small += ",{\"a\":{\"b\":1}}";
  EXPECT_FALSE(json_has_too_many_keys(small + "]"));
}

std::string bytes_of(const Json& json) {
  const auto bytes = Json::to_cbor(json);
  return {bytes.begin(), bytes.end()};
}

TEST(Cbor, DepthIsBounded) {
  const Json json = {
      {"n", 1}, {"list", {1.5, nullptr, "text", {{"deep", {true}}}}}, {"bytes", Json::binary({1, 2, 3})}};
  EXPECT_EQ(parse_cbor<Json>(bytes_of(json), "part").value(), json);
  EXPECT_TRUE(parse_cbor<Json>(std::string(kMaxJsonDepth, '\x81') + "\x01", "part"));
  // Arrays of one, arrays without a length, objects with the key "a".
  for (const std::string& open : {std::string("\x81"), std::string("\x9f"), std::string("\xa1\x61\x61")}) {
    for (size_t depth : {size_t{kMaxJsonDepth} + 1, size_t{1'000'000}}) {
      std::string bytes;
      for (size_t i = 0; i < depth; ++i) bytes += open;
      const auto parsed = parse_cbor<Json>(bytes + "\x01", "part");
      ASSERT_FALSE(parsed);
      EXPECT_THAT(parsed.error().message, HasSubstr("nested more than 64 deep"));
    }
  }
  for (const std::string& bytes :
       {std::string(), std::string("\x82\x01"), std::string("\xff"), bytes_of(json) + "\x01"}) {
    EXPECT_FALSE(parse_cbor<Json>(bytes, "part"));
  }
}

}  // namespace
}  // namespace maeil
