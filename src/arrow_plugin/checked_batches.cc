#include "arrow_plugin/checked_batches.h"

#include <arrow/array.h>
#include <arrow/array/validate.h>
#include <arrow/type.h>

#include "arrow_plugin/status.h"

namespace maeil::arrow_plugin {
namespace {

// A text type as the bytes that it is: their validation does not ask for UTF-8.
std::shared_ptr<arrow::DataType> as_bytes(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::STRING:
      return arrow::binary();
    case arrow::Type::LARGE_STRING:
      return arrow::large_binary();
    case arrow::Type::STRING_VIEW:
      return arrow::binary_view();
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryType&>(*type);
      return arrow::dictionary(dictionary.index_type(), as_bytes(dictionary.value_type()),
                               dictionary.ordered());
    }
    default:
      return type;
  }
}

std::shared_ptr<arrow::ArrayData> as_bytes(const arrow::ArrayData& data) {
  auto out = data.Copy();
  out->type = as_bytes(data.type);
  if (data.dictionary) out->dictionary = as_bytes(*data.dictionary);
  return out;
}

arrow::Status check(const arrow::RecordBatch& batch) {
  for (int c = 0; c < batch.num_columns(); ++c) {
    const auto data = batch.column_data(c);
    if (data->length != batch.num_rows()) {
      return arrow::Status::Invalid("column '", batch.column_name(c), "' has ", data->length,
                                    " rows in a batch of ", batch.num_rows());
    }
    // First that there are such buffers at all, which the other check relies upon.
    ARROW_RETURN_NOT_OK(arrow::internal::ValidateArray(*as_bytes(*data)));
    const auto status = arrow::internal::ValidateArrayFull(*as_bytes(*data));
    if (!status.ok()) return status.WithMessage("column '", batch.column_name(c), "': ", status.message());
  }
  return arrow::Status::OK();
}

class Checked : public arrow::RecordBatchReader {
 public:
  Checked(std::shared_ptr<arrow::RecordBatchReader> from, std::shared_ptr<void> owner)
      : owner_(std::move(owner)), from_(std::move(from)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return from_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    return guarded([&]() -> arrow::Status {
      ARROW_RETURN_NOT_OK(from_->ReadNext(out));
      if (!*out) return arrow::Status::OK();
      if (!(*out)->schema()->Equals(*from_->schema(), false))
        return arrow::Status::Invalid("a batch has other columns than the file");
      return check(**out);
    });
  }

 private:
  std::shared_ptr<void> owner_;  // goes after what reads from it
  std::shared_ptr<arrow::RecordBatchReader> from_;
};

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> checked(std::shared_ptr<arrow::RecordBatchReader> from,
                                                  std::shared_ptr<void> owner) {
  return std::make_shared<Checked>(std::move(from), std::move(owner));
}

}  // namespace maeil::arrow_plugin
