// SPDX-License-Identifier: GPL-3.0-or-later
#include "vault/aead.hpp"

#include <openssl/evp.h>

#include <array>
#include <memory>

namespace syncline::vault {
namespace {

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* octets(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* octets(std::string& text) noexcept {
  return reinterpret_cast<unsigned char*>(text.data());
}

unexpected<Error> crypto_failed() {
  return fail(ErrorDomain::local, "crypto", "The cryptographic library refused to work");
}

/// Header and associated data together are authenticated: nobody can swap the version or the key's number.
bool add_associated(EVP_CIPHER_CTX* context, std::string_view header, std::string_view associated,
                    int (*update)(EVP_CIPHER_CTX*, unsigned char*, int*, const unsigned char*, int)) {
  int length = 0;
  return update(context, nullptr, &length, octets(header), static_cast<int>(header.size())) == 1 &&
         (associated.empty() ||
          update(context, nullptr, &length, octets(associated), static_cast<int>(associated.size())) == 1);
}

}  // namespace

Result<std::uint32_t> key_number_of(std::string_view sealed) {
  if (sealed.empty()) return fail(ErrorDomain::local, "bad-sealed", "A sealed value is empty");
  if (static_cast<unsigned char>(sealed[0]) > sealed_version) {
    return fail(ErrorDomain::local, "newer-sealed",
                "A sealed value was written by a newer version of this program");
  }
  if (static_cast<unsigned char>(sealed[0]) != sealed_version || sealed.size() < header_octets + tag_octets ||
      sealed.size() > header_octets + secret_limit_octets + tag_octets) {
    return fail(ErrorDomain::local, "bad-sealed", "A sealed value has not the shape of one");
  }
  std::uint32_t number = 0;
  for (std::size_t i = 1; i <= 4; ++i) number = number << 8U | static_cast<unsigned char>(sealed[i]);
  return number;
}

Result<std::string> seal(const Secret& key, std::uint32_t key_number, std::string_view associated,
                         std::string_view plain, Random& random) {
  if (plain.size() > secret_limit_octets || associated.size() > secret_limit_octets) {
    return fail(ErrorDomain::local, "too-large", "A secret is larger than 1 MiB");
  }
  if (key.reveal().size() != key_octets) return crypto_failed();
  std::string sealed(header_octets + plain.size() + tag_octets, '\0');
  sealed[0] = static_cast<char>(sealed_version);
  for (unsigned i = 0; i < 4; ++i) sealed[1 + i] = static_cast<char>(key_number >> (24U - 8U * i) & 0xFFU);
  std::array<std::byte, nonce_octets> nonce{};
  random.fill(nonce);
  for (std::size_t i = 0; i < nonce_octets; ++i) sealed[5 + i] = static_cast<char>(nonce[i]);

  const Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  unsigned char* const out = octets(sealed) + header_octets;
  int length = 0;
  if (!context ||
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, octets(key.reveal()),
                         octets(sealed) + 5) != 1 ||
      !add_associated(context.get(), std::string_view(sealed).substr(0, header_octets), associated,
                      &EVP_EncryptUpdate) ||
      (!plain.empty() &&
       EVP_EncryptUpdate(context.get(), out, &length, octets(plain), static_cast<int>(plain.size())) != 1) ||
      EVP_EncryptFinal_ex(context.get(), out + plain.size(), &length) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_octets, out + plain.size()) != 1) {
    return crypto_failed();
  }
  return sealed;
}

Result<Secret> open(const Secret& key, std::string_view associated, std::string_view sealed) {
  const auto number = key_number_of(sealed);
  if (!number) return fail(number.error());
  if (key.reveal().size() != key_octets || associated.size() > secret_limit_octets) return crypto_failed();
  const std::string_view cipher = sealed.substr(header_octets, sealed.size() - header_octets - tag_octets);
  std::string tag(sealed.substr(sealed.size() - tag_octets));
  std::string plain(cipher.size() + 1, '\0');

  const Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int length = 0;
  if (!context ||
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, octets(key.reveal()),
                         octets(sealed) + 5) != 1 ||
      !add_associated(context.get(), sealed.substr(0, header_octets), associated, &EVP_DecryptUpdate) ||
      (!cipher.empty() && EVP_DecryptUpdate(context.get(), octets(plain), &length, octets(cipher),
                                            static_cast<int>(cipher.size())) != 1) ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_octets, tag.data()) != 1) {
    wipe(plain);
    return crypto_failed();
  }
  int rest = 0;
  if (EVP_DecryptFinal_ex(context.get(), octets(plain) + length, &rest) != 1) {
    wipe(plain);
    return fail(ErrorDomain::local, "not-authentic", "A sealed value is not authentic");
  }
  plain.resize(cipher.size());
  return Secret(std::move(plain));
}

}  // namespace syncline::vault
