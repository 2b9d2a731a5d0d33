// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/rsa_key.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/base64.hpp"

namespace syncline::auth {

namespace {

constexpr std::size_t max_pem_octets = 1024 * 1024;

/// An encrypted key must fail here and never ask on a terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};

}  // namespace

Result<RsaKey> RsaKey::load(const Secret& pem) {
  const std::string_view text = pem.reveal();
  if (text.size() > max_pem_octets) return fail(ErrorDomain::auth, "bad-key", "The private key is too long");
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  RsaKey loaded;
  loaded.key_.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
  if (!loaded.key_) {
    ERR_clear_error();
    return fail(ErrorDomain::auth, "bad-key", "The private key is not PEM text, or it is encrypted");
  }
  if (EVP_PKEY_get_base_id(loaded.key_.get()) != EVP_PKEY_RSA || EVP_PKEY_get_bits(loaded.key_.get()) < 2048)
    return fail(ErrorDomain::auth, "bad-key", "The private key must be RSA with at least 2048 bits");
  return loaded;
}

Result<std::string> RsaKey::sign_jwt(AssertionAlgorithm algorithm, std::string_view header,
                                     std::string_view claims) const {
  const std::string signed_part = base64url_encode(header) + "." + base64url_encode(claims);
  const std::unique_ptr<EVP_MD_CTX, FreeDigestContext> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // owned by the digest context
  bool good = context != nullptr &&
              EVP_DigestSignInit(context.get(), &parameters, EVP_sha256(), nullptr, key_.get()) == 1;
  if (good && algorithm == AssertionAlgorithm::ps256) {
    good = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  const auto* octets = reinterpret_cast<const unsigned char*>(signed_part.data());
  std::size_t length = 0;
  good = good && EVP_DigestSign(context.get(), nullptr, &length, octets, signed_part.size()) == 1;
  std::string signature(length, '\0');
  good = good && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                                octets, signed_part.size()) == 1;
  if (!good) return fail(ErrorDomain::auth, "signing-failed", "The assertion could not be signed");
  signature.resize(length);
  return signed_part + "." + base64url_encode(signature);
}

}  // namespace syncline::auth
