#include "format/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <iconv.h>
#include <sys/mman.h>
#include <uchardet.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <system_error>
#include <vector>

#include "format/csv.h"

namespace maeil::format {
namespace {

constexpr size_t kPiece = 1 << 20;
constexpr size_t kSample = 4 << 20;  // of bytes that are not UTF-8, for the guess

using Sink = std::function<Status(std::string_view)>;

// A file without a name.
class Scratch {
 public:
  static Result<Scratch> create() {
    std::error_code none;
    const auto folder = std::filesystem::temp_directory_path(none);
    if (none)
      return io_error(fmt::format("TMPDIR names no folder to unpack the file in: {}", none.message()));
    std::string name = (folder / "maeil-XXXXXX").string();
    const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor < 0) return io_error(fmt::format("{}: {}", name, std::strerror(errno)));
    ::unlink(name.c_str());
    return Scratch(descriptor, name);
  }
  Scratch(Scratch&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), name_(std::move(other.name_)) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  Status write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(descriptor_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        return io_error(
            fmt::format("{}, where the file is unpacked to read it: {} (TMPDIR names another folder)",
                        std::filesystem::path(name_).parent_path().string(), std::strerror(errno)));
      }
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return {};
  }
  Result<MappedFile> map() const { return MappedFile::open(fmt::format("/proc/self/fd/{}", descriptor_)); }

 private:
  Scratch(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}
  int descriptor_;
  std::string name_;
};

tl::unexpected<Error> damaged(const std::string& label, const char* what, size_t at) {
  return bad_input(
      fmt::format("{}: byte {}: the {} data is damaged or cut off: get the file again", label, at, what));
}

Status gunzip(std::string_view bytes, const std::string& label, const Sink& sink) {
  std::vector<char> out(kPiece);
  z_stream z{};
  if (inflateInit2(&z, 15 + 16) != Z_OK) return internal_error("zlib does not start");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&z, inflateEnd);
  size_t at = 0;
  bool between = false;  // members: a gzip file may be several, one after another
  while (at < bytes.size()) {
    const size_t n = std::min<size_t>(bytes.size() - at, 1 << 30);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + at));
    z.avail_in = static_cast<uInt>(n);
    int state = Z_OK;
    while (z.avail_in > 0 && state == Z_OK) {
      between = false;
      z.next_out = reinterpret_cast<Bytef*>(out.data());
      z.avail_out = static_cast<uInt>(out.size());
      state = inflate(&z, Z_NO_FLUSH);
      if (state != Z_OK && state != Z_STREAM_END) return damaged(label, "gzip", at + n - z.avail_in);
      MAEIL_TRY(sink({out.data(), out.size() - z.avail_out}));
    }
    at += n - z.avail_in;
    if (state == Z_STREAM_END) {
      between = true;
      const bool more = at + 1 < bytes.size() && bytes.substr(at, 2) == "\x1f\x8b";
      if (!more) break;  // padding, as tapes have it, is no data
      inflateReset(&z);
    }
  }
  return between ? Status{} : damaged(label, "gzip", bytes.size());
}

Status unpack_zstd(std::string_view bytes, const std::string& label, const Sink& sink) {
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                        ZSTD_freeDStream);
  std::vector<char> out(ZSTD_DStreamOutSize());
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  size_t left = 1;
  while (in.pos < in.size || left > 0) {
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const size_t before = in.pos;
    left = ZSTD_decompressStream(stream.get(), &to, &in);
    if (ZSTD_isError(left) && ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge) {
      return bad_input(fmt::format(
          "{}: its window is larger than 128 MiB (zstd --long): unpack it with zstd first", label));
    }
    if (ZSTD_isError(left) || (in.pos == before && to.pos == 0)) return damaged(label, "zstd", in.pos);
    MAEIL_TRY(sink({out.data(), to.pos}));
  }
  return {};
}

class Decoder {
 public:
  explicit Decoder(const std::string& encoding) : handle_(::iconv_open("UTF-8", encoding.c_str())) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() {
    if (known()) ::iconv_close(handle_);
  }
  bool known() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  // Where the first byte is that the encoding has not; bytes.size(): none. `cut`: the end may be half a
  // letter.
  Result<size_t> decode(std::string_view bytes, bool cut, const Sink& sink) {
    std::vector<char> out(kPiece);
    char* in = const_cast<char*>(bytes.data());
    size_t left = bytes.size();
    while (left > 0) {
      char* to = out.data();
      size_t room = out.size();
      const bool failed = ::iconv(handle_, &in, &left, &to, &room) == static_cast<size_t>(-1);
      const int why = errno;
      MAEIL_TRY(sink({out.data(), out.size() - room}));
      if (failed && why == EINVAL && cut) break;
      if (failed && why != E2BIG) return bytes.size() - left;
    }
    if (!cut) {  // a letter that waited for what may follow it
      char* to = out.data();
      size_t room = out.size();
      ::iconv(handle_, nullptr, nullptr, &to, &room);
      MAEIL_TRY(sink({out.data(), out.size() - room}));
    }
    return bytes.size();
  }

