// `maeil store copy`: everything from one store into another, both ways.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/store_name.h"
#include "loop/datasets.h"
#include "store/copy.h"

namespace maeil::cli {
namespace {

tl::unexpected<Error> same_store() { return usage_error("--from and --to name the same store"); }

// One host has several names; those of this machine are known. A copy is sure by its locks, a dry run has no
// more than this.
std::string address(const store::Store& store) {
  std::string text = store.description();
  for (const std::string_view local : {"localhost", "[::1]"}) {
    if (const size_t at = text.find(local); at != std::string::npos)
      text.replace(at, local.size(), "127.0.0.1");
  }
  return text;
}

Status check_folder(const StoreName& name) {
  const std::filesystem::path path(name.file);
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (!name.is_file() || ::access(folder.c_str(), W_OK | X_OK) == 0) return {};
  return io_error(
      fmt::format("cannot make the store {}: {}", name.file, std::generic_category().message(errno)));
}

// Null when nothing is there yet. Writes nothing, so that a target that is refused is left as it was.
Result<std::unique_ptr<store::Store>> open_target(const StoreName& name) {
  auto target = open_store(name, Access::kRead);
  if (target || target.error().code != ErrorCode::kNotFound) return target;
  MAEIL_TRY(check_folder(name));
  return nullptr;
}

Status copy_into(store::Store& from, const store::Contents& source, store::Store& to,
                 const std::string& holder, const store::CopyProgress& progress) {
  const auto lock = loop::lock_all_datasets(to, holder);
  // By whatever address: who has it is the lock that this process took in the source.
  if (!lock && lock.error().message.find(holder) != std::string::npos) return same_store();
  if (!lock) return tl::unexpected<Error>(lock.error());
  return store::copy_store(from, source, to, progress);
}

void print_contents(const store::Contents& contents) {
  for (const auto& [name, c] : contents.collections)
    print_line(fmt::format("{:<22} {:>9} documents {:>9} rows  {}", name, c.documents, c.rows, c.digest));
  print_line(fmt::format("{} blobs, {:.1f} MB", contents.blobs.size(),
                         static_cast<double>(contents.blob_bytes) / 1e6));
  for (const auto& what : contents.skipped) print_line(fmt::format("not copied: {}", what));
}

store::Document to_json(const store::Contents& contents, bool dry_run) {
  auto collections = store::Document::array();
  for (const auto& [name, c] : contents.collections)
    collections.push_back(
        {{"name", name}, {"documents", c.documents}, {"rows", c.rows}, {"digest", c.digest}});
  return {{"dry_run", dry_run},
          {"collections", collections},
          {"blobs", contents.blobs.size()},
          {"blob_bytes", contents.blob_bytes},
          {"skipped", contents.skipped}};
}

Result<StoreName> name_of(const char* option, const std::string& text, const Settings& settings) {
  auto name = parse_store_name(text, settings);
  if (!name) return with_context(option, name.error());
  return name;
}

}  // namespace

Result<int> store_copy(Context& context, const StoreCopyOptions& options) {
  MAEIL_ASSIGN(const StoreName from_name, name_of("--from", options.from, context.settings));
  MAEIL_ASSIGN(const StoreName to_name, name_of("--to", options.to, context.settings));
  if (is_same_file(from_name, to_name)) return same_store();
  MAEIL_ASSIGN(const auto from, open_store(from_name, options.dry_run ? Access::kRead : Access::kExisting));
  MAEIL_ASSIGN(auto to, open_target(to_name));
  if (to && address(*from) == address(*to)) return same_store();
  const std::string holder = fmt::format("maeil store copy {}", store::new_object_id(now()).substr(16));
  std::vector<std::unique_ptr<store::Lock>> from_locks;
  if (!options.dry_run) {
    MAEIL_ASSIGN(from_locks, loop::lock_all_datasets(*from, holder));
  }
  Progress bar(!context.json);
  const auto progress = [&](std::string_view what, uint64_t done, uint64_t total) {
    bar.update(what, done, total);
  };
  MAEIL_ASSIGN(const store::Contents source, store::survey(*from, progress));
  if (source.empty())
    return not_found(
        fmt::format("{} holds nothing that could be copied: is it the right one?", from->description()));
  store::Present present;
  if (to) {
    MAEIL_ASSIGN(present, store::check_target(*from, source, *to, progress));
  }
  std::string target = to ? to->description() : to_name.shown();
  if (!options.dry_run) {
    to.reset();
    MAEIL_ASSIGN(to, open_store(to_name));
    MAEIL_TRY(copy_into(*from, source, *to, holder, progress));
    target = to->description();
  }
  bar.finish();
  if (context.json) {
    print_json(to_json(source, options.dry_run));
    return 0;
  }
  print_contents(source);
  if (options.dry_run) {
    print_line(fmt::format("nothing was written; without --dry-run this goes from {} to {}, which {}",
                           from->description(), target,
                           present.empty() ? "is empty" : "holds a part of it, or all"));
  } else {
    print_line(fmt::format("copied from {} to {}; both hold the same{}", from->description(), target,
                           source.skipped.empty() ? "" : " but for what was not copied"));
  }
  return 0;
}

}  // namespace maeil::cli
