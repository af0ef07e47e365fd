// Philox against its authors' known answers, the thread pool, atomic files, settings.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/philox.h"
#include "base/secrets.h"
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
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, ~0u, ~0u),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
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

// Items 0 .. n-1 through a pipeline of three slots; item `bad` fails in `stage`. Returns the sum of what was
// finished.
struct PipelineRun {
  std::vector<int> finished;
  Status status;
};
PipelineRun run_items(int n, std::string_view stage = "", int bad = -1) {
  PipelineRun out;
  std::vector<int> slots(3);
  std::atomic<int> in_next{0}, in_finish{0}, alive{0};
  int next_item = 0;
  const auto fails = [&](std::string_view where, int item) -> Status {
    return where == stage && item == bad ? Status(io_error(fmt::format("{} {}", where, item))) : Status();
  };
  out.status = run_pipeline(
      slots.size(),
      [&](size_t slot) -> Result<bool> {
        EXPECT_EQ(in_next.fetch_add(1), 0);
        if (next_item < n) {
          EXPECT_LT(alive.fetch_add(1), 3);
          slots[slot] = next_item;
        }
        const int item = next_item++;
        EXPECT_EQ(in_next.fetch_sub(1), 1);
        MAEIL_TRY(fails("next", item));
        return item < n;
      },
      [&](size_t slot) -> Status {
        volatile double heat = 0;
        for (int i = 0; i < slots[slot] * 7919 % 20000; ++i) heat = heat + i;  // items of unlike size
        return fails("work", slots[slot]);
      },
      [&](size_t slot) -> Status {
        EXPECT_EQ(in_finish.fetch_add(1), 0);
        alive.fetch_sub(1);
        MAEIL_TRY(fails("finish", slots[slot]));
        out.finished.push_back(slots[slot]);
        EXPECT_EQ(in_finish.fetch_sub(1), 1);
        return {};
      });
  return out;
}

TEST(Threads, APipelineFinishesInOrderAndStopsAtTheFirstError) {
  std::vector<int> all(500);
  std::iota(all.begin(), all.end(), 0);
  for (int threads : {1, 2, 7}) {
    set_thread_count(threads);
    const auto good = run_items(500);
    EXPECT_TRUE(good.status);
    EXPECT_EQ(good.finished, all);
    EXPECT_TRUE(run_items(0).status);
    for (const char* stage : {"next", "work", "finish"}) {
      const auto bad = run_items(500, stage, 123);
      ASSERT_FALSE(bad.status) << stage;
      EXPECT_EQ(bad.status.error().message, fmt::format("{} 123", stage));
      EXPECT_EQ(bad.finished, std::vector<int>(all.begin(), all.begin() + 123)) << stage;
    }
    // nested: alone, and no deadlock
    parallel_for(2, 1, [&](size_t, size_t) { EXPECT_EQ(run_items(50).finished.size(), 50u); });
  }
  set_thread_count(0);
}