 private:
  iconv_t handle_;
};

bool decodes(std::string_view sample, const std::string& encoding) {
  Decoder decoder(encoding);
  if (!decoder.known()) return false;
  const auto end = decoder.decode(sample, true, [](std::string_view) -> Status { return {}; });
  return end && *end == sample.size();
}

// The share of the letters beyond ASCII that are Hangul syllables; 0 where the sample is no CP949.
double hangul_share(std::string_view sample) {
  std::string text;
  Decoder decoder("CP949");
  const auto end = decoder.decode(sample, true, [&](std::string_view piece) -> Status {
    text += piece;
    return {};
  });
  if (!end || *end != sample.size()) return 0;
  size_t hangul = 0, all = 0;
  for (size_t i = 0; i + 2 < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0xC0) continue;
    ++all;  // U+AC00 to U+D7A3 begin with EA B0 ... to ED 9E ...
    const auto next = static_cast<unsigned char>(text[i + 1]);
    hangul += (c == 0xEA && next >= 0xB0) || c == 0xEB || c == 0xEC || (c == 0xED && next <= 0x9E);
  }
  return all == 0 ? 0 : static_cast<double>(hangul) / static_cast<double>(all);
}

// Whether most bytes beyond ASCII stand before one of ASCII, as in encodings of one byte a letter: nearly all
// syllables of Korean have two bytes beyond it.
bool mostly_single(std::string_view sample) {
  size_t pairs = 0, singles = 0;
  for (size_t i = 0; i < sample.size(); ++i) {
    if ((sample[i] & 0x80) == 0) continue;
    const bool pair = i + 1 < sample.size() && (sample[i + 1] & 0x80) != 0;
    ++(pair ? pairs : singles);
    i += pair;
  }
  return singles > pairs;
}

std::string detect(std::string_view sample) {
  const std::unique_ptr<struct uchardet, void (*)(uchardet_t)> detector(uchardet_new(), uchardet_delete);
  uchardet_handle_data(detector.get(), sample.data(), sample.size());
  uchardet_data_end(detector.get());
  std::string name = uchardet_get_charset(detector.get());
  if (name == "EUC-KR" || name == "UHC") name = "CP949";  // which has the letters of both
  if (name == "ISO-8859-1" || name == "ASCII") name = "WINDOWS-1252";
  return name;
}

constexpr std::array<std::pair<std::string_view, const char*>, 5> kMarks = {{
    {std::string_view("\xff\xfe\0\0", 4), "UTF-32LE"},
    {std::string_view("\0\0\xfe\xff", 4), "UTF-32BE"},
    {kUtf8Bom, "UTF-8"},
    {"\xff\xfe", "UTF-16LE"},
    {"\xfe\xff", "UTF-16BE"},
}};

std::string_view mark_of(std::string_view bytes, const std::string& encoding) {
  for (const auto& [mark, name] : kMarks) {
    if (name == encoding && bytes.starts_with(mark)) return mark;
  }
  return {};
}

Result<MappedFile> unpack(MappedFile packed, const std::string& label, Compression& compression) {
  const std::string_view bytes = packed.bytes();
  if (bytes.starts_with("\x1f\x8b")) compression = Compression::kGzip;
  if (bytes.starts_with("\x28\xb5\x2f\xfd")) compression = Compression::kZstd;
  if (compression == Compression::kNone) return packed;
  MAEIL_ASSIGN(Scratch scratch, Scratch::create());
  const Sink sink = [&](std::string_view piece) { return scratch.write(piece); };
  MAEIL_TRY(compression == Compression::kGzip ? gunzip(bytes, label, sink) : unpack_zstd(bytes, label, sink));
  return scratch.map();
}

// Gives the memory of the first bytes of a mapping back; `released` of them were given back before.
void release_pages(std::string_view mapping, size_t bytes, size_t& released) {
  constexpr size_t kStep = 8 << 20;  // a system call for each chunk of a file would cost more than it gives
  const size_t end = std::min(bytes, mapping.size()) / kStep * kStep;
  if (end <= released) return;
  ::madvise(const_cast<char*>(mapping.data()) + released, end - released, MADV_DONTNEED);
  released = end;
}

// is_utf8 of a file of any size in little memory. What UTF-16 looks like is not asked here.
bool fits_utf8(std::string_view bytes) {
  constexpr size_t kStep = 32 << 20;
  size_t released = 0;
  bool fits = true;
  for (size_t at = 0; at < bytes.size() && fits;) {
    size_t end = std::min(at + kStep, bytes.size());
    for (int i = 0; i < 3 && end < bytes.size() && (bytes[end] & 0xC0) == 0x80; ++i) --end;
    fits = is_utf8(bytes.substr(at, end - at));
    release_pages(bytes, at = end, released);
  }
  return fits;
}

