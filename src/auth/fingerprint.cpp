// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/fingerprint.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <span>

#include "base/random.hpp"

namespace syncline::auth {

namespace {

const std::array<std::byte, 32>& process_key() {
  static const std::array<std::byte, 32> key = [] {
    std::array<std::byte, 32> drawn{};
    system_random().fill(drawn);
    return drawn;
  }();
  return key;
}

}  // namespace

std::string secret_fingerprint(const Secret& secret) {
  const auto& key = process_key();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const std::string_view text = secret.reveal();
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < 16; ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 15];
  }
  return hex;
}

}  // namespace syncline::auth
