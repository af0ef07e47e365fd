// A file of text as UTF-8, whatever it was: decompressed (gzip, zstd), decoded, its byte order mark taken
// off.
//
// What is UTF-8 and not compressed is mapped as it lies. Anything else goes once, a piece at a time, through
// a temporary file that nobody else sees and that is gone with the object, also after kill -9: memory stays
// small at any size.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace maeil::format {

enum class Compression { kNone, kGzip, kZstd };

struct EncodingGuess {
  std::string name;    // as iconv has it: "UTF-8", "UTF-16LE", "CP949", "WINDOWS-1252" ...
  std::string reason;  // "a byte order mark", "every byte fits", ...
  bool clear = true;   // false: other encodings give other letters, and nothing in the bytes decides
};

// From all bytes of a file, unpacked: UTF-8 is what fits to the end. ASCII is UTF-8.
EncodingGuess guess_encoding(std::string_view bytes);

// What becomes of a file whose letters are UTF-8 but for a few bytes, as where rows of two programs were put
// together: an error, or the text as it lies, for readers that check each record.
enum class Damage { kRefuse, kKeep };

// Immutable but for release(), so threads may share it.
class TextFile {
 public:
  // `encoding`: as iconv has it, in any case of letters; "": guessed. kNotFound, kIo (no room for the
  // temporary file, too), kUsage: no such encoding; kBadInput, with the byte's place: damaged compression,
  // bytes that the encoding has not.
  static Result<TextFile> open(const std::filesystem::path& path, const std::string& encoding = "");
  // The same of an open file, called `label` in messages.
  static Result<TextFile> read(MappedFile file, const std::string& label, const std::string& encoding = "",
                               Damage damage = Damage::kRefuse);
  // UTF-8 that nobody looks at: what maeil itself wrote.
  static TextFile own(MappedFile file);

  std::string_view bytes() const { return text_; }
  const EncodingGuess& encoding() const { return encoding_; }
  Compression compression() const { return compression_; }
  // As MappedFile's: gives the memory of the first `bytes` of the text back. rewind(): the text is read from
  // its start again, and released again.
  void release(size_t bytes);
  void rewind() { released_ = 0; }

 private:
  TextFile(MappedFile file, std::string_view text, EncodingGuess encoding, Compression compression)
      : file_(std::move(file)), text_(text), encoding_(std::move(encoding)), compression_(compression) {}
  MappedFile file_;  // the mapping that text_ lies in
  std::string_view text_;
  EncodingGuess encoding_;
  Compression compression_;
  size_t released_ = 0;
};

}  // namespace maeil::format