TEST(Threads, PiecesAreCutAtMultiplesAndComeInOrder) {
  for (const auto& [first, count] :
       {std::pair<uint64_t, uint64_t>{0, 0}, {0, 10}, {7, 3}, {7, 25}, {UINT64_MAX - 25, 25}}) {
    uint64_t at = first;
    EXPECT_TRUE((run_pieces<std::pair<uint64_t, uint64_t>>(
        first, count, 10,
        [](uint64_t piece, uint64_t size, std::pair<uint64_t, uint64_t>& out) -> Status {
          out = {piece, size};
          return {};
        },
        [&](std::pair<uint64_t, uint64_t>& out) -> Status {
          EXPECT_EQ(out.first, at);
          EXPECT_EQ(out.first / 10, (out.first + out.second - 1) / 10);
          at += out.second;
          return {};
        })));
    EXPECT_EQ(at, first + count);
  }
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

// Random hex digits in the place of a process id, which every container on one volume has.
TEST(File, ATemporaryNameIsRandomAndMadeExclusively) {
  Folder folder;
  const auto path = folder.path / "b.txt";
  std::set<std::string> names;
  for (int i = 0; i < 100; ++i) {
    const std::string name = temporary_name(path).value().filename().string();
    EXPECT_TRUE(name.starts_with("b.txt.tmp-")) << name;
    EXPECT_EQ(name.size(), std::string("b.txt.tmp-").size() + 16) << name;
    EXPECT_EQ(name.find_first_not_of("0123456789abcdef", 10), std::string::npos) << name;
    names.insert(name);
  }
  EXPECT_EQ(names.size(), 100u);
}

mode_t mode_of(const fs::path& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

TEST(File, AFileThatIsReplacedPassesItsModeOn) {
  Folder folder;
  const mode_t before = ::umask(027);
  const auto fresh = folder.path / "new.txt", kept = folder.path / "kept", mine = folder.path / "private";
  ASSERT_TRUE(write_file_atomically(fresh, "x"));
  for (const mode_t mode : {0600u, 0664u, 0444u}) {
    std::ofstream(folder.path / "kept") << "old";
    ASSERT_EQ(::chmod(kept.c_str(), mode), 0);
    ASSERT_TRUE(write_file_atomically(kept, "new"));
    EXPECT_EQ(mode_of(kept), mode);
    EXPECT_EQ(read_file(kept).value(), "new");
    fs::remove(kept);
  }
  {
    auto file = AtomicFile::create(mine, AtomicFile::Access::kPrivate).value();
    for (const auto& entry : fs::directory_iterator(folder.path)) {
      const bool is_fresh = entry.path() == fresh;
      EXPECT_EQ(mode_of(entry.path()), is_fresh ? 0640u : 0600u) << entry.path();
    }
    ASSERT_TRUE(file.commit());
  }
  ::umask(before);
  EXPECT_EQ(mode_of(fresh), 0640u);
  EXPECT_EQ(mode_of(mine), 0600u);
}

// What is not there is no answer to somebody who writes: exit code 1, not 3.
TEST(File, AMissingFolderIsAFailureOfTheWrite) {
  Folder folder;
  const auto path = folder.path / "a" / "b.txt";
  auto file = AtomicFile::create(path).value();
  ASSERT_TRUE(file.write("x"));
  fs::remove_all(path.parent_path());
  EXPECT_EQ(file.commit().error().code, ErrorCode::kIo);
  EXPECT_EQ(sync_directory(path.parent_path()).error().code, ErrorCode::kIo);
  fs::create_directory_symlink("nowhere", folder.path / "dangling");
  EXPECT_EQ(write_file_atomically(folder.path / "dangling" / "b.txt", "x").error().code, ErrorCode::kIo);
}

TEST(File, WhatIsWrittenIsMappedEvenWhenItsNameIsGone) {
  Folder folder;
  auto file = AtomicFile::create(folder.path / "b.txt").value();
  ASSERT_TRUE(file.write("rows"));
  for (const auto& entry : fs::directory_iterator(folder.path)) fs::remove(entry.path());
  const auto mapped = file.map();
  ASSERT_TRUE(mapped) << mapped.error().message;
  EXPECT_EQ(mapped->bytes(), "rows");
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
  ASSERT_TRUE(
      write_file_atomically(folder.path / "maeil.toml", "DATA_QUANTITY = 1\nF1_THRESHOLD = 0.5\nSEED = 9\n"));
  ASSERT_TRUE(
      write_file_atomically(folder.path / ".env", "# c\nexport DATA_QUANTITY=2 # why\nSEED='7'\nOTHER=x\n"));
  const auto settings = load(folder.path, {{"SEED", "8"}}).value();
  EXPECT_EQ(settings.f1_threshold, 0.5);
  EXPECT_EQ(settings.data_quantity, 2);
  EXPECT_EQ(settings.seed, 8);
}

TEST(Settings, ADatasetsOwnCountMoreThanMaeilTomlAndLessThanDotenv) {
  Folder folder;
  EXPECT_EQ(load(folder.path, {})->dataset_spec, "");
  const std::string own = (folder.path / "dataset.toml").string();
  ASSERT_TRUE(write_file_atomically(folder.path / "maeil.toml", "SEED = 1\nEPOCHS = 1\nDATA_QUANTITY = 1\n"));
  ASSERT_TRUE(write_file_atomically(own, "name = \"x\"\n[settings]\nSEED = 2\nEPOCHS = 2\n"));
  ASSERT_TRUE(write_file_atomically(folder.path / ".env", "SEED=3\n"));
  const auto found = load(folder.path, {}).value();
  EXPECT_EQ(found.dataset_spec, own);
  EXPECT_EQ(found.data_quantity, 1);
  EXPECT_EQ(found.epochs, 2);
  EXPECT_EQ(found.seed, 3);
  // another spec that is named takes its place, with its settings
  const std::string other = (folder.path / "other.toml").string();
  ASSERT_TRUE(write_file_atomically(other, "name = \"y\"\n[settings]\nEPOCHS = 4\n"));
  const auto named = load(folder.path, {{"DATASET_SPEC", other.c_str()}}).value();
  EXPECT_EQ(named.dataset_spec, other);
  EXPECT_EQ(named.epochs, 4);
  const auto message = [&](const std::string& text) {
    (void)write_file_atomically(own, text);
    const auto refused = load(folder.path, {});
    if (!refused) return refused.error().message;
    return refused->dataset_error ? refused->dataset_error->message : std::string("accepted");
  };
  EXPECT_NE(
      message("name = \"x\"\n[settings]\nEPOCH = 2\n").find("dataset.toml:3: there is no setting 'EPOCH'"),
      std::string::npos);
  EXPECT_NE(message("name = \"x\"\n[settings]\nEPOCHS = 0\n").find("dataset.toml:3: EPOCHS must be"),
            std::string::npos);
  EXPECT_NE(message("name = \"x\"\n[settings]\nDATASET_SPEC = \"a\"\n")
                .find("dataset.toml:3: DATASET_SPEC has no place"),
            std::string::npos);
  EXPECT_NE(message("name = ").find("dataset.toml:1"), std::string::npos);
  EXPECT_EQ(message("name = \"x\"\n"), "accepted");
}

TEST(Settings, AnEmptyValueCountsAsNotSet) {
  Folder folder;
  ASSERT_TRUE(
      write_file_atomically(folder.path / "maeil.toml", "MONGODB_HOST = \"\"\nSTORE_PATH = \"a.db\"\n"));
  ASSERT_TRUE(
      write_file_atomically(folder.path / ".env", "MONGODB_URI=\nMONGODB_PORT=''\nSTORE_PATH= # none\n"));
  const auto settings =
      load(folder.path, {{"MONGODB_URI", ""}, {"MONGODB_DATABASE", ""}, {"EPOCHS", ""}, {"STORE_PATH", ""}})
          .value();
  for (const char* name : {"MONGODB_URI", "MONGODB_HOST", "MONGODB_PORT", "MONGODB_DATABASE", "EPOCHS"})
    EXPECT_FALSE(is_set(settings, name)) << name;
  EXPECT_EQ(settings.mongodb_host, "localhost");
  EXPECT_EQ(settings.mongodb_port, 27017);
  EXPECT_EQ(settings.mongodb_database, "mlops_default_prediction");
  EXPECT_EQ(settings.epochs, 10);
  EXPECT_EQ(settings.store_path, "a.db");
}

TEST(Secrets, AreNotShown) {
  const std::pair<const char*, const char*> cases[] = {
      {"mongodb://u:hunter2@h:27017/d?replicaSet=rs0", "mongodb://***@h:27017/d?replicaSet=rs0"},
      {"mongodb://h/d?tls=true", "mongodb://h/d?tls=true"},
      {"mongodb://u:p@ss?w@h/d?x=y", "mongodb://***@h/d?x=y"},
      {"u:hunter2@127.0.0.1/x", "***@127.0.0.1/x"},
      {"mongo://u:hunter2@h", "mongo://***@h"},
      {"mongodb://h/?tlsCertificateKeyFilePassword=hunter2&tls=true",
       "mongodb://h/?tlsCertificateKeyFilePassword=***&tls=true"},
      {"mongodb://h/?tls=true;TLSCERTIFICATEKEYFILEPASSWORD=hunter2",
       "mongodb://h/?tls=true;TLSCERTIFICATEKEYFILEPASSWORD=***"},
      {"mongodb://u@h/?authMechanismProperties=AWS_SESSION_TOKEN:hunter2",
       "mongodb://***@h/?authMechanismProperties=***"},
      // An @ in an option's value: whether it ends a login cannot be known.
      {"mongodb://h/?tlsCertificateKeyFilePassword=hun@ter2", "mongodb://***"},
      {"mongodb://u:hun&password=ter2@h/d", "mongodb://***"},
      {"./maeil.db", "./maeil.db"},
      {"", ""},
  };
  for (const auto& [address, shown] : cases) EXPECT_EQ(redact_address(address), shown);
  Folder folder;
  const auto settings = load(folder.path, {{"MONGODB_URI", "u:hunter2@h/x"},
                                           {"MONGODB_HOST", "u:hunter2@h"},
                                           {"MONGODB_PASSWORD", "hunter2"}})
                            .value();
  for (const auto& [name, value] : describe_settings(settings))
    EXPECT_EQ(value.find("hunter2"), std::string::npos) << name;
}

TEST(Settings, WrongValuesNamePlaceAndBounds) {
  Folder folder;
  const auto message = [&](const char* toml) {
    (void)write_file_atomically(folder.path / "maeil.toml", toml);
    const auto settings = load(folder.path);
    return settings ? std::string("accepted") : settings.error().message;
  };
  EXPECT_NE(message("\nF1_THRESHOLD = 1.5\n").find("maeil.toml:2: F1_THRESHOLD must be a number from 0 to 1"),
            std::string::npos);
  EXPECT_NE(message("EPOCHS = \"ten\"").find("whole number"), std::string::npos);
  EXPECT_NE(message("EPOCHZ = 1").find("no setting 'EPOCHZ'"), std::string::npos);
  EXPECT_NE(message("EPOCHS = ").find("maeil.toml:1"), std::string::npos);
  EXPECT_NE(message("F1_THRESHOLD = nan").find("F1_THRESHOLD"), std::string::npos);
  EXPECT_NE(message("NHEAD = 5").find("multiple"), std::string::npos);
  EXPECT_NE(message("MIN_POSITIVES = 0").find("MIN_POSITIVES must be a whole number from 1"),
            std::string::npos);
  EXPECT_NE(message("SOURCE_FALLBACK = \"simulator\"").find("SOURCE_FALLBACK must be 'portfolio'"),
            std::string::npos);
  EXPECT_EQ(message("SOURCE_FALLBACK = \"portfolio\""), "accepted");
  EXPECT_NE(message("APPROVAL = \"person\"").find("APPROVAL must be 'auto' or 'manual', not 'person'"),
            std::string::npos);
  EXPECT_NE(message("CHALLENGERS = \"boosted_trees, forest\"").find("not 'forest'"), std::string::npos);
  EXPECT_NE(message("CHALLENGERS = \"boosted_trees,\"").find("not ''"), std::string::npos);
  EXPECT_NE(message("CHALLENGERS = \"boosted_trees,boosted_trees\"").find("twice"), std::string::npos);
  EXPECT_EQ(message("CHALLENGERS = \"tab_transformer , boosted_trees,scorecard\""), "accepted");
  EXPECT_NE(message("GATE_RULE = \"mean\"").find("GATE_RULE must be 'point' or 'lower_bound'"),
            std::string::npos);
  EXPECT_NE(message("DECISION_THRESHOLD = \"1.5\"").find("a number from 0 to 1, not '1.5'"),
            std::string::npos);
  for (const char* rule : {"f1", "cost", "argmax", "0.3"})
    EXPECT_EQ(message(fmt::format("DECISION_THRESHOLD = \"{}\"", rule).c_str()), "accepted");
  EXPECT_NE(message("BOOK = \"imaginary\"").find("BOOK must be 'separable' or 'realistic', not 'imaginary'"),
            std::string::npos);
  EXPECT_EQ(message("BOOK = \"realistic\""), "accepted");
  EXPECT_EQ(message("EPOCHS = 1"), "accepted");
}

}  // namespace
}  // namespace maeil
