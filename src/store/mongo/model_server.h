// For tests: a server in memory that does what a test tells it to do with each message, and writers that stop
// at each of theirs. So every order of two writers' messages can be tried, with a crash and a message that
// arrives late at each place (batch_protocol_test.cc).
#pragma once

#include <fmt/format.h>
#include <ucontext.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/mongo/batch_protocol.h"

namespace maeil::store::mongo {

struct ModelServer {
  Head head{"0000000000000000000000aa"};
  std::map<std::string, std::string> documents, journals;  // by id: their bytes
  std::set<std::string> refuses;                           // ids of documents that it does not take
  // false: a server, or a protocol, that overwrites what it finds
  bool guards = true;

  std::string write(Write::Kind kind, const std::string& id, const std::string& document,
                    const std::string& selector) {
    const auto found = documents.find(id);
    const bool upserts = kind == Write::Kind::kUpsert && found == documents.end();
    if (kind == Write::Kind::kInsert || upserts) {
      if (refuses.contains(id)) return "refused";
      if (found == documents.end() || !guards) documents[id] = document;
      return "";
    }
    if (found == documents.end() || (guards && !matches(selector, batch_of(*view(found->second).get()))))
      return "";
    if (kind == Write::Kind::kRemove)
      documents.erase(found);
    else
      found->second = document;
    return "";
  }

  static Bson view(const std::string& bytes) {
    bson_t out;
    if (!bson_init_static(&out, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size())) std::abort();
    return copy_of(out);
  }

  std::string key() const {
    std::string out = show(head);
    for (const auto* all : {&documents, &journals}) {
      for (const auto& [id, bytes] : *all) out += id + '=' + bytes + ';';
      out += '|';
    }
    return out;
  }

  static std::string show(const Head& head) {
    std::string out =
        fmt::format("{}/{}/{}/{}", head.number, head.batch, static_cast<int>(head.state), head.words);
    for (const auto& past : head.past) out += ";" + past.batch + "/" + past.words;
    for (const auto& batch : head.refused) out += "!" + batch;
    return out;
  }

 private:
  // The guard's part of a selector: {maeil_batch: id}, null for none, or {"$in": [...]} of those.
  static bool matches(const std::string& selector, const std::string& batch) {
    const Bson bytes = view(selector);
    bson_iter_t guard, list;
    if (!bson_iter_init_find(&guard, bytes.get(), kBatchField)) std::abort();
    if (!BSON_ITER_HOLDS_DOCUMENT(&guard)) return is(guard, batch);
    if (!bson_iter_recurse(&guard, &list) || !bson_iter_find(&list, "$in")) std::abort();
    bson_iter_t one;
    bson_iter_recurse(&list, &one);
    while (bson_iter_next(&one)) {
      if (is(one, batch)) return true;
    }
    return false;
  }
  static bool is(const bson_iter_t& one, const std::string& batch) {
    if (BSON_ITER_HOLDS_NULL(&one)) return batch.empty();
    if (!BSON_ITER_HOLDS_OID(&one)) std::abort();
    return hex_of(*bson_iter_oid(&one)) == batch;
  }
};

// A writer with a stack of its own, which stops at each message.
class ModelWriter {
 public:
  struct Message {
    std::function<std::string()> effect;  // on the server; the answer
    bool changes = false;
  };

  explicit ModelWriter(std::function<void(ModelWriter&)> body)
      : body_(std::move(body)), stack_(new char[kStack]) {
    ::getcontext(&own_);
    own_.uc_stack.ss_sp = stack_.get();
    own_.uc_stack.ss_size = kStack;
    own_.uc_link = &back_;
    const auto self = reinterpret_cast<uintptr_t>(this);
    ::makecontext(&own_, reinterpret_cast<void (*)()>(&begin), 2, static_cast<unsigned>(self >> 32),
                  static_cast<unsigned>(self));
    resume();
  }
  ModelWriter(const ModelWriter&) = delete;
  ModelWriter& operator=(const ModelWriter&) = delete;
  ~ModelWriter() {
    if (!done_) crash();
  }

  bool done() const { return done_; }
  bool crashed() const { return crashed_; }
  const Message& message() const { return message_; }      // the one it waits with
  const std::string& history() const { return history_; }  // all answers: with its program, what it knows

