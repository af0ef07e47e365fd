// The nodes behind pickle.h. Only pickle*.cc include this file.
//
// Invariant: every index a node holds is smaller than nodes.size(), and every view points into `bytes` or
// `decoded`.
#pragma once

#include <boost/container/deque.hpp>
#include <deque>
#include <memory_resource>

#include "format/pickle.h"

namespace maeil::format {

inline constexpr uint32_t kNoNode = UINT32_MAX;

// What only containers, classes and objects have. Most nodes are numbers and texts, and do without.
struct PickleParts {
  std::string_view name;             // kGlobal, named kOpaque: the name in the module
  uint32_t cls = kNoNode;            // kObject: a kGlobal; called kOpaque: what was called
  uint32_t state = kNoNode;          // what BUILD gave
  uint32_t arguments = kNoNode;      // kObject: a kTuple; kPersistent: the id itself
  std::pmr::vector<uint32_t> items;  // kList, kTuple, kSet, kObject
  std::pmr::vector<uint32_t> pairs;  // kDict, kObject: key, value, key, value ...

  explicit PickleParts(std::pmr::memory_resource* memory = std::pmr::null_memory_resource())
      : items(memory), pairs(memory) {}
};
inline const PickleParts kNoParts;

struct PickleNode {
  PickleKind kind = PickleKind::kNone;
  union {
    int64_t integer = 0;  // kBool, kInteger; kGlobal: the position of its PickleRule
    double real;          // kReal
  };
  std::string_view text;        // kText, kBytes, kBigInteger; kGlobal, named kOpaque: the module
  PickleParts* made = nullptr;  // in the tree's memory, and released with it

  const PickleParts& parts() const { return made ? *made : kNoParts; }
};

struct PickleTree {
  // a file's hundred thousand small lists are made and released at once
  std::pmr::monotonic_buffer_resource memory;
  std::string bytes;
  std::deque<std::string> decoded;  // texts that differ from their bytes in the file
  // Many nodes to a block: std::deque takes one from the system for every four.
  boost::container::deque<PickleNode, void,
                          boost::container::deque_options_t<boost::container::block_size<1024u>>>
      nodes;
  uint32_t root = kNoNode;
};

}  // namespace maeil::format
