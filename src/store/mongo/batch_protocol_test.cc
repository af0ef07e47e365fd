// Every order of the messages of two writers (batch_protocol.h), with a crash and a message that arrives
// late, twice or unanswered at every place, against a server in memory. What is tried is the program itself,
// not a description of it.
//
// Each writer raises the same two numbers and makes a document of its own, in one batch. However the messages
// went: the numbers are equal, they count the documents that are there, and what a writer was told is what
// happened.
#include <gtest/gtest.h>

#include <boost/unordered/unordered_flat_set.hpp>

#include "base/hash.h"
#include "store/mongo/model_server.h"

namespace maeil::store::mongo {
namespace {

const std::string kX = "0000000000000000000000c1", kY = "0000000000000000000000c2";
const std::string kOwn[] = {"0000000000000000000000d0", "0000000000000000000000d1"};

// As bytes and not by way of a Document: this is most of what a run costs.
Bson counter(const std::string& id, int64_t n, const std::string& batch) {
  bson_oid_t own, by;
  bson_oid_init_from_string(&own, id.c_str());
  bson_oid_init_from_string(&by, batch.c_str());
  Bson out;
  BSON_APPEND_OID(out.get(), "_id", &own);
  BSON_APPEND_INT64(out.get(), "n", n);
  BSON_APPEND_OID(out.get(), kBatchField, &by);
  return out;
}

int64_t number_in(const std::string& bytes) {
  if (bytes.empty()) return 0;
  const Bson document = ModelServer::view(bytes);
  bson_iter_t at;
  EXPECT_TRUE(bson_iter_init_find(&at, document.get(), "n"));
  return bson_iter_as_int64(&at);
}

bool is_none(const std::string& bytes, const Head& head) {
  return bytes.empty() ||
         std::ranges::find(head.refused, batch_of(*ModelServer::view(bytes).get())) != head.refused.end();
}

struct Told {
  bool returned = false;
  Status status;
};

// One document's change from what the server holds now.
Result<Change> raise(ModelSite& site, const std::string& id, const std::string& batch, const Head& seen) {
  MAEIL_ASSIGN(std::string bytes, site.read(id));
  if (is_none(bytes, seen)) bytes.clear();
  Change change{"c", id, "", {}, counter(id, number_in(bytes) + 1, batch)};
  if (bytes.empty()) {
    change.refused = seen.refused;
    return change;
  }
  change.seen = batch_of(*ModelServer::view(bytes).get());
  change.before = counter(id, number_in(bytes), "ee" + batch.substr(2));
  return change;
}

struct Case {
  int crashes = 0, late = 0;  // how many of each may happen
  bool refusal = false;       // the server refuses the first writer's own document
  bool guards = true;
};

// One run, told by its choices; the world is made anew for each.
class Run {
 public:
  explicit Run(const Case& what) : what_(what) {
    server_.guards = what.guards;
    if (what.refusal) server_.refuses.insert(kOwn[0]);
    for (int i = 0; i < 2; ++i) {
      writers_[i] = std::make_unique<ModelWriter>([this, i](ModelWriter& self) {
        ModelSite site(server_, self, i);
        told_[i].status =
            write_batch(site, [&](const std::string& batch, const Head& seen) -> Result<std::vector<Change>> {
              std::vector<Change> changes;
              for (const auto& id : {kX, kOwn[i], kY}) {
                MAEIL_ASSIGN(Change change, raise(site, id, batch, seen));
                changes.push_back(std::move(change));
              }
              return changes;
            });
        told_[i].returned = !self.crashed();
      });
    }
  }

  // What may happen next, each as a number that take() knows.
  std::vector<int> choices() const {
    std::vector<int> out;
    for (int i = 0; i < 2; ++i) {
      if (writers_[i]->done()) continue;
      out.push_back(10 * i);
      if (crashes_ < what_.crashes) out.push_back(10 * i + 1);
      if (late_count_ == what_.late || !writers_[i]->message().changes) continue;
      for (int fate : {2, 3, 4}) out.push_back(10 * i + fate);
      if (crashes_ < what_.crashes) out.push_back(10 * i + 5);
    }
    if (late_ && (!writers_[0]->done() || !writers_[1]->done())) out.push_back(20);
    return out;
  }

  void take(int choice) {
    if (choice == 20) return deliver_late();
    ModelWriter& writer = *writers_[choice / 10];
    const auto effect = writer.message().effect;
    switch (choice % 10) {
      case 0:
        return writer.answer(effect());
      case 1:
        return crash(writer);
      case 2:
        return hold_back(writer);  // and it is sent once more
      case 3:
        return hold_back(writer), writer.answer(std::nullopt);  // it comes later
      case 4:
        return ++late_count_, effect(), writer.answer(std::nullopt);  // only its answer is lost
      default:
        return hold_back(writer), crash(writer);
    }
  }

  // The same key, the same future.
  uint64_t key() const {
    std::string text = server_.key();
    for (const auto& writer : writers_) text += writer->history() + (writer->done() ? "." : "?");
    return hash64(text + std::to_string(crashes_) + std::to_string(late_count_) + late_key_);
  }

  // "" or what is wrong. Before and after the last late message.
  std::string check() {
    const std::string before = check_now();
    if (!before.empty() || !late_) return before;
    deliver_late();
    return check_now();
  }

