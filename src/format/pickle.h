// Python pickles as plain values: every opcode of protocols 0-5 is interpreted, nothing in the file is ever
// executed.
//
// A pickle is a program that calls what it names. Here a call of a known data class (pickle_rules.h) becomes
// an object node that holds the class's name, the arguments and the state; every other name, and whatever is
// made by calling it, becomes an opaque node that keeps the name alone. So a file may hold anything beside
// what its reader needs (random generators, functions, a shell command): it is neither run nor kept. A reader
// must refuse an opaque node where it needs a value, by its class_name(). numpy and pandas objects are read
// by numpy.h and pandas.h from such nodes.
//
// Nodes live in one array and refer to each other by position, so a cyclic, shared or a million levels deep
// file costs what its bytes cost (about 120 bytes of memory for each byte of input at worst). Whoever walks a
// tree recursively must bound the depth: values may contain themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace maeil::format {

enum class PickleKind : uint8_t {
  kNone,
  kBool,
  kInteger,     // fits int64_t
  kBigInteger,  // text() is its decimal digits
  kReal,
  kText,   // UTF-8
  kBytes,  // bytes, bytearray, and Python 2's str where it is not ASCII
  kList,
  kTuple,
  kDict,        // dict, OrderedDict, defaultdict, Counter: pairs in file order; a key given twice stays twice
  kSet,         // set, frozenset; file order
  kGlobal,      // a named class or function that is known but was not called
  kObject,      // a known class's instance: arguments, state, and the items or pairs added to it
  kPersistent,  // argument(0) is the persistent id
  kOpaque,      // a class or function that is not known, or what a call of it made: only its name
};

const char* to_string(PickleKind kind);

struct PickleTree;

// A position in a PickleDocument, cheap to copy, valid as long as the document lives. Thread safe: only
// reads.
class PickleValue {
 public:
  PickleKind kind() const;
  bool is_none() const { return kind() == PickleKind::kNone; }
  bool is(PickleKind k) const { return kind() == k; }

  // Empty where the kind is another one. integer() takes kBool too; real() takes kBool and kInteger too.
  std::optional<bool> boolean() const;
  std::optional<int64_t> integer() const;
  std::optional<double> real() const;
  std::optional<std::string_view> text() const;   // kText, kBigInteger
  std::optional<std::string_view> bytes() const;  // kBytes, kText

  // kList, kTuple, kSet, and what was appended to a kObject (0 for the others).
  size_t size() const;
  PickleValue item(size_t i) const;  // REQUIRES: i < size()

  // kDict, and what was set on a kObject.
  size_t pair_count() const;
  PickleValue key(size_t i) const;                                   // REQUIRES: i < pair_count()
  PickleValue mapped(size_t i) const;                                // REQUIRES: i < pair_count()
  std::optional<PickleValue> find(std::string_view text_key) const;  // the last one, as Python keeps it

  // kGlobal: "module.name"; kObject: its class's; kOpaque: its own, or that of what was called to make it,
  // which may be any bytes (see printable in pickle_decode.h). Empty for the others.
  std::string class_name() const;
  // Whether this is an object of class "module.name"; makes no text.
  bool is_class(std::string_view full_name) const;

  // kObject: what its class was called with; kPersistent: its id.
  size_t argument_count() const;
  PickleValue argument(size_t i) const;  // REQUIRES: i < argument_count()
  // What BUILD gave: kObject, kDict, kList, kSet. Empty where there was none.
  std::optional<PickleValue> state() const;
  // The attribute as Python sets it from the state: a dict, or a tuple of two dicts.
  std::optional<PickleValue> attribute(std::string_view name) const;

  uint32_t id() const { return index_; }  // equal ids of one document: the same Python object

 private:
  friend class PickleDocument;
  PickleValue(const PickleTree* tree, uint32_t index) : tree_(tree), index_(index) {}
  const PickleTree* tree_;
  uint32_t index_;
};

// A read pickle; owns the file's bytes. Movable; values stay valid when it moves.
class PickleDocument {
 public:
  explicit PickleDocument(std::shared_ptr<const PickleTree> tree) : tree_(std::move(tree)) {}
  PickleValue root() const;
  size_t node_count() const;

 private:
  std::shared_ptr<const PickleTree> tree_;
};

// Reads one pickle that fills `bytes` from the first to the last. `name` is how errors call the file.
// kBadInput: truncated, malformed or over a limit.
[[nodiscard]] Result<PickleDocument> read_pickle(std::string bytes, const std::string& name);
[[nodiscard]] Result<PickleDocument> read_pickle_file(const std::filesystem::path& path);

}  // namespace maeil::format
