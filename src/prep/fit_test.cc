// What adding rows to a fitter costs, counted in allocations: a chunk costs what it holds, however much came
// before it.
#include "prep/fit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "base/threads.h"

namespace {

std::atomic<uint64_t> allocations = 0;

}  // namespace

// NOLINTBEGIN: replaced for the whole test program, to be counted.
void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
// NOLINTEND

namespace maeil::prep {
namespace {

TEST(Fitter, AChunkCostsWhatItHolds) {
  constexpr size_t kChunks = 64, kRows = 500;
  const auto spec = table::parse_dataset_spec(
      "name = \"s\"\ncolumns = [ { name = \"id\", type = \"text\" }, { name = \"bad\", type = \"text\" } ]\n"
      "[target]\ncolumn = \"bad\"\nnegative = \"N\"\npositive = \"Y\"\n",
      "s.toml");
  ASSERT_TRUE(spec);
  set_thread_count(1);
  Fitter fitter(*spec);
  uint64_t half[2] = {};
  for (size_t chunk = 0; chunk < kChunks; ++chunk) {
    Table rows;
    rows.rows = kRows;
    rows.columns = {{"id", ColumnType::kText, {}, {}, {}},
                    {"bad", ColumnType::kText, std::vector<uint32_t>(kRows, 0), {"N"}, {}}};
    for (size_t i = 0; i < kRows; ++i) {
      rows.columns[0].codes.push_back(static_cast<uint32_t>(i));
      rows.columns[0].dictionary.push_back(fmt::format("a number of its own: {}", chunk * kRows + i));
    }
    const uint64_t before = allocations;
    fitter.add(rows);
    half[chunk * 2 / kChunks] += allocations - before;
  }
  set_thread_count(0);
  EXPECT_GE(half[0], kRows * kChunks / 2);  // each text is kept: the counting works
  EXPECT_LE(half[1], half[0] + half[0] / 4);
  const auto fitted = fitter.fit();
  ASSERT_TRUE(fitted);
  EXPECT_EQ(fitted->categorical.at(0).vocabulary.size(), kRows * kChunks);
}

}  // namespace
}  // namespace maeil::prep
