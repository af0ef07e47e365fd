#include "format/text_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <iconv.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace maeil::format {
namespace {

const std::string kText = "지점,금액,메모\n서울 강남,1200.5,연체 두 번\n부산,99,정상 상환\n";
const std::string kWestern =
    "Stra\u00dfe,Betrag\nM\u00fcnchner Stra\u00dfe,12\nK\u00f6nigsallee,13\nCaf\u00e9 am Fluss,14\n";

std::string encoded(const std::string& text, const char* encoding) {
  iconv_t to = iconv_open(encoding, "UTF-8");
  std::string out(text.size() * 4 + 8, '\0');
  char* in = const_cast<char*>(text.data());
  char* at = out.data();
  size_t left = text.size(), room = out.size();
  EXPECT_EQ(iconv(to, &in, &left, &at, &room), 0u);
  iconv_close(to);
  out.resize(out.size() - room);
  return out;
}

std::string gzipped(const std::string& text) {
  std::string out(compressBound(text.size()) + 64, '\0');
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string zstandard(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

class TextFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              (std::string("text_file_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file(const std::string& bytes) {
    const auto path = folder_ / "f.csv";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  void expect_text(const std::string& bytes, const std::string& text, const std::string& encoding) {
    const auto read = TextFile::open(file(bytes));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->bytes(), text);
    EXPECT_EQ(read->encoding().name, encoding);
  }
  std::filesystem::path folder_;
};

TEST_F(TextFileTest, EncodingsAreToldApart) {
  expect_text(kText, kText, "UTF-8");
  expect_text("\xef\xbb\xbf" + kText, kText, "UTF-8");
  expect_text("\xff\xfe" + encoded(kText, "UTF-16LE"), kText, "UTF-16LE");
  expect_text("\xfe\xff" + encoded(kText, "UTF-16BE"), kText, "UTF-16BE");
  expect_text(encoded("id,amount\n1,2\n", "UTF-16LE"), "id,amount\n1,2\n", "UTF-16LE");
  expect_text(encoded(kText, "CP949"), kText, "CP949");
  expect_text(encoded("id,name\n1,\ub620\ubc29\uac01\ud558\n", "CP949"),
              "id,name\n1,\ub620\ubc29\uac01\ud558\n", "CP949");
  expect_text(encoded(kWestern, "WINDOWS-1252"), kWestern, "WINDOWS-1252");
  expect_text("plain,text\n1,2\n", "plain,text\n1,2\n", "UTF-8");
}

TEST_F(TextFileTest, JapaneseIsNotTakenForKorean) {
  std::string text = "id,name\n";
  for (int i = 0; i < 80; ++i) text += std::to_string(i) + ",\u5c71\u7530\u592a\u90ce \u6771\u4eac\u90fd\n";
  for (const char* const encoding : {"SHIFT_JIS", "EUC-JP"}) {
    const auto read = TextFile::open(file(encoded(text, encoding)));
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->bytes() == text || !read->encoding().clear)
        << encoding << " as " << read->encoding().name;
  }
  std::string french = "id,ville\n";
  for (int i = 0; i < 80; ++i)
    french += std::to_string(i) + ",Orl\u00e9ans\n" + std::to_string(i) + ",Besan\u00e7on\n";
  for (const char* const encoding : {"CP850", "WINDOWS-1252"})
    EXPECT_FALSE(TextFile::open(file(encoded(french, encoding)))->encoding().clear) << encoding;
}

TEST_F(TextFileTest, WhatIsSaidToBeUtf8IsLookedAt) {
  const auto marked = TextFile::open(file("\xef\xbb\xbfid,na\xc7\xd1me\n"));
  ASSERT_FALSE(marked);
  EXPECT_NE(marked.error().message.find("byte 8 is no UTF-8"), std::string::npos) << marked.error().message;
  EXPECT_FALSE(TextFile::open(file("id,na\xc7\xd1me\n"), "utf8"));
  EXPECT_EQ(TextFile::open(file("\xef\xbb\xbfid\n"), "utf-8")->bytes(), "id\n");
}

TEST_F(TextFileTest, TheLastLetterIsNotHeldBack) {
  const std::string text = "id,v\n1,ba";
  EXPECT_EQ(TextFile::open(file(text), "CP1258")->bytes(), text);
}

TEST_F(TextFileTest, NoFolderToUnpackInIsAnError) {
  const auto packed = file(gzipped(kText));
  ::setenv("TMPDIR", "/nonexistent", 1);
  const auto read = TextFile::open(packed);
  ::unsetenv("TMPDIR");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kIo);
}

TEST_F(TextFileTest, ASingleByteEncodingIsNoClearGuess) {
  const auto read = TextFile::open(file(encoded(kWestern, "WINDOWS-1252")));
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->encoding().clear);
  EXPECT_TRUE(TextFile::open(file(kText))->encoding().clear);
}

TEST_F(TextFileTest, LettersFarBehindAreSeen) {
  std::string text = "id,name\n";
  for (int i = 0; i < 700'000; ++i) text += "12345,plain\n";  // 8 MB without a letter beyond ASCII
  text += "1,서울\n";
  expect_text(encoded(text, "CP949"), text, "CP949");
}

TEST_F(TextFileTest, WhatIsSaidIsTaken) {
  const auto read = TextFile::open(file(encoded(kText, "CP949")), "EUC-KR");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->bytes(), kText);
  const auto unknown = TextFile::open(file(kText), "KOI-9");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kUsage);
  const auto wrong = TextFile::open(file(kText), "ASCII");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::kBadInput);
  EXPECT_NE(wrong.error().message.find("byte 0 is no ASCII"), std::string::npos) << wrong.error().message;
}

TEST_F(TextFileTest, CompressedFilesAreUnpacked) {
  std::string big;
  for (int i = 0; i < 200'000; ++i) big += std::to_string(i * 7919 % 100'003) + ",서울\n";
  for (const auto& text : {kText, big}) {
    expect_text(gzipped(text), text, "UTF-8");
    expect_text(gzipped(text) + gzipped(text), text + text, "UTF-8");
    expect_text(zstandard(text), text, "UTF-8");
    expect_text(zstandard(text) + zstandard(text), text + text, "UTF-8");
    expect_text(gzipped(encoded(text, "CP949")), text, "CP949");
  }
}

TEST_F(TextFileTest, DamagedCompressionIsRefused) {
  for (const std::string& whole : {gzipped(kText), zstandard(kText)}) {
    for (size_t size = 4; size < whole.size(); ++size) {
      const auto read = TextFile::open(file(whole.substr(0, size)));
      ASSERT_FALSE(read) << size;
      EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
      EXPECT_NE(read.error().message.find("damaged"), std::string::npos);
    }
  }
}

TEST_F(TextFileTest, AnAbsentFileIsNotFound) {
  const auto read = TextFile::open(folder_ / "none.csv");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace maeil::format
