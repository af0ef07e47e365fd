// Philox against its authors' known answers, the thread pool, atomic files, settings.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <map>
#include <numeric>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/philox.h"
#include "base/settings.h"
#include "base/threads.h"

namespace maeil {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("maeil-base-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

TEST(Philox, MatchesTheAuthorsKnownAnswers) {  // Random123's kat_vectors, philox4x32 10
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, 0, 0), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, ~0u, ~0u), (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, UniformStaysInsideTheOpenInterval) {
  RandomSequence random(1, RandomStream::kCopula, 2);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double u = random.next_uniform();
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
  }
  EXPECT_NEAR(sum / 100000, 0.5, 5 * 0.289 / 316);  // five standard errors
}

TEST(Threads, EveryPieceRunsOnceAtAnyCount) {
  for (int threads : {1, 2, 7}) {
    set_thread_count(threads);
    std::vector<std::atomic<int>> hits(1003);
    parallel_for_workers(hits.size(), 10, [&](size_t first, size_t last, int worker) {
      EXPECT_LT(worker, threads);
      for (size_t i = first; i < last; ++i) ++hits[i];
      parallel_for(3, 1, [](size_t, size_t) {});  // nested: runs alone, does not wait for itself
    });
    for (auto& hit : hits) EXPECT_EQ(hit.load(), 1);
  }
  set_thread_count(0);
}

TEST(File, AtomicWriteLeavesTheOldFileUntilCommit) {
  Folder folder;
  const auto path = folder.path / "a" / "b.txt";
  ASSERT_TRUE(write_file_atomically(path, "old"));
  {
    auto file = AtomicFile::create(path).value();
    ASSERT_TRUE(file.write("new"));
    EXPECT_EQ(read_file(path).value(), "old");
  }
  EXPECT_EQ(read_file(path).value(), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(path.parent_path()), fs::directory_iterator()), 1);
}

TEST(File, AFullDiskLeavesTheOldFileAndNoTemporary) {
  Folder folder;
  const auto path = folder.path / "b.txt";
  ASSERT_TRUE(write_file_atomically(path, "old"));
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit tight = before;
  tight.rlim_cur = 1000;
  setrlimit(RLIMIT_FSIZE, &tight);
  const auto status = write_file_atomically(path, std::string(5000, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_NE(status.error().message.find(path.string()), std::string::npos);
  EXPECT_EQ(read_file(path).value(), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()), 1);
}

TEST(File, AbsentTooLargeAndFoldersAreErrors) {
  Folder folder;
  EXPECT_EQ(read_file(folder.path / "none").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(read_file(folder.path));
  ASSERT_TRUE(write_file_atomically(folder.path / "f", "12345"));
  EXPECT_EQ(read_file(folder.path / "f", 4).error().code, ErrorCode::kBadInput);
  EXPECT_EQ(MappedFile::open(folder.path / "f").value().bytes(), "12345");
}

TEST(Hash, Sha256OfTheStandardsExample) {  // FIPS 180-2, appendix B.1
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

Result<Settings> load(const fs::path& folder, std::map<std::string, std::string> environment = {}) {
  return load_settings(folder, [&](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

TEST(Settings, LastSourceWins) {
  Folder folder;
  EXPECT_EQ(load(folder.path)->data_quantity, 10000);
  ASSERT_TRUE(write_file_atomically(folder.path / "maeil.toml", "DATA_QUANTITY = 1\nF1_THRESHOLD = 0.5\nSEED = 9\n"));
  ASSERT_TRUE(write_file_atomically(folder.path / ".env", "# c\nexport DATA_QUANTITY=2 # why\nSEED='7'\nOTHER=x\n"));
  const auto settings = load(folder.path, {{"SEED", "8"}}).value();
  EXPECT_EQ(settings.f1_threshold, 0.5);
  EXPECT_EQ(settings.data_quantity, 2);
  EXPECT_EQ(settings.seed, 8);
}

TEST(Settings, WrongValuesNamePlaceAndBounds) {
  Folder folder;
  const auto message = [&](const char* toml) {
    (void)write_file_atomically(folder.path / "maeil.toml", toml);
    const auto settings = load(folder.path);
    return settings ? std::string("accepted") : settings.error().message;
  };
  EXPECT_NE(message("\nF1_THRESHOLD = 1.5\n").find("maeil.toml:2: F1_THRESHOLD must be a number from 0 to 1"), std::string::npos);
  EXPECT_NE(message("EPOCHS = \"ten\"").find("whole number"), std::string::npos);
  EXPECT_NE(message("EPOCHZ = 1").find("no setting 'EPOCHZ'"), std::string::npos);
  EXPECT_NE(message("EPOCHS = ").find("maeil.toml:1"), std::string::npos);
  EXPECT_NE(message("F1_THRESHOLD = nan").find("F1_THRESHOLD"), std::string::npos);
  EXPECT_NE(message("NHEAD = 5").find("multiple"), std::string::npos);
  EXPECT_EQ(message("EPOCHS = 1"), "accepted");
}

}  // namespace
}  // namespace maeil
