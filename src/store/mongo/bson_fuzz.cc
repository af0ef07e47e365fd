// Any bytes as what a server sends: a document (read, looked into and written again) and a journal.
#include "store/mongo/bson.h"
#include "store/mongo/change.h"
#include "store/mongo/control.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maeil::store;
  using namespace maeil::store::mongo;
  if (const auto changes = decode_changes({reinterpret_cast<const char*>(data), size})) {
    for (const Change& change : *changes) (void)forward(change), (void)backward(change, change.id);
    if (!decode_changes(encode_changes(*changes))) std::abort();
  }
  bson_t view;
  if (!bson_init_static(&view, data, size)) return 0;
  (void)batch_of(view);
  for (const bool restricted : {false, true}) {
    const auto document = from_bson(view, {restricted});
    if (!document) continue;
    (void)describe_holder(*document);
    (void)Identity::is_dead(member(*document, "owner"));
    (void)instant_member(*document, "since");
    (void)to_bson(*document, {restricted});
  }
  return 0;
}
