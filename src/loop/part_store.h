// The parts of a task that is cut into shards: what one shard made, kept until the merging step and a day
// longer. Who makes and merges them: run_in_shards.h.
//
// A part is a blob and a document of `task_parts` that names it: {task, shard, of, inputs, file_id, ...,
// task_key of the part}. A shard run again replaces its part; the merging step reads the parts and leaves
// them, so it may be run again too; `maeil prune` removes them by age. `inputs` is what the part was made
// from: parts of other settings, data or models are never put together.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dag/dag.h"
#include "store/store.h"

namespace maeil::loop {

inline constexpr const char* kParts = "task_parts";

// A shard's share of the rows 0 .. total - 1, cut at multiples of `step`; the shares of 1 .. n are all rows,
// in order. May be empty.
struct RowRange {
  uint64_t first = 0, count = 0;
  bool operator==(const RowRange&) const = default;
};
RowRange range_of(const dag::Shard& shard, uint64_t total, uint64_t step);

// The blob of a part in the making: frames, each of which is read back whole.
class PartWriter {
 public:
  static Result<PartWriter> begin(dag::TaskContext& context);
  Status write_frame(const store::Document& frame);                     // binary values included (CBOR)
  Status write(std::string_view bytes) { return blob_->write(bytes); }  // instead of frames: plain bytes
  // The part's document, with `facts` in it, as the shard's outcome.
  Result<dag::TaskOutcome> finish(dag::TaskContext& context, const store::Document& inputs,
                                  store::Document facts, std::string message);

 private:
  explicit PartWriter(std::unique_ptr<store::BlobWriter> blob) : blob_(std::move(blob)) {}
  std::unique_ptr<store::BlobWriter> blob_;
};

// The documents of all parts of the task that the context merges, in order. kNotFound names the first shard
// that has none, kConflict one that was made from other inputs.
Result<std::vector<store::Document>> read_parts(dag::TaskContext& context, const store::Document& inputs);

Status read_part(dag::TaskContext& context, const store::Document& part,
                 const std::function<Status(std::string_view)>& sink);
Status read_part_frames(dag::TaskContext& context, const store::Document& part,
                        const std::function<Status(const store::Document&)>& visit);

// Numbers as the machine holds them (little-endian), for frames.
template <class T>
store::Document packed(const std::vector<T>& values) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
  return store::Document::binary({bytes, bytes + values.size() * sizeof(T)});
}
// kBadInput when it is not a whole number of T.
template <class T>
Result<std::vector<T>> unpacked(const store::Document& value) {
  if (!value.is_binary() || value.get_binary().size() % sizeof(T) != 0)
    return bad_input("a part of a shard is damaged: run the shard again");
  const auto& bytes = value.get_binary();
  std::vector<T> out(bytes.size() / sizeof(T));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<uint8_t*>(out.data()));
  return out;
}

}  // namespace maeil::loop
