// Hashes: SHA-256 for what people compare and store, XXH3 for dictionaries and splits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace maeil {

// Incremental SHA-256 (OpenSSL). Not thread safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  void update(std::string_view bytes);
  std::string hex();  // 64 lower-case digits; ends the hash

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256_hex(std::string_view bytes);

// HMAC-SHA256 (RFC 2104), as 64 hex digits.
std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);

// XXH3, 64 bits. Stable across machines and versions.
uint64_t hash64(std::string_view bytes, uint64_t seed = 0);

}  // namespace maeil
