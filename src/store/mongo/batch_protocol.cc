#include "store/mongo/batch_protocol.h"

#include <algorithm>
#include <optional>

namespace maeil::store::mongo {
namespace {

constexpr int kTries = 200;  // against other writers; each of them got through meanwhile

Head after(const Head& head, const std::string& batch, Head::State state) {
  Head next{batch, state, head.number + 1, "", head.past, head.refused};
  next.past.push_back({head.batch, head.words});
  if (next.past.size() > Head::kRemembered) next.past.erase(next.past.begin());
  return next;
}

Head with(const Head& head, Head::State state, const std::string& words) {
  Head next{head.batch, state, head.number + 1, words, head.past, head.refused};
  const bool first =
      state == Head::State::kRefused && std::ranges::find(next.refused, head.batch) == next.refused.end();
  if (first) next.refused.push_back(head.batch);
  if (next.refused.size() > Head::kRemembered) next.refused.erase(next.refused.begin());
  return next;
}

// What became of a batch: its words ("" when it is done); nothing while it is on its way.
enum class Fate { kNeverCounted, kUnderWay, kDone, kRefused, kForgotten };
struct Outcome {
  Fate fate;
  std::string words{};
};

// `seen`: the head that the batch was planned against.
Outcome outcome_of(const std::string& batch, const Head& seen, const Head& head) {
  if (head.batch == batch) {
    if (head.state != Head::State::kDone) return {Fate::kUnderWay};
    return {head.words.empty() ? Fate::kDone : Fate::kRefused, head.words};
  }
  bool covers = head.batch == seen.batch;
  for (const auto& past : head.past) {
    if (past.batch == batch) return {past.words.empty() ? Fate::kDone : Fate::kRefused, past.words};
    covers |= past.batch == seen.batch;
  }
  return {covers ? Fate::kNeverCounted : Fate::kForgotten};
}

// Brings the head's batch to its end, or finds that somebody else did. The words of a server that refuses
// both ways; else "".
Result<std::string> finish(Site& site, Head head, const std::vector<Change>* own) {
  std::vector<Change> read;
  if (!own) {
    auto journal = site.read_journal(head.batch);
    if (!journal) {  // its writer removes it when it is done
      MAEIL_ASSIGN(const Head now, site.head());
      if (now.batch != head.batch || now.state == Head::State::kDone) return "";
      return tl::make_unexpected(journal.error());
    }
    read = std::move(*journal);
  }
  const std::vector<Change>& changes = own ? *own : read;
  if (head.state == Head::State::kCounts) {
    MAEIL_ASSIGN(const std::string words, site.carry_out(changes));
    const Head next = with(head, words.empty() ? Head::State::kDone : Head::State::kRefused, words);
    MAEIL_ASSIGN(const bool moved, site.move_head(next));
    if (moved && words.empty()) return "";
    Head now = next;
    if (!moved) {
      MAEIL_ASSIGN(now, site.head());
    }
    // What this process has just carried out must not stay behind where another one has taken everything
    // back.
    const bool refused = now.batch == head.batch && now.state == Head::State::kRefused;
    if (!refused && outcome_of(head.batch, head, now).fate != Fate::kRefused) return "";
    head = refused ? now : with(head, Head::State::kRefused, words);
  }
  MAEIL_ASSIGN(const std::string stuck, site.take_back(changes, head.batch));
  if (!stuck.empty()) return stuck;
  MAEIL_TRY(site.move_head(with(head, Head::State::kDone, head.words)));
  return "";
}

// From the first message about the head on, nobody knows what an error means for the batch, whatever it says
// itself.
tl::unexpected<Error> unknown(const Error& error) {
  return fail(ErrorCode::kUnavailable, error.message + "; whether this batch counts is not known");
}

tl::unexpected<Error> stuck_error(const std::string& words, ErrorCode code) {
  return fail(
      code,
      "a batch is half written, and the server refuses to finish it and to take it back: " + words +
          ". Nothing else can be written until it does: mend what it names (a validator, an index, a right, "
          "a full disk) and run any command");
}

}  // namespace

Result<Head> settle(Site& site) {
  std::string waited_for;
  for (int times = 0;; ++times) {
    MAEIL_ASSIGN(Head head, site.head());
    if (head.state == Head::State::kDone) return head;
    if (head.batch != waited_for) times = 0;
    waited_for = head.batch;
    if (site.wait(times)) continue;
    MAEIL_ASSIGN(const std::string stuck, finish(site, std::move(head), nullptr));
    if (!stuck.empty()) return stuck_error(stuck, ErrorCode::kConflict);
  }
}

namespace {

// What became of a batch that counts.
Result<Outcome> end_of(Site& site, const std::string& batch, const Head& seen) {
  for (;;) {
    MAEIL_ASSIGN(const Head head, site.head());
    const Outcome outcome = outcome_of(batch, seen, head);
    if (outcome.fate != Fate::kUnderWay) return outcome;
    MAEIL_TRY(settle(site));  // another one has found a refusal where this one did not
  }
}

}  // namespace

Status write_batch(
    Site& site,
    const std::function<Result<std::vector<Change>>(const std::string& batch, const Head& seen)>& plan) {
  for (int tries = 0; tries < kTries; ++tries) {
    if (tries > 0) (void)site.wait(tries);
    MAEIL_ASSIGN(const Head seen, settle(site));
    MAEIL_TRY(site.check_locks());
    const std::string batch = site.new_batch();
    MAEIL_ASSIGN(const std::vector<Change> changes, plan(batch, seen));
    if (changes.empty()) return {};
    MAEIL_TRY(site.write_journal(batch, changes));
    const Head mine = after(seen, batch, Head::State::kCounts);
    const auto moved = site.move_head(mine);
    if (!moved) return unknown(moved.error());
    if (!*moved) {
      const auto head = site.head();
      if (!head) return unknown(head.error());
      const Fate fate = outcome_of(batch, seen, *head).fate;
      if (fate == Fate::kNeverCounted) {
        MAEIL_TRY(site.remove_journal(batch));
        continue;
      }
    }
    const auto stuck = finish(site, mine, &changes);
    if (!stuck) return unknown(stuck.error());
    // Not a conflict, after which callers look what they find: half of it.
    if (!stuck->empty()) return stuck_error(*stuck, ErrorCode::kIo);
    const auto outcome = end_of(site, batch, seen);
    if (!outcome) return unknown(outcome.error());
    if (outcome->fate == Fate::kForgotten) {
      return fail(ErrorCode::kUnavailable,
                  "so much was written meanwhile that what became of this batch is not known any more: read "
                  "it again");
    }
    (void)site.remove_journal(batch);  // of what is over; where it stays it is garbage
    if (outcome->fate == Fate::kDone) return {};
    return fail(ErrorCode::kIo, outcome->words);
  }
  return fail(ErrorCode::kConflict,
              "other processes were quicker with every try to write: nothing was written, run it again");
}

Status close_the_past(Site& site) {
  for (;;) {
    MAEIL_ASSIGN(const Head head, settle(site));
    MAEIL_ASSIGN(const bool moved, site.move_head(after(head, site.new_batch(), Head::State::kDone)));
    if (moved) return {};
  }
}

}  // namespace maeil::store::mongo
