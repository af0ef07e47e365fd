// Values of synthetic arrays through the C data interface: no Arrow is needed. What real files give is
// tests/e2e/parquet_test.py's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "columnar/batch_builder.h"
#include "columnar/bound_column.h"
#include "columnar/part_files.h"
#include "columnar/value_text.h"

namespace maeil::columnar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A column in memory of this test's own.
struct Made {
  ArrowSchema schema{};
  ArrowArray array{};
  std::vector<const void*> buffers;
  Made(const char* format, int64_t rows, std::vector<const void*> of) : buffers(std::move(of)) {
    schema.format = format;
    schema.name = "c";
    array.length = rows;
    array.null_count = buffers[0] ? -1 : 0;
    array.n_buffers = static_cast<int64_t>(buffers.size());
    array.buffers = buffers.data();
  }
  std::vector<std::string> texts(const DateText* date_text = nullptr, int64_t offset = 0) {
    const ColumnType type = column_type(schema);
    BoundColumn column(type, array, offset, date_text);
    std::vector<std::string> out;
    for (size_t row = 0; row + static_cast<size_t>(offset) < static_cast<size_t>(array.length); ++row) {
      if (column.is_null(row))
        out.emplace_back("-");
      else
        column.append_text(row, out.emplace_back());
    }
    return out;
  }
};

template <class T>
std::vector<std::string> texts_of(const char* format, const std::vector<T>& values, uint8_t valid = 0xff) {
  return Made(format, static_cast<int64_t>(values.size()), {&valid, values.data()}).texts();
}

std::string decimal(const std::vector<unsigned char>& bytes, int scale) {
  std::string out;
  append_decimal(out, bytes.data(), static_cast<int>(bytes.size()), scale);
  return out;
}

TEST(Values, NumbersAreTheirDigits) {
  EXPECT_THAT(texts_of<int8_t>("c", {-128, 0, 127}), ElementsAre("-128", "0", "127"));
  EXPECT_THAT(texts_of<uint64_t>("L", {~uint64_t{0}, 1}, 1), ElementsAre("18446744073709551615", "-"));
  EXPECT_THAT(texts_of<double>("g", {5, 0.1, -0.0, std::nan(""), HUGE_VAL, 1e-5}),
              ElementsAre("5.0", "0.1", "-0.0", "", "inf", "1e-05"));
  EXPECT_THAT(texts_of<float>("f", {0.1f}), ElementsAre("0.10000000149011612"));
  EXPECT_THAT(texts_of<uint16_t>("e", {0x3c00, 0xfc00, 1}),
              ElementsAre("1.0", "-inf", "5.960464477539063e-08"));
  EXPECT_THAT(texts_of<uint8_t>("b", {0b101, 0}), ElementsAre("True", "False"));
}

TEST(Values, DecimalsKeepEveryDigit) {
  EXPECT_EQ(decimal({0xfb, 0xff, 0xff, 0xff}, 2), "-0.05");
  EXPECT_EQ(decimal({0, 0, 0, 0}, 3), "0.000");
  EXPECT_EQ(decimal({12, 0, 0, 0}, -2), "1200");
  EXPECT_EQ(decimal({0, 0, 0, 0}, -2), "0");
  std::vector<unsigned char> least(16, 0);
  least[15] = 0x80;
  EXPECT_EQ(decimal(least, 0), "-170141183460469231731687303715884105728");
  EXPECT_EQ(decimal(std::vector<unsigned char>(32, 0xff), 1), "-0.1");
  // Against 64 bits, whose digits are known.
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const auto value = static_cast<int64_t>(random() >> (random() % 64));
    std::vector<unsigned char> bytes(16, value < 0 ? 0xff : 0);
    std::memcpy(bytes.data(), &value, 8);
    EXPECT_EQ(decimal(bytes, 0), std::to_string(value));
  }
}

TEST(Values, DatesAndTimesAreThoseOfTheCalendar) {
  EXPECT_THAT(
      texts_of<int32_t>("tdD", {0, -1, 19782, -719162, 2932896, 2932897}),
      ElementsAre("1970-01-01", "1969-12-31", "2024-02-29", "0001-01-01", "9999-12-31", "10000-01-01"));
  EXPECT_THAT(texts_of<int64_t>("tdm", {-1, 86400000}), ElementsAre("1969-12-31", "1970-01-02"));
  EXPECT_THAT(texts_of<int64_t>("tsu:", {0, 1, -1, 86399000000}),
              ElementsAre("1970-01-01", "1970-01-01 00:00:00.000001", "1969-12-31 23:59:59.999999",
                          "1970-01-01 23:59:59"));
  EXPECT_THAT(texts_of<int64_t>("tsn:", {1, 1000}),
              ElementsAre("1970-01-01 00:00:00.000000001", "1970-01-01 00:00:00.000001"));
  EXPECT_THAT(texts_of<int64_t>("ttu", {3723000004, -1}), ElementsAre("01:02:03.000004", "-1"));
  // The ends of what 64 bits hold are texts, not faults.
  for (const char* format : {"tss:", "tsn:", "tsm:", "tsn:Asia/Seoul", "tss:-23:59", "tdm"}) {
    texts_of<int64_t>(format, {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()});
  }
  // Every day of 400 years against the standard library's calendar.
  for (int day = -200000; day < 146097 - 200000; ++day) {
    const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
    std::string text;
    append_date(text, day);
    char want[32];
    std::snprintf(want, sizeof want, "%04d-%02u-%02u", static_cast<int>(date.year()), unsigned(date.month()),
                  unsigned(date.day()));
    ASSERT_EQ(text, want);
  }
}

