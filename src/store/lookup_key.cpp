// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/lookup_key.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <memory>
#include <new>

namespace syncline::store {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

/// With its algorithm set: beginning anew with the same spares OpenSSL 3 the look-up.
Context initialised() {
  Context context(EVP_MD_CTX_new());
  if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
  return context;
}

}  // namespace

std::int64_t lookup_key(std::string_view text) {
  thread_local const Context context = initialised();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  if (EVP_DigestInit_ex(context.get(), nullptr, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), text.data(), text.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1)
    throw std::bad_alloc();
  std::uint64_t key = 0;
  for (int i = 0; i < 8; ++i) key = key << 8 | digest[static_cast<std::size_t>(i)];
  return static_cast<std::int64_t>(key);
}

std::string octets_id(std::string_view sha256) {
  return "sha256:" + std::string(sha256);
}

}  // namespace syncline::store
