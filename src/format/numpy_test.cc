#include "format/numpy.h"

#include <gtest/gtest.h>

#include "format/pickle_samples.h"

namespace maeil::format {
namespace {

using samples::from_hex;

TEST(Numpy, ReadsArraysOfEachTypeAndOrder) {
  for (std::string_view sample : samples::kArrays) {
    auto document = read_pickle(from_hex(sample), "f.pkl");
    ASSERT_TRUE(document) << document.error().message;
    auto array = [&](const char* name) {
      auto read = read_ndarray(*document->root().find(name));
      EXPECT_TRUE(read) << name << ": " << read.error().message;
      return read.value_or(Ndarray{});
    };
    using Shape = std::vector<int64_t>;
    EXPECT_EQ(array("f8").shape, (Shape{2, 3}));
    EXPECT_EQ(array("f8").numbers, (std::vector<double>{1.5, 2, 3, 4, 5, 6}));
    EXPECT_EQ(array("fortran").numbers, (std::vector<double>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(array("big").integers, (std::vector<int64_t>{1, 2, 3, 4}));
    EXPECT_EQ(array("big").dtype, "int32");
    EXPECT_EQ(array("text").texts, (std::vector<std::string>{"a", "담b"}));
    EXPECT_EQ(array("bool").integers, (std::vector<int64_t>{1, 0}));
    EXPECT_EQ(array("half").numbers, (std::vector<double>{1.5, -2}));
    EXPECT_EQ(array("u1").integers, (std::vector<int64_t>{200}));
    EXPECT_EQ(array("date").dtype, "datetime64[D]");
    EXPECT_EQ(array("date").integers, (std::vector<int64_t>{1, INT64_MIN}));
    EXPECT_EQ(array("zero").shape, Shape{});
    EXPECT_EQ(array("zero").numbers, (std::vector<double>{2.5}));
    EXPECT_EQ(array("none").shape, (Shape{0, 3}));
    auto objects = array("object").objects;
    ASSERT_EQ(objects.size(), 3u);
    EXPECT_EQ(objects[0].text(), "x");
    EXPECT_TRUE(objects[1].is_none());
    EXPECT_EQ(number_of(*document->root().find("scalar")), 0.5);
    EXPECT_EQ(number_of(*document->root().find("int")), -3);
    EXPECT_EQ(number_of(*document->root().find("swapped")), 1.5);
    EXPECT_EQ(number_of(*document->root().find("flag")), 1);
    EXPECT_EQ(text_of(*document->root().find("str")), "s");
    EXPECT_FALSE(number_of(*document->root().find("str")));
    EXPECT_FALSE(read_ndarray(*document->root().find("scalar")));
    EXPECT_FALSE(to_reals(array("text")));
    EXPECT_EQ(to_reals(array("big")).value().size(), 4u);
  }
}

// _frombuffer(bytes, dtype(code), shape, "C")
std::string refusal(const std::string& code, const std::string& shape, const std::string& data) {
  auto document = read_pickle("cnumpy.core.numeric\n_frombuffer\n(S'" + data + "'\ncnumpy\ndtype\n(S'" +
                                  code + "'\nI0\nI1\ntR" + shape + "S'C'\ntR.",
                              "f.pkl");
  EXPECT_TRUE(document) << document.error().message;
  auto read = read_ndarray(document->root());
  return read ? "was read" : read.error().message;
}

TEST(Numpy, RefusesShapesThatDoNotFitTheData) {
  EXPECT_EQ(refusal("u1", "(I4\nt", "abcd"), "was read");
  EXPECT_NE(refusal("u1", "(I5\nt", "abcd").find("5 elements"), std::string::npos);
  EXPECT_NE(refusal("u1", "(I-4\nt", "abcd").find("no list of sizes"), std::string::npos);
  EXPECT_NE(refusal("u1", "(I4294967296\nI4294967296\nI4294967296\nt", "abcd").find("overflows"),
            std::string::npos);
  EXPECT_NE(refusal("u1", "(I0\nI9223372036854775807\nI2\nt", "abcd").find("0 elements"), std::string::npos);
  EXPECT_NE(refusal("f8", "(I1\nt", "abcd").find("no multiple of 8"), std::string::npos);
  EXPECT_NE(refusal("c16", "(I1\nt", "abcd").find("c16 is not supported"), std::string::npos);
  EXPECT_NE(refusal("f3", "(I1\nt", "abc").find("not supported"), std::string::npos);
  EXPECT_NE(refusal("U1", "(I1\nt", "\\xff\\xff\\xff\\xff").find("code point"), std::string::npos);
  EXPECT_NE(refusal("S0", "(I1\nt", "").find("no multiple"), std::string::npos);
}

}  // namespace
}  // namespace maeil::format