TEST(Values, AMomentIsWhatTheClockOfItsZoneShows) {
  // 2026-03-29 01:00 UTC: Berlin goes from 02:00 to 03:00.
  const std::vector<int64_t> moments = {1774745999, 1774746000};
  EXPECT_THAT(texts_of("tss:Europe/Berlin", moments),
              ElementsAre("2026-03-29 01:59:59", "2026-03-29 03:00:00"));
  EXPECT_THAT(texts_of("tss:UTC", moments), ElementsAre("2026-03-29 00:59:59", "2026-03-29 01:00:00"));
  EXPECT_THAT(texts_of("tss:+05:30", moments), ElementsAre("2026-03-29 06:29:59", "2026-03-29 06:30:00"));
  ArrowSchema schema{};
  schema.format = "tss:Atlantis/Capital";
  EXPECT_EQ(column_type(schema).kind, ValueKind::kRefused);
  EXPECT_THAT(column_type(schema).name, HasSubstr("Atlantis/Capital"));
}

TEST(Values, AColumnsOwnFormOfDatesIsAskedFirst) {
  const DateText form = [](double seconds, std::string& out) {
    if (seconds != 0) return false;
    out += "the first";
    return true;
  };
  const std::vector<int64_t> moments = {0, 1};
  EXPECT_THAT(Made("tss:", 2, {nullptr, moments.data()}).texts(&form),
              ElementsAre("the first", "1970-01-01 00:00:01"));
}

TEST(Values, TextsLieWhereTheirOffsetsSay) {
  const std::vector<int32_t> places = {0, 1, 1, 4};
  const char text[] = "abcd";
  Made column("u", 3, {nullptr, places.data(), text});
  EXPECT_THAT(column.texts(), ElementsAre("a", "", "bcd"));
  EXPECT_THAT(column.texts(nullptr, 2), ElementsAre("bcd"));
  column.array.offset = 1;
  column.array.length = 2;
  EXPECT_THAT(column.texts(), ElementsAre("", "bcd"));
  // Views: 12 bytes and fewer lie in the view itself.
  struct View {
    int32_t size;
    char inside[12];
  };
  std::vector<View> views(2);
  views[0] = {3, "xyz"};
  views[1].size = 13;
  const int32_t where[3] = {0, 0, 2};  // its first four bytes, the buffer, the place
  std::memcpy(views[1].inside, where, sizeof where);
  const char outside[] = "..thirteen bytes";
  EXPECT_THAT(Made("vu", 2, {nullptr, views.data(), outside}).texts(), ElementsAre("xyz", "thirteen byte"));
}

TEST(Values, ADictionarysMissingValueIsMissing) {
  const std::vector<int32_t> places = {0, 1, 2};
  const uint8_t valid = 1;
  Made values("u", 2, {&valid, places.data(), "ab"});
  const std::vector<int8_t> index = {1, 0, 0};
  Made column("c", 3, {nullptr, index.data()});
  column.schema.dictionary = &values.schema;
  column.array.dictionary = &values.array;
  EXPECT_THAT(column.texts(), ElementsAre("-", "a", "a"));
}

TEST(Types, WhatIsNoCellIsNamed) {
  const auto name_of = [](const char* format) {
    ArrowSchema schema{};
    schema.format = format;
    const ColumnType type = column_type(schema);
    EXPECT_EQ(type.kind, ValueKind::kRefused) << format;
    return type.name;
  };
  EXPECT_EQ(name_of("+l"), "list");
  EXPECT_EQ(name_of("+w:3"), "list");
  EXPECT_EQ(name_of("+s"), "struct");
  EXPECT_EQ(name_of("+m"), "map");
  EXPECT_EQ(name_of("+us:0,1"), "union");
  EXPECT_EQ(name_of("z"), "binary");
  EXPECT_EQ(name_of("w:16"), "binary");
  EXPECT_EQ(name_of("tDs"), "duration");
  EXPECT_EQ(name_of("tiM"), "interval");
  EXPECT_EQ(name_of("d:x"), "decimal 'd:x'");
  EXPECT_EQ(name_of("?"), "'?'");
  // One pair: "ARROW:extension:name" is "arrow.uuid".
  std::string metadata;
  const auto put = [&](std::string_view text) {
    const auto size = static_cast<int32_t>(text.size());
    metadata.append(reinterpret_cast<const char*>(&size), 4).append(text);
  };
  metadata.append(std::string_view("\1\0\0\0", 4));
  put("ARROW:extension:name");
  put("arrow.uuid");
  ArrowSchema schema{};
  schema.format = "l";
  schema.metadata = metadata.c_str();
  EXPECT_EQ(column_type(schema).name, "extension type arrow.uuid");
}