 private:
  void crash(ModelWriter& writer) { ++crashes_, writer.crash(); }
  void hold_back(const ModelWriter& writer) {
    ++late_count_;
    late_ = writer.message().effect;
    // What a writer sends follows from what it was told so far.
    late_key_ = fmt::format("late {} {}", &writer == writers_[0].get(), writer.history());
  }
  void deliver_late() {
    const auto effect = std::exchange(late_, nullptr);
    late_key_.clear();
    effect();
  }

  std::string check_now() {
    std::optional<Result<Head>> settled;
    ModelWriter reader([&](ModelWriter& self) {
      ModelSite site(server_, self, 9);
      settled = settle(site);
    });
    while (!reader.done()) reader.answer(reader.message().effect());
    if (!*settled) return "a reader: " + settled->error().message;
    const auto is_there = [&](const std::string& id) {
      const auto found = server_.documents.find(id);
      return found != server_.documents.end() && !is_none(found->second, **settled);
    };
    const auto number = [&](const std::string& id) {
      return is_there(id) ? number_in(server_.documents.at(id)) : 0;
    };
    const bool own[] = {is_there(kOwn[0]), is_there(kOwn[1])};
    const int64_t there = own[0] + own[1];
    if (number(kX) != number(kY)) return fmt::format("half of a batch: {} and {}", number(kX), number(kY));
    if (number(kX) != there)
      return fmt::format("{} batches count, and there are documents of {}", number(kX), there);
    for (int i = 0; i < 2; ++i) {
      if (!told_[i].returned) continue;
      const bool counts = own[i];
      if (told_[i].status && !counts)
        return fmt::format("writer {} was told that it is written, and it is not", i);
      const bool for_sure = !told_[i].status && told_[i].status.error().code != ErrorCode::kUnavailable;
      if (for_sure && counts)
        return fmt::format("writer {} was told \"{}\", and it is written", i,
                           told_[i].status.error().message);
    }
    return "";
  }

  const Case what_;
  ModelServer server_;
  Told told_[2];
  std::unique_ptr<ModelWriter> writers_[2];
  int crashes_ = 0, late_count_ = 0;
  std::function<std::string()> late_;
  std::string late_key_;
};

struct Explored {
  size_t runs = 0, states = 0, ends = 0, wrong = 0;
  std::string first_wrong;
};

// Depth first, each state once: a run is repeated up to where it leaves what was tried. `until_wrong`: no
// further than to the first fault. Two writers of whom none is refused differ by their names alone, so that
// the first one may begin: each run that the second one begins is the image of one of those.
Explored explore(const Case& what, bool until_wrong = false) {
  Explored out;
  boost::unordered_flat_set<uint64_t> seen;
  std::vector<std::vector<int>> todo = {{}};
  while (!todo.empty()) {
    std::vector<int> path = std::move(todo.back());
    todo.pop_back();
    Run run(what);
    ++out.runs;
    for (const int choice : path) run.take(choice);
    for (;;) {
      if (!seen.insert(run.key()).second) break;
      auto choices = run.choices();
      if (path.empty() && !what.refusal) std::erase_if(choices, [](int choice) { return choice >= 10; });
      if (choices.empty()) {
        ++out.ends;
        const std::string wrong = run.check();
        if (!wrong.empty() && out.wrong++ == 0) {
          out.first_wrong = wrong + " after";
          for (const int choice : path) out.first_wrong += fmt::format(" {}", choice);
          if (until_wrong) return out;
        }
        break;
      }
      for (size_t i = 1; i < choices.size(); ++i) {
        todo.push_back(path);
        todo.back().push_back(choices[i]);
      }
      path.push_back(choices[0]);
      run.take(choices[0]);
    }
  }
  out.states = seen.size();
  return out;
}

void expect_right(const char* name, const Case& what) {
  const Explored out = explore(what);
  std::printf("%s: %zu states, %zu ends, %zu runs\n", name, out.states, out.ends, out.runs);
  EXPECT_EQ(out.wrong, 0u) << name << ": " << out.first_wrong;
  EXPECT_GT(out.ends, 10u);
}

TEST(Protocol, TwoWriters) { expect_right("two writers", {}); }
TEST(Protocol, TwoWritersAndACrash) { expect_right("a crash", {.crashes = 1}); }
TEST(ProtocolSlow, TwoWritersAndALateMessage) { expect_right("a late message", {.late = 1}); }
TEST(ProtocolSlow, TwoWritersACrashAndALateMessage) {
  expect_right("a crash and a late message", {.crashes = 1, .late = 1});
}
TEST(ProtocolSlow, TwoWritersOfWhomOneIsRefused) {
  expect_right("a refusal", {.refusal = true});
  expect_right("a refusal and a crash", {.crashes = 1, .refusal = true});
  expect_right("a refusal and a late message", {.late = 1, .refusal = true});
}

// The test can see what it is for: with writes that overwrite whatever they find, late ones undo what others
// wrote.
TEST(ProtocolSlow, WithoutGuardsALateMessageIsSeen) {
  EXPECT_GT(explore({.late = 1, .guards = false}, true).wrong, 0u);
}

}  // namespace
}  // namespace maeil::store::mongo