  void answer(std::optional<std::string> text) {
    answer_ = std::move(text);
    history_ += answer_ ? "+" + *answer_ : "-";
    resume();
  }
  // It never sends or learns anything again.
  void crash() {
    crashed_ = true;
    history_ = "crashed";
    if (!done_) resume();
  }

  // By the writer's own program. Nothing: no answer came.
  std::optional<std::string> send(Message message) {
    if (crashed_) return std::nullopt;
    message_ = std::move(message);
    ::swapcontext(&own_, &back_);
    return crashed_ ? std::nullopt : answer_;
  }

 private:
  static constexpr size_t kStack = 256 << 10;
  static void begin(unsigned high, unsigned low) {
    auto* self = reinterpret_cast<ModelWriter*>(static_cast<uintptr_t>(high) << 32 | low);
    self->body_(*self);
    self->done_ = true;
  }
  void resume() { ::swapcontext(&back_, &own_); }

  std::function<void(ModelWriter&)> body_;
  std::unique_ptr<char[]> stack_;
  ucontext_t own_{}, back_{};
  Message message_;
  std::optional<std::string> answer_;
  std::string history_;
  bool done_ = false, crashed_ = false;
};

// The protocol's calls as messages of one writer.
class ModelSite : public Site {
 public:
  ModelSite(ModelServer& server, ModelWriter& writer, int number)
      : server_(server), writer_(writer), number_(number) {}

  Result<Head> head() override {
    const auto seen = std::make_shared<Head>();
    const auto answer = send(false, [this, seen] { return *seen = server_.head, ModelServer::show(*seen); });
    return done(answer, *seen);
  }
  Result<bool> move_head(const Head& to) override {
    const auto moved = send(true, [this, to]() -> std::string {
      if (server_.head.number + 1 != to.number) return "no";
      server_.head = to;
      return "yes";
    });
    return done(moved, moved == "yes");
  }
  Status write_journal(const std::string& batch, std::span<const Change> changes) override {
    return done(send(true, [this, batch, bytes = encode_changes(changes)] {
      return server_.journals[batch] = bytes, std::string();
    }));
  }
  Result<std::vector<Change>> read_journal(const std::string& batch) override {
    const auto bytes = send(false, [this, batch] {
      return server_.journals.contains(batch) ? server_.journals[batch] : std::string();
    });
    if (bytes && bytes->empty()) return bad_input("there is no such journal");
    if (!bytes) return lost();
    return decode_changes(*bytes);
  }
  Status remove_journal(const std::string& batch) override {
    return done(send(true, [this, batch] { return server_.journals.erase(batch), std::string(); }));
  }
  Result<std::string> carry_out(std::span<const Change> changes) override {
    for (const Change& change : changes) {
      const auto words = write(forward(change));
      if (!words || !words->empty()) return done(words, words.value_or(""));
    }
    return std::string();
  }
  Result<std::string> take_back(std::span<const Change> changes, const std::string& batch) override {
    for (const Change& change : changes) {
      for (const Write& one : backward(change, batch)) {
        const auto words = write(one);
        if (!words || !words->empty()) return done(words, words.value_or(""));
      }
    }
    return std::string();
  }
  Status check_locks() override { return {}; }
  std::string new_batch() override { return fmt::format("{:012x}{:012x}", number_, ++batches_); }
  bool wait(int) override { return false; }

  // A document's bytes; "" when there is none.
  Result<std::string> read(const std::string& id) {
    const auto bytes = send(
        false, [this, id] { return server_.documents.contains(id) ? server_.documents[id] : std::string(); });
    return done(bytes, bytes.value_or(""));
  }

 private:
  static tl::unexpected<Error> lost() { return fail(ErrorCode::kUnavailable, "no answer"); }
  template <class T>
  static Result<T> done(const std::optional<std::string>& answer, T value) {
    if (!answer) return lost();
    return value;
  }
  static Status done(const std::optional<std::string>& answer) { return answer ? Status{} : lost(); }
  std::optional<std::string> send(bool changes, std::function<std::string()> effect) {
    return writer_.send({std::move(effect), changes});
  }
  std::optional<std::string> write(const Write& one) {
    const std::string document(one.document ? one.document->bytes() : std::string_view()),
        selector(one.selector.bytes());
    return send(true, [this, kind = one.kind, id = std::string(one.id), document, selector] {
      return server_.write(kind, id, document, selector);
    });
  }

  ModelServer& server_;
  ModelWriter& writer_;
  const int number_;
  int batches_ = 0;
};

}  // namespace maeil::store::mongo