TEST(Types, WhatMayStandBelowOneAnother) {
  const auto type = [](const char* format) {
    ArrowSchema schema{};
    schema.format = format;
    return column_type(schema);
  };
  EXPECT_TRUE(is_alike(type("c"), type("L")));
  EXPECT_TRUE(is_alike(type("n"), type("u")));
  EXPECT_TRUE(is_alike(type("u"), type("vu")));
  EXPECT_FALSE(is_alike(type("l"), type("g")));
  EXPECT_FALSE(is_alike(type("d:9,2"), type("d:9,3")));
  EXPECT_TRUE(is_alike(type("d:9,2"), type("d:38,2,256")));
  EXPECT_FALSE(is_alike(type("tss:"), type("tss:UTC")));
  EXPECT_TRUE(is_alike(type("tss:UTC"), type("tsn:UTC")));
}

TEST(Builder, WhatIsBuiltIsRead) {
  std::vector<ColumnBuilder> columns;
  const std::vector<OutColumn> named = {
      {"t", OutKind::kText}, {"w", OutKind::kWhole}, {"n", OutKind::kNumber}, {"d", OutKind::kDate}};
  for (const auto& column : named) columns.emplace_back(column.kind);
  for (int round = 0; round < 2; ++round) {  // a builder is used again
    for (int row = 0; row < 20; ++row) {
      if (row % 3 == 0) {
        for (auto& column : columns) column.add_missing();
        continue;
      }
      columns[0].add(std::string_view("text"));
      columns[1].add(int64_t{row});
      columns[2].add(row / 2.0);
      columns[3].add_day(row);
    }
    OwnedSchema schema = schema_of(named);
    OwnedArray batch = take_batch(columns);
    ASSERT_EQ(batch->length, 20);
    std::vector<std::string> fifth;
    for (int c = 0; c < 4; ++c) {
      const ColumnType type = column_type(*schema->children[c]);
      BoundColumn column(type, *batch->children[c], 0);
      EXPECT_TRUE(column.is_null(6));
      column.append_text(5, fifth.emplace_back());
      EXPECT_EQ(schema->children[c]->name, named[static_cast<size_t>(c)].name);
    }
    EXPECT_THAT(fifth, ElementsAre("text", "5", "2.5", "1970-01-06"));
  }
}

struct Folder {
  Folder() : path(std::filesystem::temp_directory_path() / ("columnar-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void file(const std::string& name) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name) << "x";
  }
  std::filesystem::path path;
};

TEST(Parts, AFolderIsItsFilesByName) {
  const Folder folder;
  for (const char* name : {"b/date=2/p.parquet", "b/date=1/q.arrow", "b/date=1/p.parquet", "b/_SUCCESS",
                           "b/.hidden", "b/date=1/_tmp/x"})
    folder.file(name);
  const std::string root = folder.path / "b";
  EXPECT_THAT(part_files(root).value(),
              ElementsAre(root + "/date=1/p.parquet", root + "/date=1/q.arrow", root + "/date=2/p.parquet"));
  EXPECT_THAT(part_files(root + "/*/p.*").value(),
              ElementsAre(root + "/date=1/p.parquet", root + "/date=2/p.parquet"));
  EXPECT_THAT(part_files(root + "/date=2").value(), ElementsAre(root + "/date=2/p.parquet"));
  EXPECT_EQ(part_files(root + "/date=3").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(part_files(root + "/date=3/*").error().code, ErrorCode::kNotFound);
  folder.file("b/plain/x.parquet");
  EXPECT_THAT(part_files(root).error().message, HasSubstr("is not named key=value"));
}

TEST(Parts, FoldersSayKeys) {
  const auto keys =
      part_keys("/a/book/date=2026-11-28/city=Seo%20ul/none=__HIVE_DEFAULT_PARTITION__/p=1.parquet");
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_EQ(keys[0].name, "date");
  EXPECT_EQ(keys[0].value, "2026-11-28");
  EXPECT_EQ(keys[1].value, "Seo ul");
  EXPECT_EQ(keys[2].value, std::nullopt);
}

TEST(Parts, OnlyFilesOfColumnsAreTakenForSuch) {
  EXPECT_TRUE(is_columnar("PAR1\x15\x04"));
  EXPECT_TRUE(is_columnar(std::string_view("ARROW1\0\0", 8)));
  EXPECT_TRUE(is_columnar("\xff\xff\xff\xff"));
  for (const char* text : {"PAR1,PAR2\n1,2\n", "ARROW1,b\n", "", "PAR1"})
    EXPECT_FALSE(is_columnar(text)) << text;
}

}  // namespace
}  // namespace maeil::columnar
