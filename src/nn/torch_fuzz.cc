// Any bytes as a model's file: found, opened, all its tensors read, and taken for a TabTransformer. A zip's
// checksums keep mutations out of what lies in it, so bytes that do not begin as a file of ours are the
// pickle inside an archive whose storages are there.
#include "format/zip.h"
#include "nn/checkpoint.h"

namespace maeil {
namespace {

void read_everything(std::string_view bytes) {
  const auto file = format::open_checkpoint(bytes, "f");
  if (!file) return;
  const auto& dicts = (*file)->dicts();
  for (size_t d = 0; d < dicts.size(); ++d)
    for (size_t t = 0; t < dicts[d].names.size() && t < 100; ++t) (void)(*file)->read(d, t);
  (void)(*file)->value("metadata");
  (void)nn::load_parameters(**file, 4);
}

}  // namespace
}  // namespace maeil

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  maeil::read_everything(bytes);
  if (bytes.starts_with("\x80")) {
    const auto zip = maeil::format::write_stored_zip({{"f/data.pkl", std::string(bytes)},
                                                      {"f/byteorder", "little"},
                                                      {"f/data/0", std::string(256, '\1')},
                                                      {"f/data/1", std::string(64, '\2')},
                                                      {"f/version", "3\n"}});
    if (zip) maeil::read_everything(*zip);
  }
  return 0;
}
