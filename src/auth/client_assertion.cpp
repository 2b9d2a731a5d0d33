// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/client_assertion.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <boost/json.hpp>
#include <chrono>

#include "base/base64.hpp"

namespace syncline::auth {

namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* handle) const noexcept {
    Free(handle);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

Bio read_only(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// An encrypted key must fail here and never ask on a terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

struct ClientCertificate::Key {
  std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>> handle;
};

Result<ClientCertificate> ClientCertificate::load(std::string_view certificate_pem,
                                                  const Secret& private_key_pem,
                                                  AssertionAlgorithm algorithm) {
  constexpr std::size_t max_pem_octets = 1024 * 1024;
  if (certificate_pem.size() > max_pem_octets || private_key_pem.reveal().size() > max_pem_octets) {
    return fail(ErrorDomain::auth, "bad-certificate", "The certificate or its key is too long");
  }
  const Certificate certificate(
      PEM_read_bio_X509(read_only(certificate_pem).get(), nullptr, no_passphrase, nullptr));
  if (!certificate)
    return fail(ErrorDomain::auth, "bad-certificate", "The certificate is not PEM text of X.509");
  auto key = std::make_shared<Key>();
  key->handle.reset(
      PEM_read_bio_PrivateKey(read_only(private_key_pem.reveal()).get(), nullptr, no_passphrase, nullptr));
  if (!key->handle) {
    return fail(ErrorDomain::auth, "bad-key", "The private key is not PEM text, or it is encrypted");
  }
  if (EVP_PKEY_get_base_id(key->handle.get()) != EVP_PKEY_RSA ||
      EVP_PKEY_get_bits(key->handle.get()) < 2048) {
    return fail(ErrorDomain::auth, "bad-key", "The private key must be RSA with at least 2048 bits");
  }
  if (X509_check_private_key(certificate.get(), key->handle.get()) != 1) {
    return fail(ErrorDomain::auth, "key-mismatch", "The private key does not belong to the certificate");
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), &length) != 1) {
    return fail(ErrorDomain::auth, "bad-certificate", "The certificate cannot be hashed");
  }
  ClientCertificate loaded;
  loaded.key_ = std::move(key);
  loaded.thumbprint_ =
      base64url_encode(std::string_view(reinterpret_cast<const char*>(digest.data()), length));
  loaded.algorithm_ = algorithm;
  return loaded;
}

Result<std::string> ClientCertificate::sign_assertion(std::string_view client_id, std::string_view audience,
                                                      const Clock& clock, Random& random) const {
  const bool pss = algorithm_ == AssertionAlgorithm::ps256;
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch()).count();
  const boost::json::object header{
      {"alg", pss ? "PS256" : "RS256"}, {"typ", "JWT"}, {"x5t#S256", thumbprint_}};
  const boost::json::object claims{{"aud", audience},      {"iss", client_id}, {"sub", client_id},
                                   {"jti", random.uuid()}, {"iat", now},       {"nbf", now},
                                   {"exp", now + 600}};
  const std::string signed_part = base64url_encode(boost::json::serialize(header)) + "." +
                                  base64url_encode(boost::json::serialize(claims));

  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // owned by the digest context
  bool good = context != nullptr &&
              EVP_DigestSignInit(context.get(), &parameters, EVP_sha256(), nullptr, key_->handle.get()) == 1;
  if (good && pss) {
    good = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  const auto* octets = reinterpret_cast<const unsigned char*>(signed_part.data());
  std::size_t length = 0;
  good = good && EVP_DigestSign(context.get(), nullptr, &length, octets, signed_part.size()) == 1;
  std::string signature(length, '\0');
  good = good && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                                octets, signed_part.size()) == 1;
  if (!good) return fail(ErrorDomain::auth, "signing-failed", "The client assertion could not be signed");
  signature.resize(length);
  return signed_part + "." + base64url_encode(signature);
}

}  // namespace syncline::auth
