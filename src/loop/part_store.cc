#include "loop/part_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "format/json.h"
#include "loop/day.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

// a chunk of rows or a split's scores are far smaller; a damaged length is not believed
constexpr uint64_t kMaxFrameBytes = 1 << 30;

// Every field that somebody reads from a part, whichever task it is of.
Status check_part(const store::Document& part) {
  using Kind = store::FieldKind;
  return store::check_fields(kParts, part,
                             {{"shard", Kind::kCount},
                              {"of", Kind::kCount},
                              {"file_id", Kind::kId},
                              {"rows", Kind::kCount},
                              {"quarantined", Kind::kCount},
                              {"bytes", Kind::kCount},
                              {"offsets[]", Kind::kCount},
                              {"counts", Kind::kObject},
                              {"counts.unseen[]", Kind::kCount},
                              {"counts.nulls[]", Kind::kCount},
                              {"counts.out_of_range[]", Kind::kCount},
                              {"examples[].line", Kind::kCount},
                              {"examples[].reason", Kind::kText}});
}

std::string part_id(const dag::TaskContext& context, const dag::Shard& part) {
  return store::task_object_id(context.name_of(part).key(), kParts, 0);
}

}  // namespace

RowRange range_of(const dag::Shard& shard, uint64_t total, uint64_t step) {
  if (!shard.is_part()) return {0, total};
  const auto n = static_cast<uint64_t>(shard.count), i = static_cast<uint64_t>(shard.index);
  const uint64_t steps = total / step + (total % step != 0);
  const auto border = [&](uint64_t k) { return std::min(total, (steps / n * k + steps % n * k / n) * step); };
  return {border(i - 1), border(i) - border(i - 1)};
}

Result<PartWriter> PartWriter::begin(dag::TaskContext& context) {
  MAEIL_ASSIGN(auto blob,
               context.store.write_blob(context.task_id + context.shard.suffix(), {{"type", "task_part"}}));
  return PartWriter(std::move(blob));
}

Status PartWriter::write_frame(const store::Document& frame) {
  const std::vector<uint8_t> bytes = store::Document::to_cbor(frame);
  const uint64_t length = bytes.size();
  char head[sizeof length];
  std::memcpy(head, &length, sizeof length);
  MAEIL_TRY(blob_->write({head, sizeof head}));
  return blob_->write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Result<dag::TaskOutcome> PartWriter::finish(dag::TaskContext& context, const store::Document& inputs,
                                            store::Document facts, std::string message) {
  MAEIL_ASSIGN(const std::string file_id, blob_->finish());
  store::Document part = {{"task", context.task_id},
                          {"shard", context.shard.index},
                          {"of", context.shard.count},
                          {"inputs", inputs},
                          {"file_id", store::id_value(file_id)}};
  part.update(facts);
  part = stamped(context, kParts, std::move(part));
  MAEIL_ASSIGN(const Instant at, context.store.time());  // `maeil prune` on another machine compares it
  part["timestamp"] = store::date_value(at);
  part["_id"] = store::id_value(part_id(context, context.shard));
  // not the task's: what the merging step commits must not take the parts with it
  part["task_key"] = context.name().key();
  dag::TaskOutcome out;
  out.message = std::move(message);
  out.batch.puts.push_back({kParts, std::move(part)});
  return out;
}

Result<std::vector<store::Document>> read_parts(dag::TaskContext& context, const store::Document& inputs) {
  std::vector<store::Document> parts;
  for (int i = 1; i <= context.shard.count; ++i) {
    const dag::Shard shard{i, context.shard.count};
    const std::string name = fmt::format("shard {}/{} of {} for {}", i, shard.count, context.task_id,
                                         format_date(context.logical_date));
    store::FindOptions by_id;
    by_id.filter = {{"_id", store::id_value(part_id(context, shard))}};
    MAEIL_ASSIGN(auto part, context.store.find_one(kParts, by_id));
    if (part.is_null())
      return not_found(
          fmt::format("{} has not been run: run it with --shard {}/{} first", name, i, shard.count));
    MAEIL_TRY(check_part(part));
    if (part.value("inputs", store::Document()) != inputs) {
      return fail(
          ErrorCode::kConflict,
          fmt::format("{} was made from something else ({}) than what is wanted now ({}): run it again", name,
                      part.value("inputs", store::Document()).dump(), inputs.dump()));
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

Status read_part(dag::TaskContext& context, const store::Document& part,
                 const std::function<Status(std::string_view)>& sink) {
  return context.store.read_blob(store::id_text(part.value("file_id", store::Document())), sink);
}

Status read_part_frames(dag::TaskContext& context, const store::Document& part,
                        const std::function<Status(const store::Document&)>& visit) {
  const auto damaged = [&] {
    return bad_input(fmt::format("shard {}/{} of {} is damaged: run it again", part.value("shard", 0),
                                 part.value("of", 0), context.task_id));
  };
  std::string buffer;
  MAEIL_TRY(read_part(context, part, [&](std::string_view bytes) -> Status {
    buffer += bytes;
    size_t at = 0;
    uint64_t length = 0;
    while (buffer.size() - at >= sizeof length) {
      std::memcpy(&length, buffer.data() + at, sizeof length);
      if (length > kMaxFrameBytes) return damaged();
      if (buffer.size() - at - sizeof length < length) break;
      const char* first = buffer.data() + at + sizeof length;
      const auto frame = parse_cbor<store::Document>({first, length}, "a shard's part");
      if (!frame || !frame->is_object()) return damaged();
      MAEIL_TRY(visit(*frame));
      at += sizeof length + length;
    }
    buffer.erase(0, at);
    return {};
  }));
  return buffer.empty() ? Status{} : damaged();
}

}  // namespace maeil::loop