// Ten letters that fit for each byte that does not: in text of another encoding few pairs of bytes fit.
bool is_mostly_utf8(std::string_view bytes) {
  uint64_t fit = 0, unfit = 0;
  for (size_t i = 0; i < bytes.size();) {
    const auto c = static_cast<unsigned char>(bytes[i]);
    if (c < 0x80) {
      ++i;
      continue;
    }
    const size_t size = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    const bool fits = is_utf8(bytes.substr(i, size));
    ++(fits ? fit : unfit);
    i += fits ? size : 1;
  }
  return fit > 0 && fit >= 10 * unfit;
}

}  // namespace

EncodingGuess guess_encoding(std::string_view bytes) {
  for (const auto& [mark, name] : kMarks) {
    if (bytes.starts_with(mark)) return {name, "its byte order mark", true};
  }
  const std::string_view start = bytes.substr(0, kSample);
  size_t zeros[2] = {0, 0};
  for (size_t i = 0; i < std::min<size_t>(start.size(), 4096); ++i) zeros[i % 2] += start[i] == '\0';
  const size_t many = std::min<size_t>(start.size(), 4096) / 8;
  if (zeros[1] > many && zeros[0] * 4 < zeros[1]) return {"UTF-16LE", "every second byte is zero", true};
  if (zeros[0] > many && zeros[1] * 4 < zeros[0]) return {"UTF-16BE", "every second byte is zero", true};
  if (is_utf8(bytes)) return {"UTF-8", "every byte fits", true};
  // From some lines before the first byte beyond ASCII on, so that the sample has letters to judge by.
  const auto first = std::ranges::find_if(bytes, [](char c) { return (c & 0x80) != 0; });
  const size_t from = static_cast<size_t>(first - bytes.begin());
  const std::string_view sample = bytes.substr(from, kSample);
  const std::string name = detect(sample);
  // Bytes of Japanese and Chinese read as Korean give Hangul, too.
  constexpr std::string_view kWide[] = {"SHIFT_JIS", "EUC-JP", "GB18030", "BIG5", "EUC-TW"};
  const bool wide = std::ranges::find(kWide, name) != std::end(kWide);
  const bool korean = hangul_share(sample) >= 0.5 && !mostly_single(sample);
  if (korean && !wide) return {"CP949", "its letters are Hangul", true};
  if (!name.empty() && decodes(sample, name)) return {name, "the frequency of its letters", wide && !korean};
  return {decodes(sample, "WINDOWS-1252") ? "WINDOWS-1252" : "ISO-8859-1", "no other fits", false};
}

Result<TextFile> TextFile::open(const std::filesystem::path& path, const std::string& asked) {
  MAEIL_ASSIGN(MappedFile file, MappedFile::open(path));
  return read(std::move(file), path.string(), asked);
}

void TextFile::release(size_t bytes) {
  release_pages(file_.bytes(), static_cast<size_t>(text_.data() - file_.bytes().data()) + bytes, released_);
}

TextFile TextFile::own(MappedFile file) {
  const std::string_view bytes = file.bytes();
  return {std::move(file), bytes, {"UTF-8", "maeil wrote it", true}, Compression::kNone};
}

Result<TextFile> TextFile::read(MappedFile file, const std::string& label, const std::string& asked,
                                Damage damage) {
  std::string encoding = asked;
  for (char& c : encoding) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (encoding == "UTF8") encoding = "UTF-8";
  Compression compression = Compression::kNone;
  MAEIL_ASSIGN(MappedFile plain, unpack(std::move(file), label, compression));
  EncodingGuess guess{encoding, "as was said", true};
  const bool zeros = plain.bytes().substr(0, 4096).find('\0') != std::string_view::npos;
  bool fits = (encoding == "UTF-8" || (encoding.empty() && !zeros)) && fits_utf8(plain.bytes());
  if (encoding.empty()) {
    guess = fits ? EncodingGuess{"UTF-8", "every byte fits", true} : guess_encoding(plain.bytes());
    if (!fits && guess.name == "UTF-8") fits = is_utf8(plain.bytes());
  }
  if (damage == Damage::kKeep && !fits &&
      (encoding == "UTF-8" ||
       (encoding.empty() && !guess.name.starts_with("UTF") && is_mostly_utf8(plain.bytes())))) {
    if (encoding.empty()) guess = {"UTF-8", "most letters fit", true};
    fits = true;
  }
  const size_t mark = mark_of(plain.bytes(), guess.name).size();
  const std::string_view text = plain.bytes().substr(mark);
  if (fits) return TextFile(std::move(plain), text, guess, compression);
  Decoder decoder(guess.name);
  if (!decoder.known())
    return usage_error(fmt::format("there is no encoding '{}' (`iconv -l` lists them)", asked));
  MAEIL_ASSIGN(Scratch scratch, Scratch::create());
  MAEIL_ASSIGN(const size_t end,
               decoder.decode(text, false, [&](std::string_view piece) { return scratch.write(piece); }));
  if (end < text.size()) {
    return bad_input(fmt::format("{}: byte {} is no {}: name the encoding that the file was written in",
                                 label, mark + end, guess.name));
  }
  MAEIL_ASSIGN(MappedFile decoded, scratch.map());
  const std::string_view bytes = decoded.bytes();
  return TextFile(std::move(decoded), bytes, guess, compression);
}

}  // namespace maeil::format
